import { ofKind, type PolicyPeer, type PolicyPort } from './kinds.ts'
import { type House, type Manifest, type Selector, selects } from './manifests.ts'
import { selectedBy, type Workload } from './pods.ts'
import { isAboutEverybody } from './ranges.ts'

/** One way that a policy opens: to or from whom, and at which port. */
export type Way = {
  readonly to: 'pods' | 'outside' | 'internet' | 'anybody' | 'dns' | 'clients'
  readonly name?: string
  readonly port: number | 'any'
  /** Unless it is TCP, which is all that our programs speak. */
  readonly protocol?: string
}

export const show = ({ to, name, port, protocol }: Way): string =>
  `${name ? `${to === 'pods' ? '' : 'namespace '}${name}` : to}:${port}${protocol ? `/${protocol}` : ''}`

export function* waysOf(
  house: House,
  policy: Manifest,
  peers: readonly PolicyPeer[] | undefined,
  ports: readonly PolicyPort[] | undefined,
): Generator<Way> {
  for (const { port: number, endPort, protocol = 'TCP' } of ports ?? [{}]) {
    // A range is as wide as it likes to be.
    const port = typeof number === 'number' && (endPort ?? number) === number ? number : 'any'
    const at = { port, ...(protocol !== 'TCP' && { protocol }) } as const
    if (!peers?.length) yield { to: 'anybody', ...at }
    for (const { podSelector, namespaceSelector, ipBlock } of peers ?? []) {
      const namespace = namespaceSelector?.matchLabels?.['kubernetes.io/metadata.name']
      if (ipBlock) yield { to: isAboutEverybody(ipBlock.cidr) ? 'internet' : 'outside', ...at }
      else if (podSelector?.matchLabels?.['k8s-app'] === 'kube-dns') yield { to: 'dns', ...at }
      else if (namespaceSelector?.matchLabels?.['gatehouse.dev/client'] === 'true') yield { to: 'clients', ...at }
      else if (namespace !== undefined) yield { to: 'outside', name: namespace, ...at }
      else if (namespaceSelector) yield { to: 'anybody', ...at }
      else {
        const pods = selectedBy(house, policy, podSelector)
        if (pods.length === 0) yield { to: 'pods', name: `nobody (${JSON.stringify(podSelector?.matchLabels)})`, ...at }
        for (const { service } of pods) yield { to: 'pods', name: service, ...at }
      }
    }
  }
}

/** Whether a policy is about a workload. */
export const concerns = ({ spec, metadata }: Manifest<{ readonly podSelector: Selector }>, { namespace, labels }: Workload): boolean =>
  metadata.namespace === namespace && selects(spec.podSelector, labels)

/** A policy that does not say so is one of ingress, and of egress where it has some. */
const isOf = (direction: 'egress' | 'ingress', { policyTypes, egress }: { policyTypes?: readonly string[]; egress?: unknown }): boolean =>
  policyTypes?.includes(direction === 'egress' ? 'Egress' : 'Ingress') ?? (direction === 'ingress' || egress !== undefined)

/** The ways out of, or into, a workload that the policies which select it open together. */
export function openFor(house: House, workload: Workload, direction: 'egress' | 'ingress'): readonly Way[] {
  return ofKind(house, 'NetworkPolicy')
    .filter((policy) => concerns(policy, workload) && isOf(direction, policy.spec))
    .flatMap((policy) =>
      direction === 'egress'
        ? (policy.spec.egress ?? []).flatMap(({ to, ports }) => [...waysOf(house, policy, to, ports)])
        : (policy.spec.ingress ?? []).flatMap(({ from, ports }) => [...waysOf(house, policy, from, ports)]),
    )
}
