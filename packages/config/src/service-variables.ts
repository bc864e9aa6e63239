import type { Rule, Values } from './read-config.ts'
import { duration, flag, integer, list, oneOf, optional, origin, port, ratio, sameEverywhere, secret, text, url } from './variables.ts'

/** What every service asks of its environment. A service's own table spreads this one. */
export const serviceVariables = {
  GATEHOUSE_MODE: sameEverywhere(
    oneOf(['production', 'local', 'test'], {
      about: 'production refuses weak secrets and plaintext; local is for one machine',
      default: 'production',
    }),
  ),
  PUBLIC_ORIGIN: sameEverywhere(origin({ about: 'where the pages of the tenant `default` live, such as https://id.example.com' })),
  LISTEN_HOST: text({ about: 'address that the doors listen on', default: '0.0.0.0' }),
  GRPC_PORT: port({ about: 'gRPC door; 0 takes a free port' }),
  WEB_PORT: port({ about: 'web door; 0 takes a free port' }),
  METRICS_PORT: port({ about: '/healthz, /readyz and /metrics; 0 takes a free port' }),
  DATABASE_URL: url({ about: "Postgres, with the service's own role", protocols: ['postgres:', 'postgresql:'], secret: true }),
  DATABASE_POOL_SIZE: integer({ about: 'connections to Postgres', default: 10, min: 2, max: 500 }),
  DATABASE_NAMED_STATEMENTS: flag({ about: 'prepare statements by name; false behind a pooler that cannot carry them', default: true }),
  NATS_URL: url({
    about: "NATS, with the service's own user; several servers separated by commas",
    protocols: ['nats:', 'tls:'],
    secret: true,
    several: true,
  }),
  WORKLOAD_KEY_FILE: optional(text({ about: "the service's private key as a JWK, for its workload tokens" })),
  WORKLOAD_TOKEN_FILE: optional(
    text({ about: 'in place of a key: the token that Kubernetes projects, {peer} in the path being the service that is called' }),
  ),
  WORKLOAD_JWKS_FILE: text({ about: "every workload's public key, as a JWKS; one without keys where all tokens come from clusters" }),
  WORKLOAD_CLUSTERS_FILE: optional(
    text({ about: 'clusters whose service account tokens are believed, and which of them are our own, as JSON' }),
  ),
  WORKLOADS_UNREGISTERED: sameEverywhere(
    optional(
      oneOf(['allow', 'refuse'], {
        about: 'what becomes of a proven workload that is not registered; refuse in production, allow elsewhere unless given',
      }),
    ),
  ),
  USER_URL: optional(text({ about: 'gRPC door of the user service, host:port or dns:///host:port' })),
  AUTH_URL: optional(text({ about: 'gRPC door of the auth service, host:port' })),
  NOTIFICATION_URL: optional(text({ about: 'gRPC door of the notification service, host:port' })),
  GRPC_TLS_CERT_FILE: optional(text({ about: 'certificate chain of the gRPC door, PEM' })),
  GRPC_TLS_KEY_FILE: optional(text({ about: 'private key of the gRPC door, PEM' })),
  GRPC_TLS_CA_FILE: optional(text({ about: "certificate authority of the peers' gRPC doors, PEM" })),
  TLS_BY_MESH: sameEverywhere(
    flag({ about: 'something in front encrypts all traffic between services, Postgres and NATS', default: false }),
  ),
  TRUSTED_PROXIES: sameEverywhere(list({ about: 'addresses whose X-Forwarded-For is believed', default: [] })),
  ALLOWED_ORIGINS: sameEverywhere(
    list({ about: 'other origins whose pages may call with cookies, beside those of the tenants', default: [] }),
  ),
  REQUEST_KEY: secret({ about: 'key of the fingerprints of repeated requests, 32 bytes in base64', bytes: 32 }),
  REQUEST_KEY_PREVIOUS: optional(secret({ about: 'another key of that kind that is good too, while one replaces the other', bytes: 32 })),
  REQUESTS_KEPT: duration({ about: 'how long a request_id answers the same result; at least an hour', default: 30 * 86_400_000 }),
  LOG_LEVEL: oneOf(['debug', 'info', 'warn', 'error'], { about: 'least severe log line', default: 'info' }),
  OTLP_ENDPOINT: sameEverywhere(optional(url({ about: 'OpenTelemetry collector for traces', protocols: ['http:', 'https:'] }))),
  TRACE_SAMPLE_RATIO: ratio({ about: 'how many of the traces that begin at a door of ours are recorded, from 0 to 1', default: 0.05 }),
  DRAIN_TIMEOUT: duration({ about: 'how long calls in flight may take after SIGTERM', default: 20_000 }),
  DRAIN_IDLE: duration({
    about: 'how long after SIGTERM idle connections of the web door stay open, so that callers hear of the end by an answer',
    default: 3_000,
  }),
}

