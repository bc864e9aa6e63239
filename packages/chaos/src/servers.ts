import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { prepareDatabase, type Secrets } from '@gatehouse/local'
import { type NatsUser, natsServiceUsers, type PostgresServer, type SmtpSink, startSmtpSink } from '@gatehouse/testkit'
import { type ConnectionOptions, connect, type NatsConnection } from '@nats-io/transport-node'
import { Brokers } from './brokers.ts'
import { Databases, type Replication } from './databases.ts'
import { Pooled } from './pooled.ts'

/** Real servers behind the services: they can be stopped and started where they were. */
export interface Servers extends AsyncDisposable {
  /** The primary, where there are two. */
  readonly postgres: PostgresServer
  readonly databases: Databases
  readonly brokers: Brokers
  readonly mail: SmtpSink
  /** Whom the harness is to the broker: it may do everything, and sees what services may not. */
  readonly broker: { readonly user: string; readonly pass: string }
  readonly natsFolder: string
  /** Of a house whose services reach Postgres through a pooler. */
  readonly pooled: Pooled | undefined
  stop(part: 'postgres' | 'nats'): Promise<void>
  start(part: 'postgres' | 'nats'): Promise<void>
}

export interface ServerNeeds {
  /** Servers of the broker, as a cluster; one unless given. */
  readonly brokers?: number
  /** Of each stream; as many as there are servers unless given. */
  readonly copies?: number
  /** Gives the database a standby. */
  readonly standby?: Replication
  /** Told when a process of Postgres was killed that nobody of the house meant to. */
  readonly onCrash?: (line: string) => void
  /** Puts PgBouncer before the database. */
  readonly throughPooler?: boolean
}

/** Starts them in a folder, with schemas and roles, without what only a power cut asks for. */
export async function startServers(
  folder: string,
  secrets: Secrets,
  { brokers: count = 1, copies = count, standby, throughPooler = false, onCrash }: ServerNeeds = {},
): Promise<Servers> {
  await using starting = new AsyncDisposableStack()
  const natsFolder = join(folder, 'nats')
  const broker = { user: 'harness', pass: randomBytes(24).toString('base64url') }
  const users = [...natsServiceUsers(secrets.nats).map(alsoAsBefore), { name: broker.user, password: broker.pass }]
  const pooled = throughPooler ? new Pooled() : undefined
  const [databases, brokers] = await Promise.all([
    Databases.start(folder, standby, {
      ...pooled?.ofServer,
      log: (line) => {
        pooled?.ofServer.log(line)
        // It begins anew then, without what was not on the disk yet: nothing that a service could help.
        if (line.includes('was terminated by signal')) onCrash?.(line)
      },
    }),
    Brokers.start(natsFolder, users, { count, copies }),
  ])
  starting.use(brokers)
  starting.use(databases)
  await prepareDatabase(databases.primary.server.url, secrets.database)
  if (databases.hasStandby) await databases.pair()
  if (pooled) starting.use(await pooled.open(gatehouseUrl(databases.primary.server.url)))
  const mail = starting.use(await startSmtpSink())
  const owned = starting.move()
  return {
    get postgres() {
      return databases.primary.server
    },
    databases,
    brokers,
    mail,
    broker,
    natsFolder,
    pooled,
    stop: (part) => (part === 'postgres' ? databases.primary.stop() : brokers.stopAll()),
    async start(part) {
      if (part === 'postgres') await databases.startPrimary()
      else await brokers.startAll()
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** The release before reads its replies where everybody may, and looks at the streams of its sources: upgrades run both. */
const alsoAsBefore = ({ permissions, ...user }: NatsUser): NatsUser =>
  permissions === undefined
    ? user
    : {
        ...user,
        permissions: {
          publish: { ...permissions.publish, allow: [...permissions.publish.allow, '$JS.API.STREAM.INFO.*'] },
          subscribe: { allow: [...permissions.subscribe.allow, '_INBOX.>'] },
        },
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
