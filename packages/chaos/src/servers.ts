import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { prepareDatabase, type Secrets } from '@gatehouse/local'
import {
  type NatsServer,
  type NatsUser,
  natsServiceUsers,
  type PostgresServer,
  type SmtpSink,
  startNats,
  startPostgres,
  startSmtpSink,
} from '@gatehouse/testkit'

/** Real servers behind the services: they can be stopped and started where they were. */
export interface Servers extends AsyncDisposable {
  readonly postgres: PostgresServer
  readonly nats: NatsServer
  readonly mail: SmtpSink
  /** Whom the harness is to the broker: it may do everything, and sees what services may not. */
  readonly broker: { readonly user: string; readonly pass: string }
  readonly natsFolder: string
  stop(part: 'postgres' | 'nats'): Promise<void>
  start(part: 'postgres' | 'nats'): Promise<void>
}

/** Starts them in a folder, with schemas and roles, without what only a power cut asks for. */
export async function startServers(folder: string, secrets: Secrets): Promise<Servers> {
  await using starting = new AsyncDisposableStack()
  const natsFolder = join(folder, 'nats')
  const broker = { user: 'harness', pass: randomBytes(24).toString('base64url') }
  const users = [...natsServiceUsers(secrets.nats).map(alsoAsBefore), { name: broker.user, password: broker.pass }]
  const startable = {
    postgres: (port = 0) => startPostgres({ dataDir: join(folder, 'postgres'), durable: false, port, maxConnections: 300 }),
    nats: (port = 0) => startNats({ storeDir: natsFolder, users, port }),
  }
  let [postgres, nats] = await Promise.all([startable.postgres(), startable.nats()])
  starting.defer(() => nats.stop())
  starting.defer(() => postgres.stop())
  await prepareDatabase(postgres.url, secrets.database)
  const mail = starting.use(await startSmtpSink())
  const owned = starting.move()
  return {
    get postgres() {
      return postgres
    },
    get nats() {
      return nats
    },
    mail,
    broker,
    natsFolder,
    stop: (part) => (part === 'postgres' ? postgres : nats).stop(),
    async start(part) {
      if (part === 'postgres') postgres = await startable.postgres(postgres.port)
      else nats = await startable.nats(nats.port)
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
