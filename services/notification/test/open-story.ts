import { create, type DescMessage, type MessageInitShape } from '@bufbuild/protobuf'
import { type Client, createClient, type Transport } from '@connectrpc/connect'
import { createConnectTransport } from '@connectrpc/connect-node'
import { readConfig } from '@gatehouse/config'
import { InboxService } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import { NotificationService } from '@gatehouse/contracts/gatehouse/notification/v1/notification_service_pb'
import { addEvent, connectNats, createRelay, eventMigrations } from '@gatehouse/events'
import { createWorkloadSigner } from '@gatehouse/identity'
import { connect, transact } from '@gatehouse/postgres'
import { peerTransport } from '@gatehouse/rpc'
import { type App, migrationsOf } from '@gatehouse/service'
import { type TestNats, testDatabase, testNats, workloadKeys } from '@gatehouse/testkit'
import { v7 as uuidv7 } from 'uuid'
import { createApp } from '../src/app.ts'
import { rules, variables } from '../src/config.ts'
import { migrations } from '../src/store/migrations/index.ts'
import { type MailServer, startMailServer } from './mail-server.ts'
import type { Peers } from './peers.ts'
import { openStandInPeers, type StandInPeers, type TokenFor } from './stand-in-peers.ts'

export type Notifications = Client<typeof NotificationService>
export type Inbox = Client<typeof InboxService>

/** The notification service with everything around it that is real, and the parts of auth and user played by stand-ins. */
export interface Story extends AsyncDisposable {
  readonly app: App
  readonly mailServer: MailServer
  readonly standIn: StandInPeers
  readonly peers: Peers
  readonly nats: TestNats
  /** Starts a second replica on the same database. */
  startReplica(): Promise<App>
  /** Makes somebody known to the user service's stand-in. */
  addPerson(person?: Parameters<Peers['people']['set']>[1] & { tenant?: string }): string
  /** Over gRPC, as a workload about a tenant. */
  asWorkload(name: string, tenant?: string): Promise<Notifications>
  /** Over the web door of the person's tenant, or as nobody. */
  inBrowser(
    person?: TokenFor,
    app?: App,
  ): Promise<{ notifications: Notifications; inbox: Inbox; origin: string; token: string | undefined }>
  /** Lets auth or user tell a fact, through an outbox and a relay as they do. */
  tell<Desc extends DescMessage>(service: 'auth' | 'user', schema: Desc, message: MessageInitShape<Desc>, tenant?: string): Promise<void>
}

const hosts: Record<string, string> = { default: '127.0.0.1', acme: 'localhost' }
const workloads = ['user', 'auth', 'notification', 'billing']

/** A configuration for a test; whatever is not given is where nobody listens. */
export const configOf = (env: Record<string, string>) =>
  readConfig(
    variables,
    {
      GATEHOUSE_MODE: 'test',
      PUBLIC_ORIGIN: 'http://localhost:8080',
      LISTEN_HOST: '127.0.0.1',
      GRPC_PORT: '0',
      WEB_PORT: '0',
      METRICS_PORT: '0',
      NATS_URL: 'nats://127.0.0.1:1',
      AUTH_URL: '127.0.0.1:1',
      USER_URL: '127.0.0.1:1',
      REQUEST_KEY: Buffer.alloc(32, 7).toString('base64'),
      LOG_LEVEL: process.env.LOG_LEVEL ?? 'error',
      SMTP_URL: 'smtp://127.0.0.1:1',
      MAIL_FROM: 'Gatehouse <no-reply@example.com>',
      DRAIN_TIMEOUT: '5s',
      ...env,
    },
    rules,
  )

