import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { UserCreatedSchema, UserDeletedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import {
  addEvent,
  applyStream,
  connectNats,
  createRelay,
  defineConsumer,
  eventMigrations,
  fillStream,
  type Nats,
  outboxStatus,
  reportStream,
  startConsumers,
} from '@gatehouse/events'
import { connect, type Db, transact } from '@gatehouse/postgres'
import { natsServiceUsers, type TestNats, testDatabase, testNats } from '@gatehouse/testkit'
import { migrateStream } from '../migrate-stream.ts'
import type { PeerName } from '../peers.ts'
import { checkNats, type NatsQuestion } from './check-nats.ts'

const password = (): string => randomBytes(16).toString('base64url')
const passwords = { user: password(), auth: password(), notification: password(), streams: password(), subscriber: password() }
const mighty = { name: 'mighty', password: password() }

let broker: TestNats
let db: Db<unknown>
let nats: Nats
const parts = new AsyncDisposableStack()
before(async () => {
  broker = parts.use(await testNats({ users: [...natsServiceUsers(passwords), mighty] }))
  const database = parts.use(await testDatabase({ service: 'user', sets: [eventMigrations] }))
  db = parts.use(connect<unknown>({ url: database.url })).kysely
  nats = parts.use(connectNats({ url: urlOf('user', passwords.user), name: 'test' }))
  await runRelay()
})
after(() => parts.disposeAsync())

const urlOf = (name: string, secret: string) => broker.url.replace('//', `//${name}:${secret}@`)

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 10_000; !(await holds()); await new Promise((resolve) => setTimeout(resolve, 5)))
    if (performance.now() > end) throw new Error(`it did not come true: ${holds}`)
}

/** The relay publishes what waits. */
async function runRelay(): Promise<void> {
  await using _relay = createRelay({ db, nats, service: 'user', pollMs: 5 })
  await until(async () => (await outboxStatus(db)).depth === 0)
}

/** What an operator does with streams. */
async function asKeeper<T>(
  act: (connection: Awaited<ReturnType<Nats['connected']>>) => Promise<T>,
  url = urlOf('streams', passwords.streams),
): Promise<T> {
  await using keeper = connectNats({ url, name: 'streams' })
  return await act(await keeper.connected())
}

const tell = (userId: string) =>
  transact(db, (tx) =>
    addEvent(tx, { schema: UserCreatedSchema, message: create(UserCreatedSchema, { userId, version: 1n }), tenant: 'default', version: 1 }),
  )

/** What the doctor says, a line each. */
async function seen(name: PeerName, more: Partial<NatsQuestion> = {}): Promise<string[]> {
  const found = await checkNats({
    name,
    natsUrl: urlOf(name, passwords[name]),
    consumes: [],
    database: undefined,
    ...more,
  })
  return found.map(({ level, what, remedy }) => `${level} ${what}${remedy === undefined ? '' : ` → ${remedy}`}`)
}
const wrongs = async (...args: Parameters<typeof seen>) => (await seen(...args)).filter((line) => line.startsWith('wrong'))
const ofOutbox = async (): Promise<Pick<NatsQuestion, 'database'>> => ({ database: { db, outbox: await outboxStatus(db) } })

test('each service has a NATS user of its own, and asking leaves nothing behind', async () => {
  for (const name of ['user', 'auth', 'notification'] as const)
    assert.ok((await seen(name)).includes(`ok the NATS user publishes the events of ${name} only`))
  assert.equal((await reportStream(await nats.connected(), 'user'))?.lastSequence, 0)
})

test('the user of another service, of a subscriber and one that may do everything are told', async () => {
  const [of] = await wrongs('auth', { natsUrl: urlOf('user', passwords.user), consumes: [UserCreatedSchema] })
  assert.match(
    of ?? '',
    /^wrong the NATS user of NATS_URL may not publish the events of auth, but those of user → NATS_URL has to name the user of auth/,
  )
  const [outside] = await wrongs('user', { natsUrl: urlOf('subscriber', passwords.subscriber) })
  assert.match(outside ?? '', /^wrong the NATS user of NATS_URL may not publish the events of user →/)
  const [everything] = await wrongs('user', { natsUrl: urlOf('mighty', mighty.password) })
  assert.match(
    everything ?? '',
    /^wrong the NATS user of user may publish the events of auth and notification too → take that right from it/,
  )
})

