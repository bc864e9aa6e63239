import { create, type DescMessage } from '@bufbuild/protobuf'
import { SessionRevokedSchema, SignedInSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { NotificationDeliveredSchema, NotificationFailedSchema } from '@gatehouse/contracts/gatehouse/notification/v1/events_pb'
import { UserCreatedSchema, UserUpdatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import {
  addEvent,
  connectNats,
  createRelay,
  defineConsumer,
  eventMigrations,
  type Nats,
  type Relay,
  startConsumers,
  streamOf,
} from '@gatehouse/events'
import { type EventService, eventSources } from '@gatehouse/events/nats-rights'
import { connect, type Db, transact } from '@gatehouse/postgres'
import { testDatabase } from '@gatehouse/testkit'

/** Of each service two kinds of event, of which the second is newer. */
const eventsOf = {
  user: [UserCreatedSchema, UserUpdatedSchema],
  auth: [SignedInSchema, SessionRevokedSchema],
  notification: [NotificationDeliveredSchema, NotificationFailedSchema],
} as const

/** All that a service does with NATS: it relays its outbox, by two replicas, and takes events of others. */
export interface ServiceAtWork extends AsyncDisposable {
  readonly db: Db<unknown>
  readonly nats: Nats
  readonly events: readonly DescMessage[]
  tell(name: string): Promise<void>
  tellNewKind(name: string): Promise<void>
  /** Now it takes the newer kinds too. */
  upgrade(): Promise<void>
  /** The replica that does not publish tells the one that does. */
  nudgeFromTheOther(): Promise<void>
  /** Of every stream and of every consumer of it that we may look at. */
  report(): Promise<readonly { readonly name: string; readonly copies: number; readonly lagging: boolean; readonly leader?: string }[]>
}

export interface AtWorkOptions {
  readonly url: string
  readonly onEvent: (id: string) => void
}

export async function openService(service: EventService, { url, onEvent }: AtWorkOptions): Promise<ServiceAtWork> {
  await using opening = new AsyncDisposableStack()
  const database = opening.use(await testDatabase({ service: 'road', sets: [eventMigrations] }))
  const db = opening.use(connect<unknown>({ url: database.url })).kysely
  const nats = opening.use(connectNats({ url, name: `gatehouse-${service}` }))
  const otherNats = opening.use(connectNats({ url, name: `gatehouse-${service}-other` }))
  let running = new AsyncDisposableStack()
  opening.defer(() => running.disposeAsync())
  let relays: readonly Relay[] = []

  const start = (kinds: number): void => {
    const handle = async (_tx: unknown, _message: unknown, { key, type }: { key: string; type: string }) =>
      onEvent(`${type.split('.')[1]}-${key}`)
    const consumers = eventSources[service]
      .flatMap((source) => eventsOf[source].slice(0, kinds) as readonly DescMessage[])
      .map((event) => defineConsumer<DescMessage, unknown>({ event, handle }))
    if (consumers.length > 0) running.use(startConsumers({ nats, db, service, consumers }))
    relays = [nats, otherNats].map((connection) => running.use(createRelay({ nats: connection, db, service, pollMs: 20 })))
  }
  const restart = async (kinds: number): Promise<void> => {
    await running.disposeAsync()
    running = new AsyncDisposableStack()
    start(kinds)
  }
  const tell = (kind: 0 | 1, name: string): Promise<void> =>
    transact(db, async (tx) => {
      const schema: DescMessage = eventsOf[service][kind]
      const message = create(schema, { [schema.fields[0]?.localName ?? '']: name })
      await addEvent(tx, { schema, message, tenant: 'default', version: 1 })
    })

  start(1)
  const opened = opening.move()
  return {
    db,
    nats,
    events: eventsOf[service],
    tell: (name) => tell(0, name),
    tellNewKind: (name) => tell(1, name),
    upgrade: () => restart(2),
    async nudgeFromTheOther() {
      await until(() => relays.some((relay) => relay.holds()))
      await Promise.all([nats.connected(), otherNats.connected()])
      for (const relay of relays) relay.nudge()
    },
    async report() {
      const connection = await nats.connected()
      const subjects = [
        `STREAM.INFO.${streamOf(service)}`,
        ...eventSources[service].map((source) => `CONSUMER.INFO.${streamOf(source)}.${service}`),
      ]
      return await Promise.all(
        subjects.map(async (name) => ({ name, ...copiesIn((await connection.request(`$JS.API.${name}`, '')).json()) })),
      )
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

type Cluster = { readonly leader?: string; readonly replicas?: readonly { readonly current: boolean; readonly offline?: boolean }[] }

function copiesIn({ cluster }: { readonly cluster?: Cluster }): { copies: number; lagging: boolean; leader?: string } {
  const { leader, replicas = [] } = cluster ?? {}
  return {
    ...(leader !== undefined && { leader }),
    copies: leader === undefined ? 0 : 1 + replicas.length,
    lagging: leader === undefined || replicas.some(({ current, offline }) => !current || offline === true),
  }
}

/** Waits until the condition holds, and fails loudly after the bound. */
export async function until(holds: () => boolean | Promise<boolean>, boundMs = 20_000): Promise<void> {
  const end = performance.now() + boundMs
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`it did not come true within ${boundMs} ms: ${holds}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
