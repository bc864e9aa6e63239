import type { Told } from '../finding.ts'
import { ofKind } from '../kinds.ts'
import { type House, nameOf } from '../manifests.ts'

/** Routes lead from a listener that exists to a port of a Service that exists, the one of their protocol. */
export function* routes(house: House): Generator<Told> {
  const services = new Map(ofKind(house, 'Service').map((service) => [service.metadata.name, service.spec.ports]))
  const gateways = ofKind(house, 'Gateway')
  for (const [kind, door] of [
    ['HTTPRoute', 'web'],
    ['GRPCRoute', 'grpc'],
  ] as const)
    for (const route of ofKind(house, kind)) {
      for (const { name, namespace, sectionName } of route.spec.parentRefs ?? []) {
        const gateway = gateways.find(
          ({ metadata }) => metadata.name === name && metadata.namespace === (namespace ?? route.metadata.namespace),
        )
        const listener = gateway?.spec.listeners.find((each) => each.name === sectionName)
        if (!listener) yield [nameOf(route), `hangs on ${name}/${sectionName}, which is no listener`]
        else if (listener.hostname && !route.spec.hostnames?.includes(listener.hostname))
          yield [nameOf(route), `is for ${route.spec.hostnames?.join(', ')}, its listener for ${listener.hostname}`]
      }
      if (!route.spec.parentRefs?.length) yield [nameOf(route), 'hangs on no Gateway']
      for (const { backendRefs = [], filters = [] } of route.spec.rules ?? []) {
        if (backendRefs.length === 0 && !filters.some(({ type }) => type === 'RequestRedirect'))
          yield [nameOf(route), 'has a rule that leads nowhere']
        for (const { name, port } of backendRefs) {
          const found = services.get(name)?.find((each) => each.port === port)
          if (!services.has(name)) yield [nameOf(route), `leads to ${name}, which is no Service`]
          else if (!found) yield [nameOf(route), `leads to port ${port} of ${name}, which it does not have`]
          else if (found.name !== door) yield [nameOf(route), `leads to ${found.name} of ${name}, not to ${door}`]
        }
      }
    }
}