test('a stream that is configured otherwise than it has to be is told, and migrate sets it right', async () => {
  assert.ok((await seen('user')).includes('ok the stream gatehouse-user is as it has to be, with 0 events'))
  await asKeeper(async (connection) => {
    const { config } = (await connection.request('$JS.API.STREAM.INFO.gatehouse-user', '')).json<{ config: object }>()
    const changed = { ...config, max_age: 86_400 * 1e9, republish: { src: 'gatehouse.user.v1.>', dest: 'elsewhere.>' } }
    await connection.request('$JS.API.STREAM.UPDATE.gatehouse-user', JSON.stringify(changed))
  })
  assert.match(
    (await wrongs('user'))[0] ?? '',
    /the stream gatehouse-user has max_age 86400000000000 instead of 604800000000000, republish .* instead of "none" → gatehouse migrate user sets it right/,
  )
  assert.equal(await migrateStream('user', urlOf('streams', passwords.streams), {}), 'gatehouse-user was changed')
  assert.deepEqual(await wrongs('user'), [])
})

test('a stream that is nearly full is told', async () => {
  await tell('ada')
  await runRelay()
  const { bytes = 0 } = (await reportStream(await nats.connected(), 'user')) ?? {}
  await asKeeper((connection) => applyStream(connection, 'user', { maxBytes: bytes + 10 }))
  assert.match((await wrongs('user'))[0] ?? '', /^wrong the stream holds 1 KiB of 1 KiB → when it is full, events wait/)
  await asKeeper((connection) => applyStream(connection, 'user', { maxBytes: 2 ** 30 }))
})

test('a stream that is behind its outbox, was emptied or is not there is told, and well when it is filled again', async () => {
  assert.deepEqual(await wrongs('user', await ofOutbox()), [])
  const outbox = { ...(await outboxStatus(db)), lastPublishedTime: new Date(Date.now() + 61_000) }
  assert.match(
    (await wrongs('user', { database: { db, outbox } }))[0] ?? '',
    /^wrong the stream has nothing after \S+Z, and the outbox published at \S+Z: NATS lost events → gatehouse outbox replay user --stream/,
  )
  await broker.stop()
  await broker.forget()
  await broker.start()
  await until(async () => nats.current() !== undefined)
  // A server that is started anew has its streams from the tests' own hand.
  await asKeeper((connection) => connection.request('$JS.API.STREAM.DELETE.gatehouse-user', ''), urlOf('mighty', mighty.password))
  assert.match(
    (await wrongs('user', await ofOutbox()))[0] ?? '',
    /^wrong the stream gatehouse-user is not there → gatehouse migrate user makes it, with a NATS_URL that names the user streams. If it was lost: gatehouse outbox/,
  )
  assert.equal(await migrateStream('user', urlOf('streams', passwords.streams), {}), 'gatehouse-user was made')
  await runRelay()
  assert.match(
    (await wrongs('user', await ofOutbox()))[0] ?? '',
    /^wrong the stream has nothing after its beginning, and the outbox published at \S+Z/,
  )
  assert.deepEqual(await fillStream({ db, nats, service: 'user' }), { published: 1 })
  assert.deepEqual(await wrongs('user', await ofOutbox()), [])
})

test('a consumer that is not there, that is not told of an event, or is configured otherwise is told', async () => {
  await using database = await testDatabase({ service: 'auth', sets: [eventMigrations] })
  await using own = connect<unknown>({ url: database.url })
  await using theirs = connectNats({ url: urlOf('auth', passwords.auth), name: 'auth' })
  const consumes = [UserCreatedSchema, UserDeletedSchema]
  assert.match(
    (await wrongs('auth', { consumes }))[0] ?? '',
    /^wrong the consumer auth of gatehouse-user is not there → a running auth makes it/,
  )
  const consumers = [defineConsumer({ event: UserCreatedSchema, handle: async () => undefined })]
  {
    await using _consumers = startConsumers({ nats: theirs, db: own.kysely, service: 'auth', consumers })
    await until(async () => (await wrongs('auth', { consumes: [UserCreatedSchema] })).length === 0)
  }
  assert.match(
    (await wrongs('auth', { consumes }))[0] ?? '',
    /^wrong the consumer auth of gatehouse-user is not told of gatehouse\.user\.v1\.UserDeleted\.\* → restart auth/,
  )
  const connection = await theirs.connected()
  const ask = async (what: string, body = {}) =>
    JSON.parse((await connection.request(`$JS.API.CONSUMER.${what}`, JSON.stringify(body))).string())
  const { config } = await ask('INFO.gatehouse-user.auth')
  const changed = await ask('DURABLE.CREATE.gatehouse-user.auth', {
    stream_name: 'gatehouse-user',
    config: { ...config, max_ack_pending: 7 },
  })
  assert.equal(changed.error, undefined)
  assert.match(
    (await wrongs('auth', { consumes: [UserCreatedSchema] }))[0] ?? '',
    /^wrong the consumer auth of gatehouse-user has max_ack_pending 7 instead of 1000 → stop the replicas, delete the consumer, start them/,
  )
})