/** What `gatehouse migrate` asks of its environment, which is not that of the service: who migrates may more. */
export const migrationVariables = {
  DATABASE_URL: serviceVariables.DATABASE_URL,
  NATS_URL: optional(
    url({
      about: 'NATS, with the user that makes streams; without it the stream is left as it is',
      protocols: ['nats:', 'tls:'],
      secret: true,
      several: true,
    }),
  ),
  NATS_STREAM_BYTES: optional(
    integer({
      about: "size of the service's stream, beyond which events wait in the outbox; 1 GiB unless it has another",
      min: 1024,
      max: 2 ** 40,
    }),
  ),
  NATS_REPLICAS: sameEverywhere(
    optional(
      integer({ about: "copies of the service's stream, in a cluster of at least as many servers; 1 unless it has more", min: 1, max: 5 }),
    ),
  ),
}

/** The values of {@link serviceVariables}. */
export type ServiceConfig = Values<typeof serviceVariables>

const advice = 'or set TLS_BY_MESH=1 where something else encrypts it'
const inTheOpen = (values: ServiceConfig) => values.gatehouseMode === 'production' && !values.tlsByMesh

/** As the driver reads it: the last of several modes counts, and under libpq's rules `require` verifies nobody. */
function verifiesPostgres(databaseUrl: string): boolean {
  const { searchParams } = new URL(databaseUrl)
  const [mode = '', ...more] = searchParams.getAll('sslmode')
  return (
    /^(require|verify-ca|verify-full)$/.test(mode) && more.length === 0 && !searchParams.has('ssl') && !searchParams.has('uselibpqcompat')
  )
}

/** What has to hold between the values of {@link serviceVariables}; most of it in production mode only. */
export const serviceRules: readonly Rule<ServiceConfig>[] = [
  ({ workloadKeyFile, workloadTokenFile }) =>
    (workloadKeyFile === undefined) === (workloadTokenFile === undefined)
      ? 'WORKLOAD_KEY_FILE is missing, or WORKLOAD_TOKEN_FILE in its place: one of the two says who the service is'
      : undefined,
  ({ requestKey, requestKeyPrevious }) =>
    requestKey === requestKeyPrevious ? 'REQUEST_KEY_PREVIOUS has to be another key than REQUEST_KEY' : undefined,
  // Whoever retries for minutes has to meet their own request.
  ({ requestsKept }) => (requestsKept < 3_600_000 ? 'REQUESTS_KEPT has to be 1h or more' : undefined),
  (values) =>
    (values.grpcTlsCertFile === undefined) === (values.grpcTlsKeyFile === undefined)
      ? undefined
      : 'GRPC_TLS_CERT_FILE and GRPC_TLS_KEY_FILE go together',
  (values) =>
    values.gatehouseMode === 'production' && !values.publicOrigin.startsWith('https:')
      ? 'PUBLIC_ORIGIN has to be https in production mode'
      : undefined,
  (values) =>
    inTheOpen(values) && values.grpcTlsCertFile === undefined
      ? `GRPC_TLS_CERT_FILE is missing: production mode refuses plaintext gRPC; ${advice}`
      : undefined,
  (values) =>
    inTheOpen(values) && values.grpcTlsCaFile === undefined
      ? `GRPC_TLS_CA_FILE is missing: production mode calls no peer in plaintext; ${advice}`
      : undefined,
  (values) =>
    inTheOpen(values) && !verifiesPostgres(values.databaseUrl)
      ? `DATABASE_URL has to say sslmode=verify-full in production mode; ${advice}`
      : undefined,
  (values) =>
    inTheOpen(values) && !values.natsUrl.split(',').every((each) => each.startsWith('tls:'))
      ? `NATS_URL has to start with tls: in production mode; ${advice}`
      : undefined,
]
