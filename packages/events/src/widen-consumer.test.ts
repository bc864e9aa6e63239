import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { UserCreatedSchema, UserUpdatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream'
import { countUnpublished, openRoad, type Road, tell, until } from '../test/road.ts'
import { defineConsumer } from './consumer.ts'
import { eventContract } from './event-contract.ts'
import { catchUpOf, streamOf } from './nats-names.ts'
import { createRelay, type Relay } from './relay.ts'
import { startConsumers } from './start-consumers.ts'

import { findConsumer, widenConsumer } from './widen-consumer.ts'

let road: Road
let relay: Relay
let consumers: JetStreamManager['consumers']
before(async () => {
  road = await openRoad()
  relay = createRelay({ ...road, db: road.database.kysely, service: 'user', pollMs: 20 })
  consumers = (await jetstreamManager(await road.nats.connected(), { checkAPI: false })).consumers
})
after(async () => {
  await relay[Symbol.asyncDispose]()
  await road[Symbol.asyncDispose]()
})

const stream = streamOf('user')
const updates = `${eventContract(UserUpdatedSchema).subject}.*`
const catchUp = (durable: string) => findConsumer(consumers, stream, catchUpOf(durable))

/** Two releases of a service: the newer one takes updates too. `seen` has the versions that either took. */
function releases(service: string) {
  const seen: number[] = []
  const handlerOf = (event: typeof UserCreatedSchema | typeof UserUpdatedSchema) =>
    defineConsumer({ event, handle: async (_tx, _message, { key, version }) => void (key === service && seen.push(Number(version))) })
  const older = { ...road, db: road.database.kysely, service, consumers: [handlerOf(UserCreatedSchema)] }
  return { seen, older, newer: { ...older, consumers: [handlerOf(UserCreatedSchema), handlerOf(UserUpdatedSchema)] } }
}

/** Tells versions of `key`; when it is done, the stream has them. */
async function told(key: string, from: number, to: number): Promise<void> {
  for (let version = from; version <= to; version++) await tell(road.database, key, version)
  await until(async () => (await countUnpublished(road.database)) === 0)
}

const versions = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const ascending = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)

test('what was told of a new kind before anybody asked for it is taken once, by however many replicas', async () => {
  const { seen, older, newer } = releases('widened')
  await using _older = startConsumers(older)
  await told('widened', 1, 100)
  await until(() => seen.length === 1)
  await using _newer = startConsumers(newer)
  await using _another = startConsumers(newer)
  await until(() => seen.length === 100)
  await told('widened', 101, 110)
  await until(async () => seen.length >= 110 && (await catchUp('widened')) === undefined)
  assert.deepEqual(ascending(seen), versions(1, 110))
})

test('where the first who asked died over it, the next one goes on', async () => {
  const { seen, older, newer } = releases('died')
  await using _older = startConsumers(older)
  await told('died', 1, 10)
  await until(() => seen.length === 1)
  assert.equal(await widenConsumer(consumers, { stream, durable: 'died', subjects: [updates] }), true)
  await told('died', 11, 12)
  await using _newer = startConsumers(newer)
  await until(async () => seen.length >= 12 && (await catchUp('died')) === undefined)
  assert.deepEqual(ascending(seen), versions(1, 12))
})

test('who asks for nothing new catches up with nothing', async () => {
  const { seen, older } = releases('same')
  await using _older = startConsumers(older)
  await told('same', 1, 1)
  await until(() => seen.length === 1)
  assert.equal(
    await widenConsumer(consumers, { stream, durable: 'same', subjects: [`${eventContract(UserCreatedSchema).subject}.*`] }),
    false,
  )
  assert.equal(await catchUp('same'), undefined)
})
