import type { Told } from '../finding.ts'
import { ofKind } from '../kinds.ts'
import { type House, isForProduction } from '../manifests.ts'
import { ownWorkloadsOf, settingOf } from '../pods.ts'

/** Programs of ours go round all pods of a peer, whose addresses a headless Service tells; behind a ClusterIP a connection stays with one, unless a mesh balances each call. */
export function* balancing(house: House): Generator<Told> {
  if (!isForProduction(house)) return
  const services = ofKind(house, 'Service')
  for (const { where, container } of ownWorkloadsOf(house))
    for (const name of ['USER_URL', 'AUTH_URL', 'NOTIFICATION_URL']) {
      const host = /^(?:dns:\/\/\/)?([^.:]+)/.exec(settingOf(container, name) ?? '')?.[1]
      const called = services.find(({ metadata }) => metadata.name === host)
      if (called && called.spec.clusterIP !== 'None' && !/^(true|1|yes)$/i.test(settingOf(container, 'TLS_BY_MESH') ?? ''))
        yield [where, `its ${name} is ${host}, one address for all pods: new ones would get no calls`]
    }
}
