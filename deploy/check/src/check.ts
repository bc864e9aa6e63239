import type { Finding, Rule } from './finding.ts'
import type { House } from './manifests.ts'
import { balancing } from './rules/balancing.ts'
import { encryption } from './rules/encryption.ts'
import { environment, files } from './rules/environment.ts'
import { headers } from './rules/headers.ts'
import { homes } from './rules/homes.ts'
import { images } from './rules/images.ts'
import { metrics } from './rules/metrics.ts'
import { migrations } from './rules/migrations.ts'
import { egress, ingress, isolation } from './rules/network.ts'
import { paths } from './rules/paths.ts'
import { placeholders } from './rules/placeholders.ts'
import { grace, probes } from './rules/probes.ts'
import { resources } from './rules/resources.ts'
import { rollout } from './rules/rollout.ts'
import { routes } from './rules/routes.ts'
import { disruption, scaling } from './rules/scaling.ts'
import { secrets } from './rules/secrets.ts'
import { restricted } from './rules/security.ts'
import { selectors } from './rules/selectors.ts'
import { settings } from './rules/settings.ts'
import { spread } from './rules/spread.ts'
import { tokens } from './rules/tokens.ts'
import { schema } from './schema.ts'

/** Every rule by its name: what has to hold of what is committed here, and of yours. */
const rules = {
  schema,
  images,
  restricted,
  resources,
  probes,
  grace,
  environment,
  settings,
  files,
  secrets,
  tokens,
  homes,
  selectors,
  metrics,
  balancing,
  routes,
  paths,
  headers,
  encryption,
  scaling,
  rollout,
  migrations,
  spread,
  disruption,
  egress,
  ingress,
  isolation,
} satisfies Record<string, Rule>

/** And what has to hold of what is about to be applied. */
const all = { ...rules, placeholders } satisfies Record<string, Rule>

export type RuleName = keyof typeof all
export const ofCommitted = Object.keys(rules) as readonly RuleName[]
export const ofOnesOwn = Object.keys(all) as readonly RuleName[]

/** What is wrong with a house, by the rules that are asked for. */
export async function check(house: House, asked = ofCommitted): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const rule of asked)
    try {
      for await (const [where, says] of all[rule](house)) findings.push({ rule, house: house.name, where, says })
    } catch (error) {
      // Rules read what every manifest of a kind has without asking for it: who lacks it keeps the other rules from nothing.
      findings.push({
        rule,
        house: house.name,
        where: 'all of it',
        says: `was not looked at to the end, for something is missing: ${error}`,
      })
    }
  return findings
}
