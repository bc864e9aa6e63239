import { ofKind, type PolicyPeer, type PolicyPort } from './kinds.ts'
import { type House, type Manifest, type Selector, selects } from './manifests.ts'
import { selectedBy, type Workload } from './pods.ts'
import { isAboutEverybody } from './ranges.ts'

/** One way that a policy opens: to or from whom, and at which port. */
export type Way = {
  readonly to: 'pods' | 'outside' | 'internet' | 'anybody' | 'dns' | 'clients'
  readonly name?: string
  readonly port: number | 'any'
}

export const show = ({ to, name, port }: Way): string => `${name ? `${to === 'pods' ? '' : 'namespace '}${name}` : to}:${port}`

export function* waysOf(
  house: House,
  policy: Manifest,
  peers: readonly PolicyPeer[] | undefined,
  ports: readonly PolicyPort[] | undefined,
): Generator<Way> {
  const numbers = ports?.map(({ port }) => (typeof port === 'number' ? port : 'any')) ?? ['any' as const]
  for (const port of numbers) {
    if (!peers?.length) yield { to: 'anybody', port }
    for (const { podSelector, namespaceSelector, ipBlock } of peers ?? []) {
      const namespace = namespaceSelector?.matchLabels?.['kubernetes.io/metadata.name']
      if (ipBlock) yield { to: isAboutEverybody(ipBlock.cidr) ? 'internet' : 'outside', port }
      else if (podSelector?.matchLabels?.['k8s-app'] === 'kube-dns') yield { to: 'dns', port }
      else if (namespaceSelector?.matchLabels?.['gatehouse.dev/client'] === 'true') yield { to: 'clients', port }
      else if (namespace !== undefined) yield { to: 'outside', name: namespace, port }
      else if (namespaceSelector) yield { to: 'anybody', port }
      else {
        const pods = selectedBy(house, policy, podSelector)
        if (pods.length === 0) yield { to: 'pods', name: `nobody (${JSON.stringify(podSelector?.matchLabels)})`, port }
        for (const { service } of pods) yield { to: 'pods', name: service, port }
      }
    }
  }
}

/** Whether a policy is about a workload. */
export const concerns = ({ spec, metadata }: Manifest<{ readonly podSelector: Selector }>, { namespace, labels }: Workload): boolean =>
  metadata.namespace === namespace && selects(spec.podSelector, labels)

/** The ways out of, or into, a workload that the policies which select it open together. */
export function openFor(house: House, workload: Workload, direction: 'egress' | 'ingress'): readonly Way[] {
  return ofKind(house, 'NetworkPolicy')
    .filter((policy) => concerns(policy, workload))
    .flatMap((policy) =>
      direction === 'egress'
        ? (policy.spec.egress ?? []).flatMap(({ to, ports }) => [...waysOf(house, policy, to, ports)])
        : (policy.spec.ingress ?? []).flatMap(({ from, ports }) => [...waysOf(house, policy, from, ports)]),
    )
}
