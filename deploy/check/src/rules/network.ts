import { type Dependency, dependenciesOf } from '../dependencies.ts'
import type { Told } from '../finding.ts'
import { ofKind, type PolicyPeer, type PolicyPort } from '../kinds.ts'
import { type House, nameOf, selects } from '../manifests.ts'
import { portOf, type Workload, workloadsOf } from '../pods.ts'

/** One way that a policy opens: to or from whom, and at which port. */
export type Way = {
  readonly to: 'pods' | 'outside' | 'internet' | 'anybody' | 'dns' | 'clients'
  readonly name?: string
  readonly port: number | 'any'
}

export const show = ({ to, name, port }: Way): string => `${name ? `${to === 'pods' ? '' : 'namespace '}${name}` : to}:${port}`

export function* waysOf(house: House, peers: readonly PolicyPeer[] | undefined, ports: readonly PolicyPort[] | undefined): Generator<Way> {
  const numbers = ports?.map(({ port }) => (typeof port === 'number' ? port : 'any')) ?? ['any' as const]
  for (const port of numbers) {
    if (!peers?.length) yield { to: 'anybody', port }
    for (const { podSelector, namespaceSelector, ipBlock } of peers ?? []) {
      const namespace = namespaceSelector?.matchLabels?.['kubernetes.io/metadata.name']
      if (ipBlock)
        yield ipBlock.cidr === '0.0.0.0/0' || ipBlock.cidr === '2000::/3' || ipBlock.cidr === '::/0'
          ? { to: 'internet', port }
          : { to: 'outside', port }
      else if (podSelector?.matchLabels?.['k8s-app'] === 'kube-dns') yield { to: 'dns', port }
      else if (namespaceSelector?.matchLabels?.['gatehouse.dev/client'] === 'true') yield { to: 'clients', port }
      else if (namespace !== undefined) yield { to: 'outside', name: namespace, port }
      else if (namespaceSelector) yield { to: 'anybody', port }
      else {
        const pods = workloadsOf(house).filter(({ labels }) => selects(podSelector, labels))
        if (pods.length === 0) yield { to: 'pods', name: `nobody (${JSON.stringify(podSelector?.matchLabels)})`, port }
        for (const { service } of pods) yield { to: 'pods', name: service, port }
      }
    }
  }
}

/** The ways out of, or into, a workload that the policies which select it open together. */
export function openFor(house: House, workload: Workload, direction: 'egress' | 'ingress'): readonly Way[] {
  return ofKind(house, 'NetworkPolicy')
    .filter(({ spec }) => selects(spec.podSelector, workload.labels))
    .flatMap(({ spec }) =>
      direction === 'egress'
        ? (spec.egress ?? []).flatMap(({ to, ports }) => [...waysOf(house, to, ports)])
        : (spec.ingress ?? []).flatMap(({ from, ports }) => [...waysOf(house, from, ports)]),
    )
}

const leads = (way: Way, { to, name, port }: Pick<Dependency, 'to' | 'name' | 'port'>): boolean =>
  way.to === to && way.port === port && (name === undefined || way.name === undefined || way.name === name)

/** A pod reaches what its program calls, by that program's own declaration, and nothing else. */
export function* egress(house: House): Generator<Told> {
  for (const workload of workloadsOf(house)) {
    const { where } = workload
    const dependencies = dependenciesOf(workload, house)
    const open = openFor(house, workload, 'egress')
    for (const dependency of dependencies)
      if (!dependency.optional && !open.some((way) => leads(way, dependency)))
        yield [where, `calls ${show(dependency)} (${dependency.because}), and no policy lets it`]
    for (const way of open) {
      if (way.to === 'dns' && way.port === 53 && dependencies.length > 0) continue
      if (!dependencies.some((dependency) => leads(way, dependency))) yield [where, `may reach ${show(way)}, which it does not call`]
    }
    if (dependencies.length > 0 && !open.some(({ to }) => to === 'dns')) yield [where, 'may ask no name server']
  }
  for (const policy of ofKind(house, 'NetworkPolicy'))
    for (const { ipBlock } of (policy.spec.egress ?? []).flatMap(({ to = [] }) => to))
      for (const inner of ipBlock?.cidr === '0.0.0.0/0' ? ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16'] : [])
        if (!ipBlock?.except?.includes(inner)) yield [nameOf(policy), `counts ${inner} as the internet`]
}

/** A door is open to those who call it, by their own declarations, to the gateway where a route leads to it, and to nobody else. */
export function* ingress(house: House): Generator<Told> {
  const workloads = workloadsOf(house)
  const gateways = new Set(
    [...ofKind(house, 'HTTPRoute'), ...ofKind(house, 'GRPCRoute')].flatMap(({ spec }) =>
      (spec.parentRefs ?? []).map(({ namespace }) => namespace),
    ),
  )
  for (const workload of workloads) {
    const { where, service, serves, container } = workload
    const open = openFor(house, workload, 'ingress')
    const wanted: (Way & { readonly optional?: boolean })[] = []
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
    const same = (way: Way, other: Way): boolean => way.to === other.to && way.port === other.port && way.name === other.name
    for (const way of wanted)
      if (!way.optional && !open.some((each) => same(each, way))) yield [where, `is called by ${show(way)}, and no policy lets it`]
    for (const way of open)
      if (!wanted.some((each) => same(each, way))) yield [where, `may be reached by ${show(way)}, who does not call it`]
  }
}

/** Whatever no policy opens is shut, in both directions, and every policy is about pods that exist. */
export function* isolation(house: House): Generator<Told> {
  const policies = ofKind(house, 'NetworkPolicy')
  const workloads = workloadsOf(house)
  for (const { where, labels, manifest } of workloads)
    for (const direction of ['Ingress', 'Egress'])
      if (
        !policies.some(
          ({ spec, metadata }) =>
            metadata.namespace === manifest.metadata.namespace &&
            selects(spec.podSelector, labels) &&
            spec.policyTypes?.includes(direction),
        )
      )
        yield [where, `no policy shuts its ${direction.toLowerCase()}`]
  for (const policy of policies)
    if (!workloads.some(({ labels }) => selects(policy.spec.podSelector, labels))) yield [nameOf(policy), 'is about no pod']
  if (
    !policies.some(
      ({ spec }) =>
        Object.keys(spec.podSelector).length === 0 && !spec.egress?.length && !spec.ingress?.length && spec.policyTypes?.length === 2,
    )
  )
    yield ['Namespace', 'has no policy that shuts what nobody opens']
}
