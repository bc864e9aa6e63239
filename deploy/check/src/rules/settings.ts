import { isIP } from 'node:net'
import { migrationVariables, type Table } from '@gatehouse/config'
import type { Told } from '../finding.ts'
import { type House, isForProduction } from '../manifests.ts'
import { migratedBy, ownWorkloadsOf, settingOf, type Workload } from '../pods.ts'
import { isAboutEverybody } from '../ranges.ts'
import { declared } from '../services.ts'

/** What services may not think differently of, by their own declarations, they think the same of; and none believes everybody. */
export function* settings(house: House): Generator<Told> {
  const own = ownWorkloadsOf(house)
  for (const name of new Set(own.flatMap((workload) => Object.keys(readBy(workload))))) {
    const values = Map.groupBy(
      own.flatMap((workload) => taken(workload, name)),
      ({ value }) => value,
    )
    // What most have is taken for what was meant.
    const [usual = [], ...others] = [...values.values()].sort((a, b) => b.length - a.length)
    for (const { where, shown } of others.flat()) yield [where, `${name} is ${shown}, and ${usual[0]?.shown} in ${usual[0]?.where}`]
  }
  for (const workload of isForProduction(house) ? own : [])
    for (const { shown } of taken(workload, 'GATEHOUSE_MODE'))
      if (shown !== '"production"' && shown !== 'production')
        yield [workload.where, `runs in the mode ${shown}, which takes weak secrets and plaintext`]
  for (const { where, container } of own)
    for (const range of settingOf(container, 'TRUSTED_PROXIES')?.split(',') ?? [])
      if (isAboutEverybody(range.trim())) yield [where, `TRUSTED_PROXIES is ${range.trim()}: everybody may say where a call comes from`]
      else if (isIP(range.trim().split('/')[0] ?? '') === 0) yield [where, `TRUSTED_PROXIES has ${range.trim()}, which is no address`]
}

/** What a program declares that it reads; who migrates is another one. */
function readBy(workload: Workload): Table {
  if (migratedBy(workload)) return migrationVariables
  return (workload.serves && declared[workload.service]?.variables) || {}
}

/** What a program takes of a variable that has to be the same everywhere: its own fallback where the manifest sets none. */
function taken(workload: Workload, name: string): { where: string; value: string | undefined; shown: string }[] {
  const { where, container } = workload
  const variable = readBy(workload)[name]
  if (!variable?.same) return []
  const set = settingOf(container, name)
  try {
    const value = JSON.stringify(set === undefined ? variable.fallback?.value : variable.parse(set))
    return [{ where, value, shown: set ?? value ?? 'nothing' }]
  } catch {
    // What the program refuses is told by the rule about that.
    return []
  }
}
