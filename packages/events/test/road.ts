import { create } from '@bufbuild/protobuf'
import { UserCreatedSchema, UserUpdatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { connect, type Database, transact } from '@gatehouse/postgres'
import { type TestDatabase, type TestNats, testDatabase, testNats } from '@gatehouse/testkit'
import { sql } from 'kysely'
import { addEvent } from '../src/add-event.ts'
import { eventMigrations } from '../src/event-migrations.ts'
import { connectNats, type Nats } from '../src/nats.ts'

/** A service's own database and a broker: what stands on both ends of the road that events take. */
export type Road = AsyncDisposable & {
  readonly testDatabase: TestDatabase
  readonly database: Database<unknown>
  readonly broker: TestNats
  readonly nats: Nats
  /** Another replica's connections. */
  readonly another: () => Promise<AsyncDisposable & { database: Database<unknown>; nats: Nats }>
}

export async function openRoad(): Promise<Road> {
  await using made = new AsyncDisposableStack()
  const testing = made.use(await testDatabase({ service: 'road', sets: [eventMigrations] }))
  const broker = made.use(await testNats())
  const database = made.use(connect<unknown>({ url: testing.url }))
  const nats = made.use(connectNats({ url: broker.url, name: 'test' }))
  const all = made.move()
  return {
    testDatabase: testing,
    database,
    broker,
    nats,
    async another() {
      const other = new AsyncDisposableStack()
      return {
        database: other.use(connect<unknown>({ url: testing.url })),
        nats: other.use(connectNats({ url: broker.url, name: 'another' })),
        [Symbol.asyncDispose]: () => other.disposeAsync(),
      }
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

/** Writes UserCreated for version 1 and UserUpdated for later ones; gives the event's id. */
export function tell({ kysely }: Database<unknown>, userId: string, version: number, tenant = 'default'): Promise<string> {
  const schema = version === 1 ? UserCreatedSchema : UserUpdatedSchema
  return transact(kysely, (tx) => addEvent(tx, { schema, message: create(schema, { userId, version: BigInt(version) }), tenant, version }))
}

export async function countUnpublished({ kysely }: Database<unknown>): Promise<number> {
  const { rows } = await sql<{ n: bigint }>`select count(*) as n from outbox where published_time is null`.execute(kysely)
  return Number(rows[0]?.n)
}

/** Waits until the condition holds, and fails loudly after the bound. */
export async function until(holds: () => boolean | Promise<boolean>, boundMs = 15_000): Promise<void> {
  const end = performance.now() + boundMs
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`it did not come true within ${boundMs} ms: ${holds}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
