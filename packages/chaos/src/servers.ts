import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { prepareDatabase, type Secrets } from '@gatehouse/local'
import { type NatsUser, natsServiceUsers, type PostgresServer, type SmtpSink, startPostgres, startSmtpSink } from '@gatehouse/testkit'
import { type ConnectionOptions, connect, type NatsConnection } from '@nats-io/transport-node'
import { Brokers } from './brokers.ts'

/** Real servers behind the services: they can be stopped and started where they were. */
export interface Servers extends AsyncDisposable {
  readonly postgres: PostgresServer
  readonly brokers: Brokers
  readonly mail: SmtpSink
  /** Whom the harness is to the broker: it may do everything, and sees what services may not. */
  readonly broker: { readonly user: string; readonly pass: string }
  readonly natsFolder: string
  stop(part: 'postgres' | 'nats'): Promise<void>
  start(part: 'postgres' | 'nats'): Promise<void>
}

/** Starts them in a folder, with schemas and roles, without what only a power cut asks for; as many brokers as are asked for make a cluster. */
export async function startServers(folder: string, secrets: Secrets, { brokers: count = 1 } = {}): Promise<Servers> {
  await using starting = new AsyncDisposableStack()
  const natsFolder = join(folder, 'nats')
  const broker = { user: 'harness', pass: randomBytes(24).toString('base64url') }
  const users = [...natsServiceUsers(secrets.nats).map(alsoAsBefore), { name: broker.user, password: broker.pass }]
  const start = (port = 0) => startPostgres({ dataDir: join(folder, 'postgres'), durable: false, port, maxConnections: 300 })
  const [first, brokers] = await Promise.all([start(), Brokers.start(natsFolder, users, count)])
  let postgres = first
  starting.use(brokers)
  starting.defer(() => postgres.stop())
  await prepareDatabase(postgres.url, secrets.database)
  const mail = starting.use(await startSmtpSink())
  const owned = starting.move()
  return {
    get postgres() {
      return postgres
    },
    brokers,
    mail,
    broker,
    natsFolder,
    stop: (part) => (part === 'postgres' ? postgres.stop() : brokers.stopAll()),
    async start(part) {
      if (part === 'postgres') postgres = await start(postgres.port)
      else await brokers.startAll()
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** The release before reads its replies where everybody may: upgrades run both. */
const alsoAsBefore = ({ permissions, ...user }: NatsUser): NatsUser =>
  permissions === undefined
    ? user
    : {
        ...user,
        permissions: { ...permissions, subscribe: { allow: [...permissions.subscribe.allow, '_INBOX.>'] } },
      }

/** The database of the services, as the superuser. */
export function gatehouseUrl(url: string): string {
  return Object.assign(new URL(url), { pathname: '/gatehouse' }).href
}

/** Connects to the broker as the harness. */
export function connectBroker(
  { brokers, broker }: Pick<Servers, 'brokers' | 'broker'>,
  more: ConnectionOptions = {},
): Promise<NatsConnection> {
  return connect({ servers: brokers.urls, ...broker, ...more })
}
