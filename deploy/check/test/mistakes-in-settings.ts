import type { Mistake } from './mistake.ts'

const pod = 'spec.template.spec'
const main = `${pod}.containers.0`

export const mistakesInSettings: readonly Mistake[] = [
  {
    name: 'a variable with a typing error',
    rule: 'environment',
    says: /sets NATS_REPLICA, which auth does not read/,
    plant: (house) => house.env('auth', 'NATS_REPLICA', '3'),
  },
  {
    name: "another service's variable",
    rule: 'environment',
    says: /sets SMTP_URL, which user does not read/,
    plant: (house) => house.env('user', 'SMTP_URL', 'smtp://mail.example.com'),
  },
  {
    name: 'a required variable that is missing',
    rule: 'environment',
    says: /does not set MAIL_FROM, which notification needs/,
    plant: (house) => house.env('notification', 'MAIL_FROM', undefined),
  },
  {
    name: 'a secret file that is missing',
    rule: 'environment',
    says: /does not set AUTH_CHALLENGE_KEY/,
    plant: (house) => house.env('auth', 'AUTH_CHALLENGE_KEY_FILE', undefined),
  },
  {
    name: 'a value that the service refuses',
    rule: 'environment',
    says: /would not start: DRAIN_TIMEOUT has to be a length of time/,
    plant: (house) => house.env('user', 'DRAIN_TIMEOUT', '20'),
  },
  {
    name: 'production without TLS',
    rule: 'environment',
    says: /would not start: GRPC_TLS_CERT_FILE is/,
    plant: (house) => {
      house.env('user', 'GRPC_TLS_CERT_FILE', undefined)
      house.env('user', 'GRPC_TLS_KEY_FILE', undefined)
    },
  },
  {
    name: 'a public address in plaintext',
    rule: 'environment',
    says: /PUBLIC_ORIGIN has to be https/,
    plant: (house) => house.env('auth', 'PUBLIC_ORIGIN', 'http://id.example.com'),
  },
  {
    name: 'an environment from elsewhere',
    rule: 'environment',
    says: /takes its environment from elsewhere/,
    plant: (house) => house.set('Deployment', 'user', `${main}.envFrom`, [{ secretRef: { name: 'user-secrets' } }]),
  },
  {
    name: 'an origin that one service has and another not',
    rule: 'settings',
    says: /^Deployment notification: PUBLIC_ORIGIN is https:\/\/other\.example\.com, and https:\/\/id\.example\.com in Deployment auth/,
    plant: (house) => house.env('notification', 'PUBLIC_ORIGIN', 'https://other.example.com'),
  },
  {
    name: 'an origin that the first service has and the others not',
    rule: 'settings',
    says: /^Deployment auth: PUBLIC_ORIGIN is https:\/\/other\.example\.com, and https:\/\/id\.example\.com in Deployment notification/,
    plant: (house) => house.env('auth', 'PUBLIC_ORIGIN', 'https://other.example.com'),
  },
  {
    name: 'a proxy that one service does not believe',
    rule: 'settings',
    says: /^Deployment notification: TRUSTED_PROXIES is .*, and .* in Deployment auth/,
    plant: (house) => house.env('notification', 'TRUSTED_PROXIES', undefined),
  },
  {
    name: 'copies of a stream that one service does without',
    rule: 'settings',
    says: /^Job notification-migrate-0\.1\.0: NATS_REPLICAS is 1, and 3 in Job auth-migrate-0\.1\.0/,
    plant: (house) => house.set('Job', 'notification-migrate-0.1.0', `${main}.env`, [{ name: 'NATS_REPLICAS', value: '1' }]),
  },
  {
    name: 'a mesh that one service believes in',
    rule: 'settings',
    says: /TLS_BY_MESH is 1, and false in Deployment auth/,
    plant: (house) => house.env('user', 'TLS_BY_MESH', '1'),
  },
  {
    name: 'a proxy that everybody is',
    rule: 'settings',
    says: /TRUSTED_PROXIES is 0\.0\.0\.0\/0: everybody may say/,
    plant: (house) => house.env('auth', 'TRUSTED_PROXIES', '0.0.0.0/0'),
  },
  {
    name: 'a proxy that everybody is, in halves beside a real one',
    rule: 'settings',
    says: /TRUSTED_PROXIES is 2000::\/3: everybody may say/,
    plant: (house) => house.env('auth', 'TRUSTED_PROXIES', '10.0.0.0/8, 2000::/3'),
  },
  {
    name: 'a proxy by its name',
    rule: 'settings',
    says: /TRUSTED_PROXIES has gateway, which is no address/,
    plant: (house) => house.env('auth', 'TRUSTED_PROXIES', 'gateway'),
  },
  {
    name: 'a mode for one machine in production',
    rule: 'settings',
    says: /^Deployment user: runs in the mode local, which takes weak secrets/,
    plant: (house) => house.env('user', 'GATEHOUSE_MODE', 'local'),
  },
  {
    name: 'a secret that stays as it was when it changes',
    rule: 'files',
    says: /mounts DATABASE_URL alone at \/etc\/gatehouse\/secrets/,
    plant: (house) => house.set('Deployment', 'auth', `${main}.volumeMounts.2.subPath`, 'DATABASE_URL'),
  },
  {
    name: 'a file where nothing is mounted',
    rule: 'files',
    says: /REQUEST_KEY_FILE is \/etc\/elsewhere\/key, where nothing is mounted/,
    plant: (house) => house.env('user', 'REQUEST_KEY_FILE', '/etc/elsewhere/key'),
  },
  {
    name: 'a file that its ConfigMap does not have',
    rule: 'files',
    says: /has no keys\.json/,
    plant: (house) => house.env('user', 'WORKLOAD_JWKS_FILE', '/etc/gatehouse/workloads/keys.json'),
  },
  {
    name: 'a mount that nothing reads',
    rule: 'files',
    says: /mounts \/etc\/gatehouse\/trust, which no variable/,
    plant: (house) => house.env('user', 'NODE_EXTRA_CA_CERTS', undefined),
  },
  {
    name: 'a mount that can be written to',
    rule: 'files',
    says: /to write to/,
    plant: (house) => house.set('Deployment', 'user', `${main}.volumeMounts.0.readOnly`, undefined),
  },
  {
    name: 'a key in the environment',
    rule: 'secrets',
    says: /REQUEST_KEY is a secret/,
    plant: (house) => house.env('user', 'REQUEST_KEY', 'a2V5IG9mIHRoaXJ0eS10d28gYnl0ZXMgaW4gYmFzZTY0'),
  },
  {
    name: 'a password in an address',
    rule: 'secrets',
    says: /OTLP_ENDPOINT holds a secret/,
    plant: (house) => house.env('user', 'OTLP_ENDPOINT', 'http://me:hunter2hunter2@collector.observability:4318'),
  },
  {
    name: 'a Secret in the environment',
    rule: 'secrets',
    says: /puts a Secret into the environment/,
    plant: (house) =>
      house.add('Deployment', 'user', `${main}.env`, {
        name: 'REQUEST_KEY',
        valueFrom: { secretKeyRef: { name: 'user-secrets', key: 'REQUEST_KEY' } },
      }),
  },
  {
    name: 'a private key in a ConfigMap',
    rule: 'secrets',
    says: /jwks\.json holds a secret/,
    plant: (house) => house.text('ConfigMap', 'gatehouse-workloads', 'jwks.json', () => '{"keys": [{"kty": "EC", "d": "c2VjcmV0"}]}'),
  },
  {
    name: "another service's Secret",
    rule: 'secrets',
    says: /is auth-secrets, another's Secret/,
    plant: (house) => house.add('Deployment', 'user', `${pod}.volumes`, { name: 'more', secret: { secretName: 'auth-secrets' } }),
  },
  {
    name: 'a Secret that is committed',
    rule: 'secrets',
    says: /is a Secret with its values/,
    plant: (house) =>
      house.put({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'user-secrets' },
        spec: undefined,
        stringData: { REQUEST_KEY: 'x' },
      }),
  },
  {
    name: 'a key that is read from a ConfigMap',
    rule: 'secrets',
    says: /REQUEST_KEY_FILE is a file of workloads, which is no Secret/,
    plant: (house) => house.env('user', 'REQUEST_KEY_FILE', '/etc/gatehouse/workloads/jwks.json'),
  },
  {
    name: "a token for the cluster's API",
    rule: 'tokens',
    says: /mounts a token for the API$/,
    plant: (house) => house.set('Deployment', 'user', `${pod}.automountServiceAccountToken`, undefined),
  },
  {
    name: 'an account that hands out tokens by default',
    rule: 'tokens',
    says: /by default/,
    plant: (house) => house.set('ServiceAccount', 'user', 'automountServiceAccountToken', true),
  },
  {
    name: 'a service that runs as another',
    rule: 'tokens',
    says: /runs as auth, not as user/,
    plant: (house) => house.set('Deployment', 'user', `${pod}.serviceAccountName`, 'auth'),
  },
  {
    name: 'a token for nobody it calls',
    rule: 'tokens',
    says: /carries a token for everybody/,
    plant: (house) => house.tokens('user', () => [{ serviceAccountToken: { audience: 'everybody', path: 'everybody' } }]),
  },
  {
    name: 'no token for a service that it calls',
    rule: 'tokens',
    says: /carries no token for user/,
    plant: (house) => house.tokens('notification', (sources) => sources.filter((source) => !JSON.stringify(source).includes('"user"'))),
  },
  {
    name: 'an account that is believed and does not exist',
    rule: 'tokens',
    says: /believes system:serviceaccount:gatehouse:guest to be auth/,
    plant: (house) =>
      house.text('ConfigMap', 'gatehouse-workloads', 'clusters.json', (text) => text.replace('gatehouse:auth"', 'gatehouse:guest"')),
  },
  {
    name: 'a token that is good for years',
    rule: 'tokens',
    says: /carries a token for user that is good for 8760 hours/,
    plant: (house) =>
      house.tokens('auth', () => [{ serviceAccountToken: { audience: 'user', path: 'user', expirationSeconds: 31_536_000 } }]),
  },
  {
    name: 'a cluster whose keys are elsewhere',
    rule: 'tokens',
    says: /has the keys of .* in \/etc\/gatehouse\/workloads\/other\.json, which is none of its files/,
    plant: (house) =>
      house.text('ConfigMap', 'gatehouse-workloads', 'clusters.json', (text) => text.replace('cluster-jwks.json', 'other.json')),
  },
  {
    name: 'a cluster without its issuer',
    rule: 'tokens',
    says: /has a cluster without its issuer/,
    plant: (house) =>
      house.text('ConfigMap', 'gatehouse-workloads', 'clusters.json', (text) =>
        text.replace('https://kubernetes.default.svc.cluster.local', ''),
      ),
  },
]
