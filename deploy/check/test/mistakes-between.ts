import type { Mistake } from './mistake.ts'

const pod = 'spec.template.spec'
const name = 'app.kubernetes.io/name'
const port = (number: number) => [{ port: number, protocol: 'TCP' }]
const namespace = (called: string) => [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': called } } }]
const pods = (called: string) => [{ podSelector: { matchLabels: { 'app.kubernetes.io/component': 'service', [name]: called } } }]

export const mistakesBetween: readonly Mistake[] = [
  {
    name: 'a Service that selects no pod',
    rule: 'selectors',
    says: /^Service auth: selects no pod/,
    plant: (house) => house.set('Service', 'auth', `spec.selector`, { [name]: 'auht' }),
  },
  {
    name: 'a Service that sends calls to a migration',
    rule: 'selectors',
    says: /sends calls to Job/,
    plant: (house) => house.set('Service', 'auth', 'spec.selector', { [name]: 'auth' }),
  },
  {
    name: 'a Service with a port that its pods do not have',
    rule: 'selectors',
    says: /its port web is http, which Deployment auth does not have/,
    plant: (house) => house.set('Service', 'auth', 'spec.ports.1.targetPort', 'http'),
  },
  {
    name: "a Deployment that takes another's pods for its own",
    rule: 'selectors',
    says: /selects the pods of Deployment user too/,
    plant: (house) => house.set('Deployment', 'auth', 'spec.selector.matchLabels', { 'app.kubernetes.io/component': 'service' }),
  },
  {
    name: 'a spread by labels that no pod has',
    rule: 'selectors',
    says: /spread by labels/,
    plant: (house) => house.set('Deployment', 'auth', `${pod}.topologySpreadConstraints.0.labelSelector.matchLabels`, { app: 'auth' }),
  },
  {
    name: 'a service that nobody measures',
    rule: 'selectors',
    says: /PodMonitor gatehouse: does not ask Deployment console/,
    plant: (house) => house.set('PodMonitor', 'gatehouse', 'spec.selector.matchLabels', { [name]: 'auth' }),
  },
  {
    name: 'metrics at a port that is not there',
    rule: 'selectors',
    says: /asks port prometheus/,
    plant: (house) => house.set('PodMonitor', 'gatehouse', 'spec.podMetricsEndpoints.0.port', 'prometheus'),
  },
  {
    name: 'a selector by expressions',
    rule: 'selectors',
    says: /selects by expressions/,
    plant: (house) => house.set('NetworkPolicy', 'auth', 'spec.podSelector.matchExpressions', [{ key: name, operator: 'Exists' }]),
  },
  {
    name: 'a route to a Service that does not exist',
    rule: 'routes',
    says: /leads to auth-web, which is no Service/,
    plant: (house) => house.set('HTTPRoute', 'auth', 'spec.rules.0.backendRefs.0.name', 'auth-web'),
  },
  {
    name: 'a route to a port that does not exist',
    rule: 'routes',
    says: /leads to port 80 of auth/,
    plant: (house) => house.set('HTTPRoute', 'auth', 'spec.rules.0.backendRefs.0.port', 80),
  },
  {
    name: 'a route of gRPC to the web door',
    rule: 'routes',
    says: /leads to web of auth, not to grpc/,
    plant: (house) => house.set('GRPCRoute', 'auth', 'spec.rules.0.backendRefs.0.port', 8080),
  },
  {
    name: 'a route at a listener that does not exist',
    rule: 'routes',
    says: /hangs on gatehouse\/https, which is no listener/,
    plant: (house) => house.set('HTTPRoute', 'user', 'spec.parentRefs.0.sectionName', 'https'),
  },
  {
    name: 'a route for another host than its listener',
    rule: 'routes',
    says: /is for www\.example\.com/,
    plant: (house) => house.set('HTTPRoute', 'user', 'spec.hostnames.0', 'www.example.com'),
  },
  {
    name: 'TLS towards a port that does not exist',
    rule: 'routes',
    says: /is about https of auth/,
    plant: (house) => house.set('BackendTLSPolicy', 'auth-grpc', 'spec.targetRefs.0.sectionName', 'https'),
  },
  {
    name: 'a number of replicas beside an autoscaler',
    rule: 'scaling',
    says: /each apply would undo the other/,
    plant: (house) => house.set('Deployment', 'auth', 'spec.replicas', 3),
  },
  {
    name: 'two who decide about replicas',
    rule: 'scaling',
    says: /is scaled by HorizontalPodAutoscaler auth and ScaledObject auth/,
    house: 'production-keda',
    plant: (house) =>
      house.put({
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name: 'auth', namespace: 'gatehouse' },
        spec: { scaleTargetRef: { kind: 'Deployment', name: 'auth' }, minReplicas: 2, maxReplicas: 3 },
      }),
  },
  {
    name: 'nobody who decides about replicas',
    rule: 'scaling',
    says: /nobody says how many/,
    plant: (house) => house.drop('HorizontalPodAutoscaler', 'auth'),
  },
  {
    name: 'an autoscaler of nobody',
    rule: 'scaling',
    says: /is about oauth, which is no Deployment/,
    plant: (house) => house.set('HorizontalPodAutoscaler', 'auth', 'spec.scaleTargetRef.name', 'oauth'),
  },
  {
    name: 'an autoscaler that leaves one replica',
    rule: 'scaling',
    says: /goes down to 1/,
    plant: (house) => house.set('HorizontalPodAutoscaler', 'auth', 'spec.minReplicas', 1),
  },
  {
    name: 'a stream that no service has',
    rule: 'scaling',
    house: 'production-keda',
    says: /waits for the stream gatehouse-users/,
    plant: (house) => house.set('ScaledObject', 'notification', 'spec.triggers.1.metadata.stream', 'gatehouse-users'),
  },
  {
    name: 'a budget that lets no machine be emptied',
    rule: 'disruption',
    says: /lets none of 2 pods go/,
    plant: (house) => {
      house.set('PodDisruptionBudget', 'auth', 'spec.maxUnavailable', undefined)
      house.set('PodDisruptionBudget', 'auth', 'spec.minAvailable', 2)
    },
  },
  {
    name: 'a budget that lets all go at once',
    rule: 'disruption',
    says: /lets all 2 pods go/,
    plant: (house) => house.set('PodDisruptionBudget', 'auth', 'spec.maxUnavailable', 2),
  },
  {
    name: 'a budget of nobody',
    rule: 'disruption',
    says: /is about 0 Deployments/,
    plant: (house) => house.set('PodDisruptionBudget', 'auth', 'spec.selector.matchLabels', { app: 'auth' }),
  },
  {
    name: 'a budget that keeps broken pods',
    rule: 'disruption',
    says: /keeps pods that are broken/,
    plant: (house) => house.set('PodDisruptionBudget', 'auth', 'spec.unhealthyPodEvictionPolicy', undefined),
  },
  {
    name: 'a service without a budget',
    rule: 'disruption',
    says: /Deployment console: has 0 budgets/,
    plant: (house) => house.drop('PodDisruptionBudget', 'console'),
  },
  {
    name: 'a way out that no program needs',
    rule: 'egress',
    says: /Deployment user: may reach notification:9000, which it does not call/,
    plant: (house) => house.add('NetworkPolicy', 'user', 'spec.egress', { to: pods('notification'), ports: port(9000) }),
  },
  {
    name: "another's cache",
    rule: 'egress',
    says: /may reach namespace redis:6379/,
    plant: (house) => house.add('NetworkPolicy', 'user', 'spec.egress', { to: namespace('redis'), ports: port(6379) }),
  },
  {
    name: 'a service that reaches the internet and has no reason to',
    rule: 'egress',
    says: /Deployment user: may reach internet:443/,
    plant: (house) =>
      house.add('NetworkPolicy', 'user', 'spec.egress', {
        to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16'] } }],
        ports: port(443),
      }),
  },
  {
    name: 'an internet that begins at home',
    rule: 'egress',
    says: /counts 10\.0\.0\.0\/8 as the internet/,
    plant: (house) =>
      house.add('NetworkPolicy', 'auth', 'spec.egress', {
        to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16'] } }],
        ports: port(443),
      }),
  },
  {
    name: 'a way out to everybody',
    rule: 'egress',
    says: /may reach anybody:any/,
    plant: (house) => house.add('NetworkPolicy', 'user', 'spec.egress', {}),
  },
  {
    name: 'a service that its caller may not reach',
    rule: 'egress',
    says: /Deployment user: calls auth:9000 \(AUTH_URL\), and no policy lets it/,
    plant: (house) => house.set('NetworkPolicy', 'user', 'spec.egress.1', undefined),
  },
  {
    name: 'a collector that was switched on and cannot be reached',
    rule: 'egress',
    says: /calls namespace tracing:4318 \(OTLP_ENDPOINT\)/,
    plant: (house) => house.env('user', 'OTLP_ENDPOINT', 'http://collector.tracing:4318'),
  },
  {
    name: 'a breach list that was switched on and cannot be reached',
    rule: 'egress',
    says: /calls internet:443 \(PASSWORD_BREACH_URL\)/,
    plant: (house) => {
      house.env('auth', 'PASSWORD_BREACH_URL', 'https://api.example.com/range')
      house.set('NetworkPolicy', 'auth', 'spec.egress.4', undefined)
    },
  },
  {
    name: 'a mail server at another port than the policy opens',
    rule: 'egress',
    says: /calls outside:2525 \(SMTP_URL\)/,
    plant: (house) => house.env('notification', 'SMTP_URL', 'smtp://mail.example.com:2525'),
  },
  {
    name: 'an address at which there is no Service',
    rule: 'egress',
    says: /calls nobody, which is what oauth:9000 is/,
    plant: (house) => house.env('user', 'AUTH_URL', 'oauth:9000'),
  },
  {
    name: 'no name server',
    rule: 'egress',
    says: /may ask no name server/,
    plant: (house) => house.set('NetworkPolicy', 'user', 'spec.egress.0', undefined),
  },
  {
    name: 'a migration that reaches the mail relay',
    rule: 'egress',
    says: /Job user-migrate-0\.1\.0: may reach namespace mail:587/,
    plant: (house) => house.add('NetworkPolicy', 'user-migration', 'spec.egress', { to: namespace('mail'), ports: port(587) }),
  },
  {
    name: 'a stand-in for Postgres that lets nobody in',
    rule: 'egress',
    house: 'kind',
    says: /Deployment user: finds namespace postgres:5432 shut/,
    plant: (house) => house.set('NetworkPolicy', 'postgres', 'spec.ingress', []),
  },
  {
    name: 'a door that its caller finds shut',
    rule: 'ingress',
    says: /Deployment auth: is called by user:9000, and no policy lets it/,
    plant: (house) => house.set('NetworkPolicy', 'auth', 'spec.ingress.0.from.0', undefined),
  },
  {
    name: 'a door that is open to whoever does not call it',
    rule: 'ingress',
    says: /Deployment notification: may be reached by auth:9000/,
    plant: (house) => house.add('NetworkPolicy', 'notification', 'spec.ingress', { from: pods('auth'), ports: port(9000) }),
  },
  {
    name: 'metrics for everybody',
    rule: 'ingress',
    says: /may be reached by anybody:9464/,
    plant: (house) => house.add('NetworkPolicy', 'auth', 'spec.ingress', { ports: port(9464) }),
  },
  {
    name: 'pages that the gateway cannot reach',
    rule: 'ingress',
    says: /Deployment console: is called by namespace gateway:8080/,
    plant: (house) => house.set('NetworkPolicy', 'console', 'spec.ingress.0', undefined),
  },
  {
    name: 'a pod that no policy is about',
    rule: 'isolation',
    says: /NetworkPolicy user-migration: is about no pod/,
    plant: (house) => house.drop('Job', 'user-migrate-0.1.0'),
  },
  {
    name: 'nothing that shuts what nobody opens',
    rule: 'isolation',
    says: /has no policy about all of its pods/,
    plant: (house) => house.drop('NetworkPolicy', 'default-deny'),
  },
]
