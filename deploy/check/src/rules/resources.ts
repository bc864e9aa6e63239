import type { Told } from '../finding.ts'
import type { House } from '../manifests.ts'
import { ownWorkloadsOf, workloadsOf } from '../pods.ts'

/**
 * Every container says what it needs; of memory it may take no more than that, so that no other pod pays for it. Of the processor ours take what is free:
 * a limit makes calls wait beside idle cores.
 */
export function* resources(house: House): Generator<Told> {
  const ours = new Set(ownWorkloadsOf(house).map(({ manifest }) => manifest))
  for (const { where, manifest, pod } of workloadsOf(house))
    for (const { name, resources } of [...pod.containers, ...(pod.initContainers ?? [])]) {
      const { requests = {}, limits = {} } = resources ?? {}
      if (requests.cpu === undefined) yield [where, `container ${name} requests no cpu`]
      if (requests.memory === undefined) yield [where, `container ${name} requests no memory`]
      if (requests.memory !== limits.memory)
        yield [where, `container ${name} requests ${requests.memory} of memory and is limited to ${limits.memory}`]
      if (limits.cpu !== undefined && ours.has(manifest))
        yield [where, `container ${name} is limited to ${limits.cpu} of cpu: calls would wait while cores are idle`]
    }
}
