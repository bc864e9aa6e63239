import type { Mistake } from './mistake.ts'

const pod = 'spec.template.spec'
const main = `${pod}.containers.0`

export const mistakesInPods: readonly Mistake[] = [
  {
    name: 'a field with a typing error, deep inside',
    rule: 'schema',
    says: /spec\.template\.spec\.containers\[0\]\.readinessProbe\.periodSecond is a field/,
    plant: (house) => house.set('Deployment', 'auth', `${main}.readinessProbe.periodSecond`, 2),
  },
  {
    name: 'a value of the wrong type',
    rule: 'schema',
    says: /minReadySeconds/,
    plant: (house) => house.set('Deployment', 'auth', 'spec.minReadySeconds', 'five'),
  },
  {
    name: 'a required field that is missing',
    rule: 'schema',
    says: /selector/,
    plant: (house) => house.set('Deployment', 'auth', 'spec.selector', undefined),
  },
  {
    name: 'a resource that nobody knows',
    rule: 'schema',
    says: /apps\/v1\/Deploymint is no resource/,
    plant: (house) => house.put({ apiVersion: 'apps/v1', kind: 'Deploymint', metadata: { name: 'x' }, spec: {} }),
  },
  {
    name: 'a field in the wrong place of a route',
    rule: 'schema',
    says: /spec\.timeouts is a field/,
    plant: (house) => house.set('HTTPRoute', 'auth', 'spec.timeouts', { request: '1s' }),
  },
  {
    name: 'an unknown field in an object of KEDA',
    rule: 'schema',
    house: 'production-keda',
    says: /spec\.minReplicas is a field/,
    plant: (house) => house.set('ScaledObject', 'auth', 'spec.minReplicas', 2),
  },
  {
    name: 'an unknown field in an object of the Prometheus operator',
    rule: 'schema',
    says: /spec\.podMetricsEndpoints\[0\]\.intervall is a field/,
    plant: (house) => house.set('PodMonitor', 'gatehouse', 'spec.podMetricsEndpoints.0.intervall', '15s'),
  },
  {
    name: 'the tag latest',
    rule: 'images',
    says: /latest/,
    plant: (house) => house.set('Deployment', 'auth', `${main}.image`, `ghcr.io/gatehouse/auth:latest@sha256:${'0'.repeat(64)}`),
  },
  {
    name: 'an image without a tag',
    rule: 'images',
    says: /latest/,
    plant: (house) => house.set('Deployment', 'auth', `${main}.image`, 'ghcr.io/gatehouse/auth'),
  },
  {
    name: 'an image without a digest',
    rule: 'images',
    says: /has no digest/,
    plant: (house) => house.set('Job', 'auth-migrate-0.1.0', `${main}.image`, 'ghcr.io/gatehouse/auth:0.1.0'),
  },
  {
    name: 'a migration of another build than the service',
    rule: 'images',
    says: /auth runs .* and /,
    plant: (house) => house.set('Job', 'auth-migrate-0.1.0', `${main}.image`, `ghcr.io/gatehouse/auth:0.1.0@sha256:${'1'.repeat(64)}`),
  },
  {
    name: 'a root that can be written to',
    rule: 'restricted',
    says: /lacks readOnlyRootFilesystem/,
    plant: (house) => house.set('Deployment', 'user', `${main}.securityContext.readOnlyRootFilesystem`, false),
  },
  {
    name: 'a user whom the machine may know',
    rule: 'restricted',
    says: /lacks runAsUser above 10000/,
    plant: (house) => house.set('Deployment', 'user', `${pod}.securityContext.runAsUser`, 1000),
  },
  {
    name: 'a pod that may be root',
    rule: 'restricted',
    says: /lacks runAsNonRoot/,
    plant: (house) => house.set('Job', 'user-migrate-0.1.0', `${pod}.securityContext.runAsNonRoot`, undefined),
  },
  {
    name: 'a capability that is kept',
    rule: 'restricted',
    says: /lacks capabilities\.drop/,
    plant: (house) => house.set('Deployment', 'user', `${main}.securityContext.capabilities.drop.0`, 'NET_RAW'),
  },
  {
    name: 'no seccomp profile',
    rule: 'restricted',
    says: /lacks seccompProfile/,
    plant: (house) => house.set('Deployment', 'console', `${pod}.securityContext.seccompProfile`, undefined),
  },
  {
    name: 'privileges that can grow',
    rule: 'restricted',
    says: /lacks allowPrivilegeEscalation/,
    plant: (house) => house.set('Deployment', 'console', `${main}.securityContext.allowPrivilegeEscalation`, undefined),
  },
  {
    name: 'a folder of the machine',
    rule: 'restricted',
    says: /mounts host from its machine/,
    plant: (house) => house.add('Deployment', 'user', `${pod}.volumes`, { name: 'host', hostPath: { path: '/' } }),
  },
  {
    name: 'a namespace that enforces nothing',
    rule: 'restricted',
    says: /does not enforce/,
    plant: (house) => house.set('Namespace', 'gatehouse', 'metadata.labels', {}),
  },
  {
    name: 'more memory than was requested',
    rule: 'resources',
    says: /requests 768Mi of memory and is limited to 1Gi/,
    plant: (house) => house.set('Deployment', 'auth', `${main}.resources.limits.memory`, '1Gi'),
  },
  {
    name: 'a container without resources',
    rule: 'resources',
    says: /requests no cpu/,
    plant: (house) => house.set('Job', 'auth-migrate-0.1.0', `${main}.resources`, undefined),
  },
  {
    name: 'no startup probe',
    rule: 'probes',
    says: /has no startupProbe/,
    plant: (house) => house.set('Deployment', 'auth', `${main}.startupProbe`, undefined),
  },
  {
    name: 'liveness that asks whether it is ready',
    rule: 'probes',
    says: /livenessProbe asks \/readyz/,
    plant: (house) => house.set('Deployment', 'auth', `${main}.livenessProbe.httpGet.path`, '/readyz'),
  },
  {
    name: 'a probe at the web door',
    rule: 'probes',
    says: /readinessProbe asks port web/,
    plant: (house) => house.set('Deployment', 'auth', `${main}.readinessProbe.httpGet.port`, 'web'),
  },
  {
    name: 'a door at another port than the manifest opens',
    rule: 'probes',
    says: /its port grpc is 9000, and GRPC_PORT 9001/,
    plant: (house) => house.env('auth', 'GRPC_PORT', '9001'),
  },
  {
    name: 'a pod that is killed while it drains',
    rule: 'grace',
    says: /is killed after 25 s/,
    plant: (house) => house.set('Deployment', 'auth', `${pod}.terminationGracePeriodSeconds`, 25),
  },
  {
    name: 'a drain that was made longer, and the grace not',
    rule: 'grace',
    says: /a drain of 120 s/,
    plant: (house) => house.env('auth', 'DRAIN_TIMEOUT', '2m'),
  },
  {
    name: 'no pause before the end',
    rule: 'grace',
    says: /no preStop sleep/,
    plant: (house) => house.set('Deployment', 'console', `${main}.lifecycle`, undefined),
  },
]
