import type { DescService } from '@bufbuild/protobuf'
import { type Client, createClient, type Transport } from '@connectrpc/connect'
import { readConfig } from '@gatehouse/config'
import { createWorkloadSigner, type IssuerRecord } from '@gatehouse/identity'
import { connect } from '@gatehouse/postgres'
import { peerTransport } from '@gatehouse/rpc'
import { type App, migrationsOf } from '@gatehouse/service'
import { type TestNats, testDatabase, testNats, workloadKeys } from '@gatehouse/testkit'
import { createApp } from '../src/app.ts'
import { rules, variables } from '../src/config.ts'
import type { Db } from '../src/core/deps.ts'
import { listIssuers } from '../src/core/tenants/list-issuers.ts'
import { migrations } from '../src/store/migrations/index.ts'
import type { Schema } from '../src/store/schema.ts'
import { openPeopleDoor } from './people-door.ts'
import type { PeopleStandIn } from './people-stand-in.ts'

export type WorkloadName = 'user' | 'notification' | 'billing'

/** The auth service with everything around it that is real, and the user service's part played by a stand-in behind a real gRPC door. */
export interface Story extends AsyncDisposable {
  readonly app: App
  readonly people: PeopleStandIn
  readonly nats: TestNats
  readonly db: Db
  /** The service's environment, for its commands. */
  readonly environment: Readonly<Record<string, string>>
  /** Of the superuser, to look from outside. */
  readonly adminDatabaseUrl: string
  /** Another replica on the same database. */
  startReplica(variables?: Record<string, string>): Promise<App>
  /** Over gRPC with these headers, as a workload where one is named. */
  grpc<S extends DescService>(service: S, headers?: Record<string, string>, workload?: WorkloadName, app?: App): Promise<Client<S>>
}

const workloads = ['auth', 'user', 'notification', 'billing']

export async function openStory(given: Readonly<Record<string, string>> = {}): Promise<Story> {
  await using parts = new AsyncDisposableStack()
  const keys = parts.use(await workloadKeys(workloads))
  const database = parts.use(await testDatabase({ service: 'auth', sets: migrationsOf(migrations) }))
  const { kysely: db } = parts.use(connect<Schema>({ url: database.url, poolSize: 3 }))
  const nats = parts.use(await testNats())
  const issuers = (): Promise<IssuerRecord[]> => listIssuers({ db, now: Date.now })
  const door = parts.use(await openPeopleDoor(keys.jwksFile, issuers))
  const environment = {
    GATEHOUSE_MODE: 'test',
    PUBLIC_ORIGIN: 'http://localhost:8080',
    LISTEN_HOST: '127.0.0.1',
    GRPC_PORT: '0',
    WEB_PORT: '0',
    METRICS_PORT: '0',
    DATABASE_URL: database.url,
    NATS_URL: nats.url,
    WORKLOAD_KEY_FILE: keys.fileOf('auth'),
    WORKLOAD_JWKS_FILE: keys.jwksFile,
    USER_URL: `127.0.0.1:${door.port}`,
    REQUEST_KEY: Buffer.alloc(32, 7).toString('base64'),
    AUTH_KEY_ENCRYPTION_KEY: Buffer.alloc(32, 8).toString('base64'),
    AUTH_CHALLENGE_KEY: Buffer.alloc(32, 9).toString('base64'),
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'error',
    ...given,
  }
  const replicas = parts.use(new AsyncDisposableStack())
  const startReplica: Story['startReplica'] = async (changed = {}) =>
    replicas.use(await createApp(readConfig(variables, { ...environment, ...changed }, rules)))
  const app = await startReplica()
  const clients = parts.use(new AsyncDisposableStack())
  const owned = parts.move()
  return {
    app,
    people: door.people,
    nats,
    db,
    environment,
    adminDatabaseUrl: database.adminUrl,
    startReplica,
    async grpc(service, headers = {}, workload, of = app) {
      const signer = workload && (await createWorkloadSigner(keys.fileOf(workload)))
      const transport = clients.use(peerTransport({ target: 'auth', url: `127.0.0.1:${of.ports.grpc}`, ...(signer && { signer }) }))
      return createClient(service, withHeaders(transport, headers))
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function withHeaders(transport: Transport, headers: Record<string, string>): Transport {
  const merged = (header: HeadersInit | undefined) => ({ ...headers, ...Object.fromEntries(new Headers(header)) })
  return {
    unary: (method, signal, timeoutMs, header, input) => transport.unary(method, signal, timeoutMs, merged(header), input),
    stream: (method, signal, timeoutMs, header, input) => transport.stream(method, signal, timeoutMs, merged(header), input),
  }
}
