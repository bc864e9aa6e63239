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
    rule: 'metrics',
    says: /PodMonitor gatehouse: does not ask Deployment console/,
    plant: (house) => house.set('PodMonitor', 'gatehouse', 'spec.selector.matchLabels', { [name]: 'auth' }),
  },
  {
    name: 'metrics at a port that is not there',
    rule: 'metrics',
    says: /asks port prometheus/,
    plant: (house) => house.set('PodMonitor', 'gatehouse', 'spec.podMetricsEndpoints.0.port', 'prometheus'),
  },
  {
    name: 'metrics at a path that no program has',
    rule: 'metrics',
    says: /asks for \/metric, which no program answers/,
    plant: (house) => house.set('PodMonitor', 'gatehouse', 'spec.podMetricsEndpoints.0.path', '/metric'),
  },
  {
    name: 'metrics at another door',
    rule: 'metrics',
    says: /asks port web of Deployment auth, where no metrics are/,
    plant: (house) => house.set('PodMonitor', 'gatehouse', 'spec.podMetricsEndpoints.0.port', 'web'),
  },
  {
    name: 'a selector by expressions',
    rule: 'selectors',
    says: /selects by expressions/,
    plant: (house) => house.set('NetworkPolicy', 'auth', 'spec.podSelector.matchExpressions', [{ key: name, operator: 'Exists' }]),
  },
  {
    name: 'a ServiceAccount in another namespace than its pods',
    rule: 'homes',
    says: /^ServiceAccount auth: is in default, and the pods of auth in gatehouse/,
    plant: (house) => house.set('ServiceAccount', 'auth', 'metadata.namespace', 'default'),
  },
  {
    name: 'a peer that is called at one address',
    rule: 'balancing',
    says: /^Deployment auth: its USER_URL is user, one address for all pods/,
    plant: (house) => house.env('auth', 'USER_URL', 'user:9000'),
  },
  {
    name: 'a headless Service that has an address',
    rule: 'balancing',
    says: /its AUTH_URL is auth-headless, one address/,
    plant: (house) => house.set('Service', 'auth-headless', 'spec.clusterIP', undefined),
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
    name: 'a way to Postgres that leads to everybody',
    rule: 'egress',
    says: /^Deployment user: may reach anybody:5432, and of that it calls outside:5432 \(DATABASE_URL\) only$/,
    plant: (house) => house.set('NetworkPolicy', 'user', 'spec.egress.2.to', [{ namespaceSelector: {} }]),
  },
  {
    name: 'a way to Postgres at every port',
    rule: 'egress',
    says: /^Deployment user: may reach namespace postgres:any, and of that it calls/,
    plant: (house) => house.set('NetworkPolicy', 'user', 'spec.egress.2.ports', undefined),
  },
  {
    name: 'the internet in two halves',
    rule: 'egress',
    says: /Deployment user: may reach internet:443, which it does not call/,
    plant: (house) =>
      house.add('NetworkPolicy', 'user', 'spec.egress', {
        to: [{ ipBlock: { cidr: '0.0.0.0/1' } }, { ipBlock: { cidr: '128.0.0.0/1' } }],
        ports: port(443),
      }),
  },
  {
    name: 'a way to Postgres and to whatever else is there',
    rule: 'egress',
    says: /Deployment user: may reach namespace postgres:any/,
    plant: (house) => house.set('NetworkPolicy', 'user', 'spec.egress.2.ports.0.endPort', 65535),
  },
  {
    name: 'a way to Postgres by another protocol',
    rule: 'egress',
    says: /calls outside:5432 \(DATABASE_URL\), and no policy lets it/,
    plant: (house) => house.set('NetworkPolicy', 'user', 'spec.egress.2.ports.0.protocol', 'UDP'),
  },
  {
    name: 'a policy that says nothing of the ways that it lists',
    rule: 'egress',
    says: /calls outside:5432 \(DATABASE_URL\), and no policy lets it/,
    plant: (house) => house.set('NetworkPolicy', 'user', 'spec.policyTypes', ['Ingress']),
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
  {
    name: 'a Service that leads past the gateway',
    rule: 'isolation',
    says: /^Service auth: is a LoadBalancer: a way in past the gateway/,
    plant: (house) => house.set('Service', 'auth', 'spec.type', 'LoadBalancer'),
  },
]