export async function openStory(env: Record<string, string> = {}): Promise<Story> {
  await using parts = new AsyncDisposableStack()
  const keys = parts.use(await workloadKeys(workloads))
  const database = parts.use(await testDatabase({ service: 'notification', sets: migrationsOf(migrations) }))
  const nats = parts.use(await testNats())
  const mailServer = parts.use(await startMailServer())
  const standIn = parts.use(await openStandInPeers(keys.jwksFile))
  const config = configOf({
    DATABASE_URL: database.url,
    NATS_URL: nats.url,
    WORKLOAD_KEY_FILE: keys.fileOf('notification'),
    WORKLOAD_JWKS_FILE: keys.jwksFile,
    AUTH_URL: `127.0.0.1:${standIn.authPort}`,
    USER_URL: `127.0.0.1:${standIn.userPort}`,
    SMTP_URL: `smtp://127.0.0.1:${mailServer.port}`,
    ...env,
  })
  const app = parts.use(await createApp(config))
  const originOf = (tenant: string, of = app): string => `http://${hosts[tenant]}:${of.ports.web}`
  standIn.tellOrigins(new Map(Object.keys(hosts).map((tenant) => [tenant, originOf(tenant)])))

  const clients = parts.use(new AsyncDisposableStack())
  const tellers = new Map<string, Promise<(act: Parameters<typeof transact<unknown, unknown>>[1]) => Promise<void>>>()
  const teller = async (service: string) => {
    const outbox = tellerParts.use(await testDatabase({ service: `stand-in-${service}`, sets: [eventMigrations] }))
    const { kysely: db } = tellerParts.use(connect<unknown>({ url: outbox.url }))
    const connection = tellerParts.use(connectNats({ url: nats.url, name: service }))
    const relay = tellerParts.use(createRelay({ db, nats: connection, service }))
    return async (act: Parameters<typeof transact<unknown, unknown>>[1]) => {
      await transact(db, act)
      relay.nudge()
    }
  }
  const tellerParts = parts.use(new AsyncDisposableStack())
  const owned = parts.move()

  return {
    app,
    mailServer,
    standIn,
    peers: standIn.peers,
    nats,
    startReplica: async () => clients.use(await createApp({ ...config })),
    addPerson({ tenant = 'default', ...person } = {}) {
      const id = uuidv7()
      standIn.peers.people.set(`${tenant} ${id}`, { id, name: 'Ada', email: `${id}@example.com`, ...person })
      return id
    },
    async asWorkload(name, tenant = 'default') {
      const signer = await createWorkloadSigner(keys.fileOf(name))
      const transport = clients.use(peerTransport({ target: 'notification', url: `127.0.0.1:${app.ports.grpc}`, signer }))
      return createClient(NotificationService, withHeaders(transport, { 'gatehouse-tenant': tenant }))
    },
    async inBrowser(person, of = app) {
      const token = person && (await standIn.tokenFor(person))
      // The second replica is another host: the tenant is told by the first one's name, as a gateway would pass it.
      const tenant = person?.tenant ?? 'default'
      const origin = originOf(tenant, of)
      const transport = createConnectTransport({
        baseUrl: origin,
        httpVersion: '1.1',
        interceptors: [
          (next) => (request) => {
            if (token !== undefined) request.header.set('authorization', `Bearer ${token}`)
            if (of !== app) request.header.set('host', new URL(originOf(tenant)).host)
            return next(request)
          },
        ],
      })
      return { notifications: createClient(NotificationService, transport), inbox: createClient(InboxService, transport), origin, token }
    },
    async tell(service, schema, message, tenant = 'default') {
      const told = tellers.get(service) ?? teller(service)
      tellers.set(service, told)
      const commit = await told
      await commit((tx) => addEvent(tx, { schema, message: create(schema, message), tenant, version: 1 }))
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function withHeaders(transport: Transport, headers: Record<string, string>): Transport {
  const add = (header: HeadersInit | undefined) => ({ ...headers, ...Object.fromEntries(new Headers(header)) })
  return {
    unary: (method, signal, timeoutMs, header, input) => transport.unary(method, signal, timeoutMs, add(header), input),
    stream: (method, signal, timeoutMs, header, input) => transport.stream(method, signal, timeoutMs, add(header), input),
  }
}
