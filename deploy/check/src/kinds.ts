import type { House, Labels, Manifest, Selector } from './manifests.ts'
import type { PodTemplate } from './pods.ts'

type ScaleTarget = { readonly kind?: string; readonly name: string }
export type PolicyPort = { readonly port?: number | string; readonly protocol?: string }
export type PolicyPeer = {
  readonly podSelector?: Selector
  readonly namespaceSelector?: Selector
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] }
}
type Reference = { readonly kind?: string; readonly name: string; readonly port?: number; readonly namespace?: string }
export type Route = {
  readonly hostnames?: readonly string[]
  readonly parentRefs?: readonly { readonly name: string; readonly namespace?: string; readonly sectionName?: string }[]
  readonly rules?: readonly { readonly backendRefs?: readonly Reference[]; readonly filters?: readonly { readonly type: string }[] }[]
}

/** What the rules read of each kind; all of the rest is the schema's. */
type Specs = {
  Deployment: { readonly replicas?: number; readonly selector: Selector; readonly template: PodTemplate }
  StatefulSet: { readonly replicas?: number; readonly selector: Selector; readonly template: PodTemplate }
  Job: { readonly activeDeadlineSeconds?: number; readonly template: PodTemplate }
  Service: {
    readonly selector?: Labels
    readonly ports: readonly { readonly name?: string; readonly port: number; readonly targetPort?: number | string }[]
  }
  PodDisruptionBudget: {
    readonly selector: Selector
    readonly maxUnavailable?: number | string
    readonly minAvailable?: number | string
    readonly unhealthyPodEvictionPolicy?: string
  }
  HorizontalPodAutoscaler: { readonly scaleTargetRef: ScaleTarget; readonly minReplicas?: number; readonly maxReplicas: number }
  ScaledObject: {
    readonly scaleTargetRef: ScaleTarget
    readonly minReplicaCount?: number
    readonly maxReplicaCount?: number
    readonly triggers: readonly { readonly type: string; readonly metadata: Readonly<Record<string, string>> }[]
  }
  NetworkPolicy: {
    readonly podSelector: Selector
    readonly policyTypes?: readonly string[]
    readonly egress?: readonly { readonly to?: readonly PolicyPeer[]; readonly ports?: readonly PolicyPort[] }[]
    readonly ingress?: readonly { readonly from?: readonly PolicyPeer[]; readonly ports?: readonly PolicyPort[] }[]
  }
  HTTPRoute: Route
  GRPCRoute: Route
  Gateway: { readonly listeners: readonly { readonly name: string; readonly hostname?: string }[] }
  BackendTLSPolicy: { readonly targetRefs: readonly { readonly name: string; readonly sectionName?: string }[] }
  PodMonitor: {
    readonly selector: Selector
    readonly podMetricsEndpoints: readonly { readonly port?: string; readonly path?: string }[]
  }
  ServiceAccount: undefined
  ConfigMap: undefined
  Secret: undefined
  Namespace: undefined
}

/** The manifests of one kind. */
export function ofKind<K extends keyof Specs>(house: House, kind: K): readonly Manifest<Specs[K]>[] {
  return house.manifests.filter((manifest): manifest is Manifest<Specs[K]> => manifest.kind === kind)
}
