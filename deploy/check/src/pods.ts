import { ofKind } from './kinds.ts'
import { type House, type Labels, type Manifest, nameOf, type Selector, selects } from './manifests.ts'
import { declared } from './services.ts'

type Probe = {
  readonly httpGet?: { readonly path?: string; readonly port: number | string; readonly scheme?: string }
  readonly initialDelaySeconds?: number
  readonly periodSeconds?: number
  readonly failureThreshold?: number
}
export type EnvironmentVariable = { readonly name: string; readonly value?: string; readonly valueFrom?: Readonly<Record<string, unknown>> }
type Resources = { readonly requests?: Readonly<Record<string, string>>; readonly limits?: Readonly<Record<string, string>> }

export type Container = {
  readonly name: string
  readonly image: string
  readonly args?: readonly string[]
  readonly command?: readonly string[]
  readonly env?: readonly EnvironmentVariable[]
  readonly envFrom?: readonly unknown[]
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number; readonly hostPort?: number }[]
  readonly resources?: Resources
  readonly startupProbe?: Probe
  readonly livenessProbe?: Probe
  readonly readinessProbe?: Probe
  readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds: number } } }
  readonly securityContext?: SecurityContext
  readonly volumeMounts?: readonly {
    readonly name: string
    readonly mountPath: string
    readonly readOnly?: boolean
    readonly subPath?: string
  }[]
}

export type SecurityContext = {
  readonly runAsNonRoot?: boolean
  readonly runAsUser?: number
  readonly readOnlyRootFilesystem?: boolean
  readonly allowPrivilegeEscalation?: boolean
  readonly privileged?: boolean
  readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] }
  readonly seccompProfile?: { readonly type: string }
}

type Projected = {
  readonly serviceAccountToken?: { readonly audience?: string; readonly path: string; readonly expirationSeconds?: number }
  readonly secret?: { readonly name: string }
  readonly configMap?: { readonly name: string }
}
export type Volume = {
  readonly name: string
  readonly secret?: { readonly secretName: string }
  readonly configMap?: { readonly name: string }
  readonly projected?: { readonly sources: readonly Projected[] }
  readonly hostPath?: unknown
}

export type PodAffinityTerm = { readonly topologyKey: string; readonly labelSelector?: Selector }

export type PodTemplate = {
  readonly metadata?: { readonly labels?: Labels }
  readonly spec: {
    readonly containers: readonly Container[]
    readonly initContainers?: readonly Container[]
    readonly volumes?: readonly Volume[]
    readonly serviceAccountName?: string
    readonly restartPolicy?: string
    readonly automountServiceAccountToken?: boolean
    readonly securityContext?: SecurityContext
    readonly terminationGracePeriodSeconds?: number
    readonly topologySpreadConstraints?: readonly (PodAffinityTerm & { readonly maxSkew?: number })[]
    readonly affinity?: {
      readonly podAntiAffinity?: {
        readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly PodAffinityTerm[]
        readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly { readonly podAffinityTerm: PodAffinityTerm }[]
      }
    }
    readonly hostNetwork?: boolean
    readonly hostPID?: boolean
    readonly hostIPC?: boolean
  }
}

/** What runs: the pods of a Deployment, a StatefulSet or a Job. */
export type Workload = {
  readonly manifest: Manifest
  readonly where: string
  readonly namespace: string | undefined
  /** The service whose program it is. */
  readonly service: string
  readonly serves: boolean
  readonly labels: Labels
  readonly pod: PodTemplate['spec']
  readonly container: Container
}

/** Every workload of a house. What has no container is left to the schema. */
export function workloadsOf(house: House): readonly Workload[] {
  return [...ofKind(house, 'Deployment'), ...ofKind(house, 'StatefulSet'), ...ofKind(house, 'Job')].flatMap((manifest) => {
    const { template } = manifest.spec
    const [container] = template.spec.containers
    if (!container) return []
    const labels = template.metadata?.labels ?? {}
    const service = labels['app.kubernetes.io/name'] ?? manifest.metadata.name
    return [
      {
        manifest,
        where: nameOf(manifest),
        namespace: manifest.metadata.namespace,
        service,
        serves: manifest.kind !== 'Job',
        labels,
        pod: template.spec,
        container,
      },
    ]
  })
}

/** Those that run our programs: the others are stand-ins for what a house depends on, in namespaces of their own. */
export function ownWorkloadsOf(house: House): readonly Workload[] {
  const workloads = workloadsOf(house)
  const homes = new Set(workloads.filter(({ service }) => declared[service]).map(({ namespace }) => namespace))
  return workloads.filter(({ namespace }) => homes.has(namespace))
}

/** Those that a thing of the same namespace takes by a selector. */
export const selectedBy = (house: House, { metadata }: Manifest, selector: Selector | Labels | undefined): readonly Workload[] =>
  workloadsOf(house).filter(({ namespace, labels }) => namespace === metadata.namespace && selects(selector, labels))

/** A container's port by its number or its name. */
export const portOf = (container: Container, port: number | string | undefined): number | undefined =>
  container.ports?.find((each) => each.name === port || each.containerPort === port)?.containerPort

/** What the environment says of a variable, as it stands. */
export const settingOf = (container: Container, name: string): string | undefined =>
  container.env?.find((each) => each.name === name)?.value

/** The service whose schema a Job migrates, and whose streams. */
export const migratedBy = ({ serves, container: { args = [] } }: Workload): string | undefined =>
  !serves && args.at(-2) === 'migrate' ? args.at(-1) : undefined
