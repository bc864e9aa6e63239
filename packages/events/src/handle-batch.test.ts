import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { UserCreatedSchema, UserUpdatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { AckPolicy, jetstreamManager } from '@nats-io/jetstream'
import { nanos } from '@nats-io/nats-core'
import { type Kysely, sql, type Transaction } from 'kysely'
import { countUnpublished, openRoad, type Road, tell, until } from '../test/road.ts'
import { defineConsumer, PermanentFailure, TransientFailure } from './consumer.ts'
import { deadLetters } from './dead-letters.ts'
import type { Envelope } from './envelope.ts'
import { createRelay, type Relay } from './relay.ts'
import { startConsumers } from './start-consumers.ts'

let road: Road
let relay: Relay
let db: Kysely<unknown>
before(async () => {
  road = await openRoad()
  db = road.database.kysely
  await sql`create table effects (n bigint generated always as identity, consumer text, tenant text, key text, version bigint, event_id text)`.execute(
    db,
  )
  relay = createRelay({ ...road, db, service: 'user', pollMs: 20 })
})
after(async () => {
  await relay[Symbol.asyncDispose]()
  await road[Symbol.asyncDispose]()
})

type Effect = { key: string; version: bigint; transaction: string }

/** In the order in which they came about, with the transaction that each is of. */
const effects = async (consumer: string): Promise<Effect[]> =>
  (await sql<Effect>`select key, version, xmin::text as transaction from effects where consumer = ${consumer} order by n`.execute(db)).rows

const transactions = async (consumer: string): Promise<number> =>
  new Set((await effects(consumer)).map(({ transaction }) => transaction)).size

/** Tells events of a tenant of its own, waits until they are in the stream, and only then has them handled, so that they come together. */
async function tellTogether(tenant: string, events: readonly (readonly [key: string, version: number])[]): Promise<void> {
  for (const [key, version] of events) await tell(road.database, key, version, tenant)
  relay.nudge()
  await until(async () => (await countUnpublished(road.database)) === 0)
}

/** Handles the events of the tenant that is called as it is, by leaving an effect and then doing `act`. */
function consume(name: string, act: (envelope: Envelope) => Promise<void> | void = () => {}): AsyncDisposable {
  const handle = async (tx: Transaction<unknown>, _message: unknown, envelope: Envelope): Promise<void> => {
    const { tenant, key, version, id } = envelope
    if (tenant !== name) return
    await sql`insert into effects (consumer, tenant, key, version, event_id) values (${name}, ${tenant}, ${key}, ${version}, ${id})`.execute(
      tx,
    )
    await act(envelope)
  }
  const consumers = [UserCreatedSchema, UserUpdatedSchema].map((event) => defineConsumer({ event, handle }))
  return startConsumers({ ...road, db, service: name, consumers, retryDelayMs: 10, concurrency: 1, maxAttempts: 3 })
}

const severalKeys = Array.from({ length: 12 }, (_, i) => [`key ${i % 4}`, 1 + Math.floor(i / 4)] as const)

/** Versions of each key, in the order of their effects. */
const byKey = async (name: string) =>
  Object.fromEntries([...Map.groupBy(await effects(name), ({ key }) => key)].map(([key, all]) => [key, all.map(({ version }) => version)]))

test('what comes together shares a transaction, and each key keeps its order', async () => {
  await tellTogether('together', severalKeys)
  await using _consumers = consume('together')
  await until(async () => (await effects('together')).length === 12)
  assert.ok((await transactions('together')) < 4)
  for (const [key, versions] of Object.entries(await byKey('together'))) assert.deepEqual(versions, [1n, 2n, 3n], key)
})

test('beside an event that can never succeed the others have their effect once', async () => {
  await tellTogether('permanent', severalKeys)
  await using _consumers = consume('permanent', ({ key, version }) => {
    if (key === 'key 1' && version === 2n) throw new PermanentFailure('never')
  })
  await until(async () => (await deadLetters(db)).length === 1)
  await until(async () => (await effects('permanent')).length === 11)
  assert.deepEqual(await byKey('permanent'), { 'key 0': [1n, 2n, 3n], 'key 1': [1n, 3n], 'key 2': [1n, 2n, 3n], 'key 3': [1n, 2n, 3n] })
  const [letter] = await deadLetters(db)
  assert.deepEqual([letter?.envelope.key, letter?.envelope.version, letter?.reason], ['key 1', 2n, 'never'])
  await sql`delete from dead_letters`.execute(db)
})

test('beside an event that fails for a while the others have their effect once and do not wait', async () => {
  await tellTogether('transient', severalKeys)
  let isAway = true
  await using _consumers = consume('transient', ({ key, version }) => {
    if (isAway && key === 'key 2' && version === 1n) throw new TransientFailure('a peer is away')
  })
  await until(async () => (await effects('transient')).length === 11)
  isAway = false
  await until(async () => (await effects('transient')).length === 12)
  assert.deepEqual(await byKey('transient'), {
    'key 0': [1n, 2n, 3n],
    'key 1': [1n, 2n, 3n],
    'key 2': [2n, 3n, 1n],
    'key 3': [1n, 2n, 3n],
  })
  assert.deepEqual(await deadLetters(db), [])
})

test('handlers that take their time share no long transaction', async () => {
  await tellTogether('slow', severalKeys)
  await using _consumers = consume('slow', () => delay(15))
  await until(async () => (await effects('slow')).length > 0)
  assert.ok((await effects('slow')).length < 12)
  await until(async () => (await effects('slow')).length === 12)
  assert.ok((await transactions('slow')) >= 4)
  for (const [key, versions] of Object.entries(await byKey('slow'))) assert.deepEqual(versions, [1n, 2n, 3n], key)
})

test('a process that dies between the commit of a batch and its acknowledgement has each effect once', async () => {
  await tellTogether('dying', severalKeys)
  const { consumers } = await jetstreamManager(await road.nats.connected())
  // The stream's patience with a consumer that is gone, which is half a minute otherwise.
  const subjects = ['gatehouse.user.v1.UserCreated.*', 'gatehouse.user.v1.UserUpdated.*']
  const patience = { ack_policy: AckPolicy.Explicit, ack_wait: nanos(500), max_ack_pending: 1000 }
  await consumers.add('gatehouse-user', { ...patience, durable_name: 'dying', filter_subjects: subjects })
  const file = new URL('../test/consumer-process.ts', import.meta.url).pathname
  const child = spawn(process.execPath, [file, road.testDatabase.url, road.broker.url, 'dying'], { stdio: 'inherit' })
  const [, signal] = await once(child, 'exit')
  assert.equal(signal, 'SIGKILL')
  const before = (await effects('dying')).length
  assert.ok(before > 1)
  await using _consumers = consume('dying')
  await until(async () => {
    const now = await consumers.info('gatehouse-user', 'dying')
    return now.num_pending === 0 && now.num_ack_pending === 0
  })
  for (const [key, versions] of Object.entries(await byKey('dying'))) assert.deepEqual(versions, [1n, 2n, 3n], key)
  assert.equal((await effects('dying')).length, 12)
})
