import type { Told } from '../finding.ts'
import { type House, isForProduction } from '../manifests.ts'
import { ownWorkloadsOf, workloadsOf } from '../pods.ts'

/** Images have a tag that says which release they are, and in production the digest that nobody can move; each service has its own, and starts it as it is. */
export function* images(house: House): Generator<Told> {
  const ofService = new Map<string, string>()
  const own = ownWorkloadsOf(house)
  for (const workload of workloadsOf(house)) {
    const { where, service, labels, pod } = workload
    const isOurs = own.some(({ manifest }) => manifest === workload.manifest)
    for (const { name, image } of [...pod.containers, ...(pod.initContainers ?? [])]) {
      const [, tag, digest] = /^[^@]+?(?::([\w.-]+))?(?:@(sha256:[0-9a-f]{64}))?$/.exec(image) ?? []
      if (tag === undefined || tag === 'latest') yield [where, `the image of ${name} is ${image}: "latest" is somebody else's decision`]
      else if (isOurs && tag !== labels['app.kubernetes.io/version'])
        yield [where, `the image of ${name} is ${tag}, its label says ${labels['app.kubernetes.io/version'] ?? 'nothing'}`]
      if (digest === undefined && isForProduction(house)) yield [where, `the image ${image} has no digest`]
      if (isOurs && name === 'main' && (ofService.get(service) ?? image) !== image)
        yield [where, `${service} runs ${ofService.get(service)} and ${image}`]
      if (isOurs && name === 'main' && !ofService.has(service)) ofService.set(service, image)
    }
    const { command, args } = workload.container
    if (isOurs && workload.serves && (command || args)) yield [where, 'starts something else than its image does']
  }
  for (const [repository, services] of Map.groupBy(ofService, ([, image]) => image.replace(/[:@][^/]*$/, '')))
    if (services.length > 1) yield [services.map(([service]) => service).join(', '), `run one and the same image, ${repository}`]
}
