import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { UserCreatedSchema, UserUpdatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { jetstreamManager } from '@nats-io/jetstream'
import { sql } from 'kysely'
import { countUnpublished, openRoad, type Road, tell, until } from '../test/road.ts'
import { defineConsumer } from './consumer.ts'
import { createRelay } from './relay.ts'
import { fillStream, replay } from './replay.ts'
import { startConsumers } from './start-consumers.ts'

let road: Road
before(async () => {
  road = await openRoad()
})
after(() => road[Symbol.asyncDispose]())

const drained = () => until(async () => (await countUnpublished(road.database)) === 0)

const storedMessages = async (): Promise<number> => {
  const { streams } = await jetstreamManager(await road.nats.connected())
  return (await streams.info('gatehouse-user')).state.messages
}

test('a broker that lost its events gets them back under their ids, and nothing happens twice', async () => {
  const db = road.database.kysely
  const handled: string[] = []
  const handle = async (_tx: unknown, _message: unknown, { id }: { id: string }): Promise<void> => void handled.push(id)
  const consumers = [UserCreatedSchema, UserUpdatedSchema].map((event) => defineConsumer({ event, handle }))
  await using _relay = createRelay({ ...road, db, service: 'user', pollMs: 10 })
  const ids: string[] = []
  {
    await using _consumers = startConsumers({ ...road, db, service: 'replayed', consumers })
    for (let i = 1; i <= 10; i++) ids.push(await tell(road.database, 'ada', i))
    await until(() => handled.length === 10)
  }
  for (let i = 11; i <= 15; i++) ids.push(await tell(road.database, 'ada', i))
  await drained()
  await sql`update outbox set create_time = now() - interval '1 day' where id = any(${ids.slice(0, 3)}::uuid[])`.execute(db)
  await road.broker.stop()
  await road.broker.forget()
  await road.broker.start()
  await until(() => road.nats.current() !== undefined)
  assert.deepEqual(await replay({ db, nats: road.nats, since: new Date(Date.now() - 3_600_000) }), { published: 12 })
  assert.equal(await storedMessages(), 12)
  await using _consumers = startConsumers({ ...road, db, service: 'replayed', consumers })
  await until(() => handled.length === 15)
  assert.deepEqual(handled, ids)
  assert.deepEqual(await replay({ db, nats: road.nats, since: new Date(Date.now() - 3 * 86_400_000) }), { published: 15 })
  await until(async () => (await storedMessages()) === 15)
  assert.equal(handled.length, 15)
})

test('a stream that was emptied, or set back, gets what it lacks and nothing twice', async () => {
  const db = road.database.kysely
  await using _relay = createRelay({ ...road, db, service: 'user', pollMs: 10 })
  const fill = () => fillStream({ db, nats: road.nats, service: 'user' })
  assert.deepEqual(await fill(), { published: 0 })
  await road.broker.stop()
  await road.broker.forget()
  await road.broker.start()
  await until(() => road.nats.current() !== undefined)
  const told = await tell(road.database, 'after', 1)
  await drained()
  const before = await storedMessages()
  assert.equal(before, 1, `only ${told} is there`)
  assert.deepEqual(await fill(), { published: 15 })
  assert.equal(await storedMessages(), 16)
  assert.deepEqual(await fill(), { published: 0 })
})

test('reaches no further back than consumers remember', async () => {
  await assert.rejects(replay({ db: road.database.kysely, nats: road.nats, since: new Date(0) }), RangeError)
})
