import type { Told } from './finding.ts'
import { type House, type Manifest, nameOf } from './manifests.ts'
import { recordingOf } from './unknown-fields.ts'

/** The packages that have the resources of an API group; what has no dot in its group, or ends in k8s.io, is Kubernetes' own. */
const packages: Readonly<Record<string, string>> = {
  'gateway.networking.k8s.io': '@kubernetes-models/gateway-api',
  'keda.sh': '@kubernetes-models/keda',
  'cert-manager.io': '@kubernetes-models/cert-manager',
  'trust.cert-manager.io': '@kubernetes-models/cert-manager',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
  'external-secrets.io': '@kubernetes-models/external-secrets',
}

/** Resources whose schema no package of npm has: they are read by people, and by their controllers. */
export const withoutSchema: ReadonlySet<string> = new Set([
  'postgresql.cnpg.io/v1/Cluster',
  'postgresql.cnpg.io/v1/Database',
  'postgresql.cnpg.io/v1/Pooler',
  'postgresql.cnpg.io/v1/ScheduledBackup',
  'barmancloud.cnpg.io/v1/ObjectStore',
  'gateway.envoyproxy.io/v1alpha1/BackendTrafficPolicy',
  'kustomize.config.k8s.io/v1beta1/Kustomization',
  'kustomize.config.k8s.io/v1alpha1/Component',
  'kind.x-k8s.io/v1alpha4/Cluster',
])

type Model = { readonly prototype: { validate(): void } }

/** Every manifest is what its API's schema says, and has no field that the schema does not know. */
export async function* schema(house: House): AsyncGenerator<Told> {
  for (const manifest of house.manifests) for (const says of await problemsOf(manifest)) yield [nameOf(manifest), says]
}

/** What is wrong with a manifest by its schema, a sentence each. */
export async function problemsOf(manifest: Manifest): Promise<readonly string[]> {
  const kind = `${manifest.apiVersion}/${manifest.kind}`
  if (withoutSchema.has(kind)) return []
  const model = await modelOf(manifest)
  if (!model) return [`${kind} is no resource whose schema is known`]
  const { recording, unknownFields } = recordingOf(manifest)
  const problems: string[] = []
  try {
    model.prototype.validate.call(recording)
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error))
  }
  return [...problems, ...unknownFields().map((field) => `${field} is a field that ${kind} does not have`)]
}

async function modelOf({ apiVersion, kind }: Manifest): Promise<Model | undefined> {
  const [group = ''] = apiVersion.split('/')
  const home = packages[group] ?? (/^[a-z0-9]+$|\.k8s\.io$/.test(group) ? 'kubernetes-models' : undefined)
  // Only what is looked at is loaded: all of it would be thousands of modules.
  const module: Record<string, Model> | undefined = home && (await import(`${home}/${apiVersion}/${kind}`).catch(() => undefined))
  return module?.[kind]
}
