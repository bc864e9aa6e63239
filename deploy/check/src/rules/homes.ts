import type { Told } from '../finding.ts'
import { type House, nameOf } from '../manifests.ts'
import { ownWorkloadsOf } from '../pods.ts'

/** What is about a service is in the namespace of its pods: from another one it would be about nobody. */
export function* homes(house: House): Generator<Told> {
  const home = new Map(ownWorkloadsOf(house).map(({ service, manifest }) => [service, manifest.metadata.namespace]))
  for (const manifest of house.manifests) {
    const { labels, namespace } = manifest.metadata
    const service = labels?.['app.kubernetes.io/name'] ?? manifest.metadata.name
    if (home.has(service) && home.get(service) !== namespace)
      yield [nameOf(manifest), `is in ${namespace ?? 'no namespace'}, and the pods of ${service} in ${home.get(service)}`]
  }
}
