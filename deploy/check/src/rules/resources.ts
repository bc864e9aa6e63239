import type { Told } from '../finding.ts'
import type { House } from '../manifests.ts'
import { workloadsOf } from '../pods.ts'

/** Every container says what it needs; of memory it may take no more than that, so that no other pod pays for it. */
export function* resources(house: House): Generator<Told> {
  for (const { where, pod } of workloadsOf(house))
    for (const { name, resources } of [...pod.containers, ...(pod.initContainers ?? [])]) {
      const { requests = {}, limits = {} } = resources ?? {}
      if (requests.cpu === undefined) yield [where, `container ${name} requests no cpu`]
      if (requests.memory === undefined) yield [where, `container ${name} requests no memory`]
      if (requests.memory !== limits.memory)
        yield [where, `container ${name} requests ${requests.memory} of memory and is limited to ${limits.memory}`]
    }
}
