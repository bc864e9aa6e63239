import type { Told } from '../finding.ts'
import type { House } from '../manifests.ts'
import { type Container, ownWorkloadsOf, settingOf, workloadsOf } from '../pods.ts'
import { declared } from '../services.ts'

/**
 * Every container says what it needs; of memory it may take no more than that, so that no other pod pays for it. Of the processor ours take what is free:
 * a limit makes calls wait beside idle cores.
 */
export function* resources(house: House): Generator<Told> {
  const ours = new Set(ownWorkloadsOf(house).map(({ manifest }) => manifest))
  for (const { where, serves, service, container } of ownWorkloadsOf(house)) if (serves) yield* hashes(where, service, container)
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

/** Password hashes that are computed at once have room: each takes its memory beside all that the program has anyway. */
function* hashes(where: string, service: string, container: Container): Generator<Told> {
  const { PASSWORD_HASHES: running, PASSWORD_MEMORY_KIB: memory } = declared[service]?.variables ?? {}
  if (!running || !memory) return
  const set = settingOf(container, 'PASSWORD_HASHES')
  const each = settingOf(container, 'PASSWORD_MEMORY_KIB') ?? memory.fallback?.value
  const limit = kibibytes(container.resources?.limits?.memory)
  if (set === undefined) yield [where, 'computes as many password hashes at once as its machine has cores, with the memory of a pod']
  else if (limit !== undefined && Number(set) * Number(each) > limit / 2)
    yield [where, `computes ${set} password hashes of ${each} KiB at once: more than half of its memory`]
  // Files and names are looked up on the same threads.
  const threads = settingOf(container, 'UV_THREADPOOL_SIZE') ?? '4'
  if (Number(set) >= Number(threads))
    yield [where, `computes ${set} password hashes at once on ${threads} threads, and leaves none for files and names`]
}

/** Of a quantity as manifests have it, `768Mi`. */
function kibibytes(quantity = ''): number | undefined {
  const [, number, unit] = /^(\d+)(Ki|Mi|Gi)$/.exec(quantity) ?? []
  return unit === undefined ? undefined : Number(number) * { Ki: 1, Mi: 1024, Gi: 1024 ** 2 }[unit as 'Ki']
}
