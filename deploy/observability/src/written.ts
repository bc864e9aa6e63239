import { stringify } from 'yaml'
import { toGrafana } from './dashboard.ts'
import { dashboards } from './dashboards.ts'
import { sloGroups } from './slo-rules.ts'

const header = '# Written by `npm run dashboards` from src/: what is promised stands in objectives.ts.\n'

/** The files that are written from this package, by their path in it. */
export function writtenFiles(): Readonly<Record<string, string>> {
  return {
    'slo.yaml': header + stringify({ groups: sloGroups }, { lineWidth: 0, aliasDuplicateObjects: false }),
    ...Object.fromEntries(
      Object.entries(dashboards).map(([name, dashboard]) => [
        `dashboards/${name}.json`,
        `${JSON.stringify(toGrafana(dashboard), null, 2)}\n`,
      ]),
    ),
  }
}
