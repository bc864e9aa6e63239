import type { Told } from '../finding.ts'
import { ofKind } from '../kinds.ts'
import { type House, nameOf, selects } from '../manifests.ts'
import { portOf, selectedBy } from '../pods.ts'

/** What selects pods selects some; what selects its own selects no other's; and ports that are named exist. */
export function* selectors(house: House): Generator<Told> {
  for (const deployment of [...ofKind(house, 'Deployment'), ...ofKind(house, 'StatefulSet')]) {
    const others = selectedBy(house, deployment, deployment.spec.selector).filter(({ manifest }) => manifest !== deployment)
    if (!selects(deployment.spec.selector, deployment.spec.template.metadata?.labels))
      yield [nameOf(deployment), 'does not select its own pods']
    for (const { where } of others) yield [nameOf(deployment), `selects the pods of ${where} too`]
    for (const { labelSelector } of deployment.spec.template.spec.topologySpreadConstraints ?? [])
      if (!selects(labelSelector, deployment.spec.template.metadata?.labels))
        yield [nameOf(deployment), 'is spread by labels that its pods do not have']
  }
  for (const service of ofKind(house, 'Service')) {
    const pods = selectedBy(house, service, service.spec.selector)
    if (pods.length === 0) yield [nameOf(service), 'selects no pod']
    for (const { where, serves, container } of pods) {
      if (!serves) yield [nameOf(service), `sends calls to ${where}, which serves nobody`]
      for (const { name, port, targetPort } of service.spec.ports)
        if (portOf(container, targetPort ?? port) === undefined)
          yield [nameOf(service), `its port ${name ?? port} is ${targetPort ?? port}, which ${where} does not have`]
    }
  }
  yield* plain(house)
}

/** Selectors by expressions are read by nobody here, so that none may be written. */
function* plain(house: House): Generator<Told> {
  for (const manifest of house.manifests)
    if (JSON.stringify(manifest.spec ?? {}).includes('"matchExpressions"'))
      yield [nameOf(manifest), 'selects by expressions, which these checks do not read']
}
