import type { Told } from '../finding.ts'
import { ofKind } from '../kinds.ts'
import { type House, isForProduction, nameOf, selects } from '../manifests.ts'
import { ownWorkloadsOf } from '../pods.ts'
import { leastReplicas } from '../replicas.ts'

const overNodes = 'kubernetes.io/hostname'

/** In production no machine takes all pods of a service with it. */
export function* spread(house: House): Generator<Told> {
  if (!isForProduction(house)) return
  const own = new Set(ownWorkloadsOf(house).map(({ manifest }) => manifest))
  for (const deployment of ofKind(house, 'Deployment')) {
    if (!own.has(deployment)) continue
    const { metadata, spec } = deployment.spec.template
    const { requiredDuringSchedulingIgnoredDuringExecution: must = [], preferredDuringSchedulingIgnoredDuringExecution: may = [] } =
      spec.affinity?.podAntiAffinity ?? {}
    const pods = leastReplicas(house, deployment)
    // As many more on one node than on another as there are is all of them.
    const constraints = (spec.topologySpreadConstraints ?? []).filter(({ maxSkew = 1 }) => maxSkew < pods)
    const terms = [...constraints, ...must, ...may.map(({ podAffinityTerm }) => podAffinityTerm)]
    if (!terms.some(({ topologyKey, labelSelector }) => topologyKey === overNodes && selects(labelSelector, metadata?.labels)))
      yield [nameOf(deployment), `may have all of its ${pods} pods on one machine: nothing spreads them over ${overNodes}`]
  }
}
