import { dependenciesOf } from '../dependencies.ts'
import type { Told } from '../finding.ts'
import { ofKind } from '../kinds.ts'
import { type House, nameOf } from '../manifests.ts'
import { ownWorkloadsOf, settingOf, workloadsOf } from '../pods.ts'

/** Whoever finds a token has not got it for longer. */
const day = 86_400

/** A pod has no token for the cluster's own API, and one for each service that it calls, which only that one takes. */
export function* tokens(house: House): Generator<Told> {
  const accounts = ofKind(house, 'ServiceAccount')
  for (const account of accounts)
    if (account.automountServiceAccountToken !== false) yield [nameOf(account), 'mounts a token for the API by default']
  for (const { where, pod } of workloadsOf(house))
    if (pod.automountServiceAccountToken !== false) yield [where, 'mounts a token for the API']
  for (const workload of ownWorkloadsOf(house)) {
    const { where, service, serves, pod, container } = workload
    if (pod.serviceAccountName !== service) yield [where, `runs as ${pod.serviceAccountName ?? 'default'}, not as ${service}`]
    else if (!accounts.some(({ metadata }) => metadata.name === service))
      yield [where, `runs as ${service}, which is no ServiceAccount here`]
    const peers = new Set(dependenciesOf(workload, house).flatMap(({ to, name }) => (to === 'pods' && name ? [name] : [])))
    const sources = (pod.volumes ?? []).flatMap((volume) =>
      (volume.projected?.sources ?? []).map((source) => ({ volume: volume.name, ...source })),
    )
    const projected = sources.flatMap(({ serviceAccountToken: token, volume }) => (token ? [{ ...token, volume }] : []))
    if (!serves && projected.length > 0) yield [where, 'carries tokens, and calls nobody']
    if (!serves) continue
    for (const { audience, path, expirationSeconds = 3600 } of projected) {
      if (expirationSeconds > day) yield [where, `carries a token for ${audience} that is good for ${expirationSeconds / 3600} hours`]
      if (audience === undefined || !peers.has(audience))
        yield [where, `carries a token for ${audience ?? 'the API'}, which it does not call`]
      else if (path !== audience) yield [where, `keeps the token for ${audience} as ${path}`]
    }
    for (const peer of peers) if (!projected.some(({ audience }) => audience === peer)) yield [where, `carries no token for ${peer}`]
    const folder = container.volumeMounts?.find(({ name }) => name === projected[0]?.volume)?.mountPath
    const named = settingOf(container, 'WORKLOAD_TOKEN_FILE')
    if (projected.length > 0 && named !== `${folder}/{peer}`) yield [where, `reads its tokens from ${named}, and has them in ${folder}`]
  }
  yield* believed(house)
}

type Cluster = { readonly issuer?: string; readonly jwks_file?: string; readonly workloads?: Readonly<Record<string, string>> }

/** The accounts that services believe to be ours are those that our pods run as. */
function* believed(house: House): Generator<Told> {
  for (const map of ofKind(house, 'ConfigMap')) {
    const text = map.data?.['clusters.json']
    if (text === undefined) continue
    const { clusters } = JSON.parse(text) as { readonly clusters: readonly Cluster[] }
    for (const { issuer, jwks_file: file } of clusters) {
      if (!issuer) yield [nameOf(map), 'has a cluster without its issuer']
      // Pods mount the whole map where its other files are.
      if (file && map.data?.[file.split('/').at(-1) ?? ''] === undefined)
        yield [nameOf(map), `has the keys of ${issuer} in ${file}, which is none of its files`]
    }
    const told = Object.entries(Object.assign({}, ...clusters.map(({ workloads }) => workloads)) as Record<string, string>)
    const callers = ownWorkloadsOf(house).filter((workload) => dependenciesOf(workload, house).some(({ to }) => to === 'pods'))
    const running = callers.map(({ manifest, service, pod }) => [
      `system:serviceaccount:${manifest.metadata.namespace}:${pod.serviceAccountName}`,
      service,
    ])
    for (const [account, service] of told)
      if (!running.some(([mine, who]) => mine === account && who === service)) yield [nameOf(map), `believes ${account} to be ${service}`]
    for (const [account, service] of running)
      if (!told.some(([name, who]) => name === account && who === service))
        yield [nameOf(map), `does not know ${account}, who is ${service}`]
  }
}
