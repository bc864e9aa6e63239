import { dependenciesOf } from '../dependencies.ts'
import type { Told } from '../finding.ts'
import { ofKind } from '../kinds.ts'
import { type House, nameOf, type Selector } from '../manifests.ts'
import { ownWorkloadsOf, portOf, type Workload, workloadsOf } from '../pods.ts'
import { concerns, openFor, show, type Way } from '../policies.ts'

type Place = Pick<Way, 'to' | 'name' | 'protocol'> & { readonly port: number }

const isAt = (way: Way, { to, name, protocol }: Place): boolean =>
  way.to === to && way.protocol === protocol && (name === undefined || way.name === undefined || way.name === name)

const leads = (way: Way, place: Place): boolean => isAt(way, place) && way.port === place.port

/** Whether a way leads there among others: to everybody, to all addresses, or at every port. */
const includes = (way: Way, place: Place): boolean =>
  (way.port === place.port || way.port === 'any') &&
  (isAt(way, place) || (way.to === 'anybody' && way.protocol === place.protocol) || (way.to === 'internet' && place.to === 'outside'))

/** A pod reaches what its program calls, by that program's own declaration, and nothing else. */
export function* egress(house: House): Generator<Told> {
  for (const workload of ownWorkloadsOf(house)) {
    const { where } = workload
    const dependencies = dependenciesOf(workload, house)
    const open = openFor(house, workload, 'egress')
    for (const dependency of dependencies)
      if (!dependency.optional && !open.some((way) => includes(way, dependency)))
        yield [where, `calls ${show(dependency)} (${dependency.because}), and no policy lets it`]
    for (const way of open) {
      if (way.to === 'dns' && way.port === 53 && dependencies.length > 0) continue
      if (dependencies.some((dependency) => leads(way, dependency))) continue
      const within = dependencies.filter((dependency) => includes(way, dependency))
      yield [
        where,
        within.length === 0
          ? `may reach ${show(way)}, which it does not call`
          : `may reach ${show(way)}, and of that it calls ${within.map((each) => `${show(each)} (${each.because})`).join(' and ')} only`,
      ]
    }
    if (dependencies.length > 0 && !open.some((way) => way.to === 'dns' || includes(way, { to: 'outside', port: 53 })))
      yield [where, 'may ask no name server']
    for (const way of open) yield* shut(house, workload, way)
  }
  for (const policy of ofKind(house, 'NetworkPolicy'))
    for (const { ipBlock } of (policy.spec.egress ?? []).flatMap(({ to = [] }) => to))
      for (const inner of ipBlock?.cidr === '0.0.0.0/0' ? ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16'] : [])
        if (!ipBlock?.except?.includes(inner)) yield [nameOf(policy), `counts ${inner} as the internet`]
}

/** What is depended on lets its callers in, where it is part of the house: in the overlays for one machine. */
function* shut(house: House, { where, namespace }: Workload, way: Way): Generator<Told> {
  const there = way.to === 'outside' ? workloadsOf(house).filter((each) => each.namespace === way.name) : []
  if (there.length === 0) return
  const open = there.some(
    (each) =>
      portOf(each.container, way.port) !== undefined &&
      openFor(house, each, 'ingress').some(({ to, name, port }) => to === 'outside' && name === namespace && port === way.port),
  )
  if (!open) yield [where, `finds ${show(way)} shut`]
}

/** A door is open to those who call it, by their own declarations, to the gateway where a route leads to it, and to nobody else. */
export function* ingress(house: House): Generator<Told> {
  const workloads = ownWorkloadsOf(house)
  const gateways = new Set(
    [...ofKind(house, 'HTTPRoute'), ...ofKind(house, 'GRPCRoute')].flatMap(({ spec }) =>
      (spec.parentRefs ?? []).map(({ namespace }) => namespace),
    ),
  )
  for (const workload of workloads) {
    const { where, service, serves, container } = workload
    const open = openFor(house, workload, 'ingress')
    const wanted: (Way & { readonly port: number; readonly optional?: boolean })[] = []
    const door = (name: string): number | undefined => (serves ? portOf(container, name) : undefined)
    const [grpc, web, metrics] = [door('grpc'), door('web'), door('metrics')]
    if (grpc) {
      wanted.push({ to: 'clients', port: grpc, optional: true })
      for (const caller of workloads)
        if (dependenciesOf(caller, house).some(({ to, name }) => to === 'pods' && name === service))
          wanted.push({ to: 'pods', name: caller.service, port: grpc })
    }
    for (const [port, kind] of [
      [grpc, 'GRPCRoute'],
      [web, 'HTTPRoute'],
    ] as const) {
      const routed = ofKind(house, kind).some(({ spec }) =>
        spec.rules?.some(({ backendRefs }) => backendRefs?.some(({ name }) => name === service)),
      )
      if (!port) continue
      if (routed) for (const name of gateways) wanted.push({ to: 'outside', port, ...(name && { name }) })
      else if (gateways.size === 0) wanted.push({ to: 'outside', name: 'gateway', port, optional: true })
    }
    if (metrics) wanted.push({ to: 'outside', name: 'monitoring', port: metrics, optional: ofKind(house, 'PodMonitor').length === 0 })
    const same = (way: Way, other: Way): boolean =>
      way.to === other.to && way.port === other.port && way.name === other.name && way.protocol === other.protocol
    for (const way of wanted)
      if (!way.optional && !open.some((each) => includes(each, way))) yield [where, `is called by ${show(way)}, and no policy lets it`]
    for (const way of open)
      if (!wanted.some((each) => same(each, way))) yield [where, `may be reached by ${show(way)}, who does not call it`]
  }
}

/** Whatever no policy opens is shut, in both directions, every policy is about pods that exist, and no Service leads past the gateway. */
export function* isolation(house: House): Generator<Told> {
  const policies = ofKind(house, 'NetworkPolicy')
  const workloads = workloadsOf(house)
  for (const workload of workloads)
    for (const direction of ['Ingress', 'Egress'])
      if (!policies.some((policy) => concerns(policy, workload) && policy.spec.policyTypes?.includes(direction)))
        yield [workload.where, `no policy shuts its ${direction.toLowerCase()}`]
  for (const service of ofKind(house, 'Service'))
    if (/^(NodePort|LoadBalancer)$/.test(service.spec.type ?? ''))
      yield [nameOf(service), `is a ${service.spec.type}: a way in past the gateway`]
  for (const policy of policies) if (!workloads.some((workload) => concerns(policy, workload))) yield [nameOf(policy), 'is about no pod']
  for (const namespace of new Set(workloads.map((workload) => workload.namespace)))
    if (
      !policies.some(
        ({ spec, metadata }) => metadata.namespace === namespace && isForAll(spec.podSelector) && spec.policyTypes?.length === 2,
      )
    )
      yield [`Namespace ${namespace}`, 'has no policy about all of its pods, which shuts what nobody opens']
}

const isForAll = (selector: Selector): boolean => Object.keys(selector).length === 0
