import type { RouteRule } from '@gatehouse/kubernetes'
import type { House, Labels, Manifest, Selector } from './manifests.ts'
import type { PodTemplate } from './pods.ts'

type ScaleTarget = { readonly kind?: string; readonly name: string }
export type PolicyPort = { readonly port?: number | string; readonly endPort?: number; readonly protocol?: string }
export type PolicyPeer = {
  readonly podSelector?: Selector
  readonly namespaceSelector?: Selector
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] }
}
type Reference = { readonly kind?: string; readonly name: string; readonly port?: number; readonly namespace?: string }
type Rule = { readonly backendRefs?: readonly Reference[]; readonly filters?: readonly Filter[] }
export type Filter = {
  readonly type: string
  readonly requestHeaderModifier?: { readonly remove?: readonly string[] }
  readonly responseHeaderModifier?: { readonly set?: readonly { readonly name: string }[] }
}
type Route<R extends Rule> = {
  readonly hostnames?: readonly string[]
  readonly parentRefs?: readonly { readonly name: string; readonly namespace?: string; readonly sectionName?: string }[]
  readonly rules?: readonly R[]
}
export type HttpRule = Rule & RouteRule & { readonly timeouts?: { readonly request?: string; readonly backendRequest?: string } }
export type GrpcRule = Rule & {
  readonly matches?: readonly { readonly method?: { readonly service?: string; readonly method?: string } }[]
}
type Listener = {
  readonly name: string
  readonly hostname?: string
  readonly protocol: string
  readonly allowedRoutes?: { readonly namespaces?: { readonly from?: string } }
  readonly tls?: { readonly mode?: string; readonly certificateRefs?: readonly Reference[] }
}
type Metric = Readonly<Record<'resource' | 'containerResource', { readonly target: { readonly averageUtilization?: number } } | undefined>>

/** What the rules read of each kind; all of the rest is the schema's. */
type Specs = {
  Deployment: {
    readonly paused?: boolean
    readonly revisionHistoryLimit?: number
    readonly replicas?: number
    readonly selector: Selector
    readonly template: PodTemplate
    readonly minReadySeconds?: number
    readonly progressDeadlineSeconds?: number
    readonly strategy?: {
      readonly type?: string
      readonly rollingUpdate?: { readonly maxUnavailable?: number | string; readonly maxSurge?: number | string }
    }
  }
  StatefulSet: { readonly replicas?: number; readonly selector: Selector; readonly template: PodTemplate }
  Job: { readonly activeDeadlineSeconds?: number; readonly backoffLimit?: number; readonly template: PodTemplate }
  Service: {
    readonly type?: string
    readonly clusterIP?: string
    readonly selector?: Labels
    readonly ports: readonly { readonly name?: string; readonly port: number; readonly targetPort?: number | string }[]
  }
  PodDisruptionBudget: {
    readonly selector: Selector
    readonly maxUnavailable?: number | string
    readonly minAvailable?: number | string
    readonly unhealthyPodEvictionPolicy?: string
  }
  HorizontalPodAutoscaler: {
    readonly scaleTargetRef: ScaleTarget
    readonly minReplicas?: number
    readonly maxReplicas: number
    readonly metrics?: readonly Metric[]
  }
  ScaledObject: {
    readonly scaleTargetRef: ScaleTarget
    readonly minReplicaCount?: number
    readonly maxReplicaCount?: number
    readonly triggers: readonly {
      readonly type: string
      readonly metricType?: string
      readonly metadata: Readonly<Record<string, string>>
    }[]
  }
  NetworkPolicy: {
    readonly podSelector: Selector
    readonly policyTypes?: readonly string[]
    readonly egress?: readonly { readonly to?: readonly PolicyPeer[]; readonly ports?: readonly PolicyPort[] }[]
    readonly ingress?: readonly { readonly from?: readonly PolicyPeer[]; readonly ports?: readonly PolicyPort[] }[]
  }
  HTTPRoute: Route<HttpRule>
  GRPCRoute: Route<GrpcRule>
  Gateway: { readonly listeners: readonly Listener[] }
  BackendTLSPolicy: {
    readonly targetRefs: readonly { readonly name: string; readonly sectionName?: string }[]
    readonly validation: { readonly hostname: string; readonly caCertificateRefs?: readonly Reference[] }
  }
  /** Envoy Gateway's. */
  BackendTrafficPolicy: {
    readonly targetRefs?: readonly { readonly kind: string; readonly name: string }[]
    readonly timeout?: { readonly http?: { readonly requestTimeout?: string; readonly connectionIdleTimeout?: string } }
  }
  /** cert-manager's. */
  Certificate: { readonly secretName: string; readonly dnsNames?: readonly string[] }
  PodMonitor: {
    readonly selector: Selector
    readonly podMetricsEndpoints: readonly { readonly port?: string; readonly portNumber?: number; readonly path?: string }[]
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
