import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { create, toBinary } from '@bufbuild/protobuf'
import { UserCreatedSchema, UserUpdatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { connect, DatabaseUnavailable } from '@gatehouse/postgres'
import { jetstream } from '@nats-io/jetstream'
import { type Kysely, sql, type Transaction } from 'kysely'
import { openRoad, type Road, tell, until } from '../test/road.ts'
import { defineConsumer, isNewer, PermanentFailure, TransientFailure } from './consumer.ts'
import { askRetry, countDeadLetters, deadLetters, dropDeadLetter } from './dead-letters.ts'
import type { Envelope } from './envelope.ts'
import { toHeaders } from './envelope.ts'
import { createRelay, type Relay } from './relay.ts'
import { type ConsumersOptions, startConsumers } from './start-consumers.ts'

let road: Road
let relay: Relay
let db: Kysely<unknown>
before(async () => {
  road = await openRoad()
  db = road.database.kysely
  await sql`create table effects (n bigint generated always as identity, consumer text, tenant text, key text, version bigint, event_id text)`.execute(
    db,
  )
  await sql`create table held (consumer text, tenant text, key text, version bigint, primary key (consumer, tenant, key))`.execute(db)
  relay = createRelay({ ...road, db, service: 'user', pollMs: 20 })
})
after(async () => {
  await relay[Symbol.asyncDispose]()
  await road[Symbol.asyncDispose]()
})

type Effect = { key: string; version: bigint; event_id: string; tenant: string }

const effects = async (consumer: string): Promise<Effect[]> =>
  (await sql<Effect>`select key, version, event_id, tenant from effects where consumer = ${consumer} order by n`.execute(db)).rows

const leaveEffect = (tx: Transaction<unknown>, consumer: string, { tenant, key, version, id }: Envelope) =>
  sql`insert into effects (consumer, tenant, key, version, event_id) values (${consumer}, ${tenant}, ${key}, ${version}, ${id})`.execute(tx)

/** Handles both events by leaving an effect, after `act`; only keys with the consumer's name are looked at, as all share one stream. */
function consume(
  name: string,
  act: (envelope: Envelope, tx: Transaction<unknown>) => Promise<unknown> = async () => {},
  options: Partial<ConsumersOptions<unknown>> = {},
) {
  const handle = async (tx: Transaction<unknown>, _message: unknown, envelope: Envelope): Promise<void> => {
    if (!envelope.key.startsWith(name)) return
    await act(envelope, tx)
    await leaveEffect(tx, name, envelope)
  }
  const consumers = [UserCreatedSchema, UserUpdatedSchema].map((event) => defineConsumer({ event, handle }))
  return { ...road, db, service: name, consumers, retryDelayMs: 10, ...options }
}

/** A delivery that no relay made. */
async function publish(envelope: Envelope, body: Uint8Array, msgID = envelope.id): Promise<void> {
  const connection = await road.nats.connected()
  const headers = toHeaders(envelope, 'user')
  headers.set('Nats-Msg-Id', msgID)
  await jetstream(connection).publish(`${envelope.type}.${envelope.tenant}`, body, { headers })
}

const created = (change: Partial<Envelope>): Envelope => ({
  id: crypto.randomUUID(),
  tenant: 'default',
  type: 'gatehouse.user.v1.UserCreated',
  key: 'x',
  version: 1n,
  time: new Date(),
  ...change,
})

const body = toBinary(UserCreatedSchema, create(UserCreatedSchema, { userId: 'x', version: 1n }))

test('an event has its effect, with a typed message and its envelope', async () => {
  const seen: unknown[] = []
  const onCreated = defineConsumer({
    event: UserCreatedSchema,
    prepare: async ({ userId }) => userId.toUpperCase(),
    handle: async (tx: Transaction<unknown>, { userId, version }, envelope, prepared) => {
      if (userId !== 'typed') return
      seen.push({ userId, version, prepared, tenant: envelope.tenant, key: envelope.key, inTransaction: tx.isTransaction })
    },
  })
  await using _consumers = startConsumers({ ...road, db, service: 'typed', consumers: [onCreated] })
  await tell(road.database, 'typed', 1, 'acme')
  relay.nudge()
  await until(() => seen.length === 1)
  assert.deepEqual(seen, [{ userId: 'typed', version: 1n, prepared: 'TYPED', tenant: 'acme', key: 'typed', inTransaction: true }])
})

test('a consumer that comes later gets what was told before', async () => {
  await tell(road.database, 'later', 1)
  await tell(road.database, 'later', 2)
  relay.nudge()
  await using _consumers = startConsumers(consume('later'))
  await until(async () => (await effects('later')).length === 2)
  assert.deepEqual(
    (await effects('later')).map(({ version }) => version),
    [1n, 2n],
  )
})

test('two replicas and repeated deliveries have one effect for each event', async () => {
  await using other = await road.another()
  await using _one = startConsumers(consume('once'))
  await using _two = startConsumers(consume('once', undefined, { db: other.database.kysely, nats: other.nats }))
  const envelopes = Array.from({ length: 20 }, (_, i) => created({ key: `once ${i}` }))
  await Promise.all(envelopes.flatMap((envelope) => [1, 2, 3].map((i) => publish(envelope, body, `${envelope.id} ${i}`))))
  await publish(created({ key: 'once last' }), body)
  await until(async () => (await effects('once')).some(({ key }) => key === 'once last'))
  await until(async () => (await effects('once')).length === 21)
})

test('events of one key come in order while other keys run beside', async () => {
  const open = new Set<string>()
  let beside = 0
  const slow = async ({ key }: Envelope): Promise<void> => {
    assert.ok(!open.has(key))
    open.add(key)
    beside = Math.max(beside, open.size)
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 4))
    open.delete(key)
  }
  await using _consumers = startConsumers(consume('order', slow))
  const keys = ['order a', 'order b', 'order c']
  await Promise.all(
    keys.map(async (key) => {
      for (let version = 1; version <= 20; version++) await tell(road.database, key, version)
    }),
  )
  relay.nudge()
  await until(async () => (await effects('order')).length === 60)
  for (const key of keys) {
    const versions = (await effects('order')).filter((effect) => effect.key === key).map(({ version }) => version)
    assert.deepEqual(
      versions,
      Array.from({ length: 20 }, (_, i) => BigInt(i + 1)),
    )
  }
  assert.ok(beside > 1)
})

test('a handler that compares versions ignores what is older than it holds', async () => {
  const keep = async ({ tenant, key, version }: Envelope, tx: Transaction<unknown>): Promise<void> => {
    const { rows } = await sql<{
      version: bigint
    }>`select version from held where consumer = 'older' and tenant = ${tenant} and key = ${key} for update`.execute(tx)
    if (!isNewer(created({ version }), rows[0]?.version)) return
    await sql`insert into held (consumer, tenant, key, version) values ('older', ${tenant}, ${key}, ${version})
      on conflict (consumer, tenant, key) do update set version = excluded.version`.execute(tx)
  }
  await using _consumers = startConsumers(consume('older', keep))
  for (const version of [5n, 3n, 6n, 1n]) await publish(created({ key: 'older', version }), body)
  await until(async () => (await effects('older')).length === 4)
  const { rows } = await sql<{ version: bigint }>`select version from held where consumer = 'older'`.execute(db)
  assert.deepEqual(rows, [{ version: 6n }])
})

test('a passing error is tried again, and leaves nothing of the first attempt', async () => {
  let attempts = 0
  const shaky = async (envelope: Envelope, tx: Transaction<unknown>): Promise<void> => {
    await leaveEffect(tx, 'shaky', envelope)
    if (++attempts < 4) throw new Error('not yet')
  }
  await using _consumers = startConsumers(consume('shaky', shaky))
  await tell(road.database, 'shaky', 1)
  relay.nudge()
  await until(async () => (await effects('shaky')).length > 0)
  assert.equal((await effects('shaky')).length, 2)
  assert.equal(attempts, 4)
  assert.deepEqual(await deadLetters(db), [])
})

test('away peers and databases are waited for longer than any number of attempts', async () => {
  let attempts = 0
  const away = async (): Promise<void> => {
    attempts++
    if (attempts < 3) throw new TransientFailure('the peer is away')
    if (attempts < 5) throw new DatabaseUnavailable('gone')
    if (attempts < 7) throw Object.assign(new Error('unavailable'), { name: 'ConnectError', code: 14 })
  }
  await using _consumers = startConsumers(consume('away', away, { maxAttempts: 2, retryDelayMs: 1 }))
  await tell(road.database, 'away', 1)
  relay.nudge()
  await until(async () => (await effects('away')).length === 1, 60_000)
  assert.deepEqual(await deadLetters(db), [])
})

test('a permanent failure is put aside with its reason, does not block its key, and can be handled later', async () => {
  let broken = true
  const refuse = async ({ version }: Envelope): Promise<void> => {
    if (broken && version === 1n) throw new PermanentFailure('no such template')
    if (broken && version === 2n) throw new RangeError('a bug')
  }
  const options = consume('dead', refuse, { maxAttempts: 3 })
  await using _consumers = startConsumers(options)
  const ids = [
    await tell(road.database, 'dead', 1, 'acme'),
    await tell(road.database, 'dead', 2, 'acme'),
    await tell(road.database, 'dead', 3, 'acme'),
  ]
  relay.nudge()
  await until(async () => (await deadLetters(db)).length === 2 && (await effects('dead')).length === 1)
  assert.equal(await countDeadLetters(db), 2)
  const letters = await deadLetters(db)
  assert.deepEqual(
    letters.map(({ envelope, reason, consumer }) => ({ id: envelope.id, tenant: envelope.tenant, reason, consumer })),
    [
      { id: ids[0], tenant: 'acme', reason: 'no such template', consumer: 'dead' },
      { id: ids[1], tenant: 'acme', reason: 'after 3 attempts: RangeError: a bug', consumer: 'dead' },
    ],
  )
  const stackIds = letters.map(({ stackId }) => stackId ?? '')
  assert.ok(stackIds.every((id) => /^[0-9a-f]{12}$/.test(id)) && stackIds[0] !== stackIds[1], stackIds.join())
  const attempts = async () => (await deadLetters(db)).map(({ attempts, isAsked }) => (isAsked ? 'asked' : attempts)).join()
  assert.deepEqual((await askRetry(db)).sort(), ids.slice(0, 2).sort())
  await until(async () => (await attempts()) === '2,2')
  broken = false
  assert.deepEqual(await askRetry(db, ids[0]), [ids[0]])
  await until(async () => (await deadLetters(db)).length === 1)
  await askRetry(db)
  await until(async () => (await deadLetters(db)).length === 0)
  assert.equal((await effects('dead')).length, 3)
})

test('a dead letter that is asked for waits for what is away, and has one effect though the stream brings it too', async () => {
  let mood: 'broken' | 'away' | 'well' = 'broken'
  let waited = 0
  const refuse = async (): Promise<void> => {
    if (mood === 'broken') throw new PermanentFailure('no such template')
    if (mood === 'away' && ++waited > 0) throw new TransientFailure('the peer is away')
  }
  await using _consumers = startConsumers(consume('revived', refuse))
  const id = await tell(road.database, 'revived', 1)
  relay.nudge()
  await until(async () => (await deadLetters(db)).length === 1)
  mood = 'away'
  await askRetry(db, id)
  await until(() => waited > 0)
  const [letter] = await deadLetters(db)
  assert.ok(letter)
  assert.deepEqual([letter.attempts, letter.reason, letter.isAsked], [1, 'no such template', true])
  mood = 'well'
  await publish(letter.envelope, letter.payload, 'as in a replay')
  await until(async () => (await effects('revived')).length === 1)
  await askRetry(db, id)
  await until(async () => (await deadLetters(db)).length === 0)
  assert.equal((await effects('revived')).length, 1)
})

test('what is dropped is told once more, and is gone', async () => {
  await using _consumers = startConsumers(consume('dropped', () => Promise.reject(new PermanentFailure('never'))))
  const id = await tell(road.database, 'dropped', 1)
  relay.nudge()
  await until(async () => (await deadLetters(db)).length === 1)
  assert.deepEqual(await dropDeadLetter(db, 'another'), [])
  assert.deepEqual(
    (await dropDeadLetter(db, id)).map(({ envelope, reason }) => [envelope.id, reason]),
    [[id, 'never']],
  )
  assert.equal(await countDeadLetters(db), 0)
})

test('a body that does not decode, and headers that are missing, end among the dead letters', async () => {
  await using _consumers = startConsumers(consume('garbage'))
  await publish(created({ key: 'garbage' }), Uint8Array.of(255, 255, 255))
  const connection = await road.nats.connected()
  // As what nats-server answers to one may look when it is sent to another: empty, which decodes.
  await jetstream(connection).publish('gatehouse.user.v1.UserCreated.default', Uint8Array.of())
  await until(async () => (await deadLetters(db)).length === 2)
  const letters = await deadLetters(db)
  assert.deepEqual(letters.map(({ reason }) => reason).sort(), [
    'it has no envelope of a gatehouse.user.v1.UserCreated',
    'the body is no gatehouse.user.v1.UserCreated',
  ])
  assert.match(letters.map(({ envelope }) => envelope.id).join(), /gatehouse-user:\d+/)
  await sql`delete from dead_letters`.execute(db)
})

test('while the broker is away nothing breaks, and afterwards everything arrives', async () => {
  await using _consumers = startConsumers(consume('broker'))
  await tell(road.database, 'broker', 1)
  await until(async () => (await effects('broker')).length === 1)
  await road.broker.stop()
  await tell(road.database, 'broker', 2)
  await road.broker.start()
  await until(async () => (await effects('broker')).length === 2)
})

test('a broker that lost everything is filled and read anew', async () => {
  await using _consumers = startConsumers(consume('wiped'))
  await tell(road.database, 'wiped', 1)
  await until(async () => (await effects('wiped')).length === 1)
  await road.broker.stop()
  await road.broker.forget()
  await tell(road.database, 'wiped', 2)
  await road.broker.start()
  await until(async () => (await effects('wiped')).length === 2)
})

test('lost database connections delay an event and do not lose it', async () => {
  await using _consumers = startConsumers(consume('restart', async () => new Promise((resolve) => setTimeout(resolve, 5))))
  await using admin = connect<unknown>({ url: road.testDatabase.adminUrl })
  const ids: string[] = []
  for (let version = 1; version <= 30; version++) {
    ids.push(await tell(road.database, `restart ${version}`, version))
    if (version % 10 === 0) {
      await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`.execute(
        admin.kysely,
      )
    }
  }
  await using own = connect<unknown>({ url: road.testDatabase.url })
  const seen = async () =>
    (await sql<{ id: string }>`select event_id as id from effects where consumer = 'restart'`.execute(own.kysely)).rows.map(({ id }) => id)
  await until(async () => (await seen()).length >= 30)
  assert.deepEqual(new Set(await seen()), new Set(ids))
  assert.equal((await seen()).length, 30)
})

test('a replica that leaves ends what it began and hands the rest on at once', async () => {
  await using other = await road.another()
  const slow = () => new Promise((resolve) => setTimeout(resolve, 10))
  const leaving = startConsumers(consume('leaving', slow, { concurrency: 2 }))
  for (let version = 1; version <= 60; version++) await tell(road.database, `leaving ${version % 7}`, version)
  await until(async () => (await effects('leaving')).length > 3)
  await leaving[Symbol.asyncDispose]()
  const left = (await effects('leaving')).length
  assert.ok(left < 60)
  await using _staying = startConsumers(consume('leaving', undefined, { db: other.database.kysely, nats: other.nats }))
  await until(async () => (await effects('leaving')).length === 60, 5_000)
})

test('a replica that knows one more event gets it, and an older replica that restarts does not take it away', async () => {
  const seen: string[] = []
  const handlerOf = (event: typeof UserCreatedSchema | typeof UserUpdatedSchema) =>
    defineConsumer({
      event,
      handle: async (_tx: Transaction<unknown>, { $typeName }, { key }) => void (key === 'rollout' && seen.push($typeName)),
    })
  const older = { ...road, db, service: 'rollout', consumers: [handlerOf(UserCreatedSchema)] }
  const newer = { ...older, consumers: [handlerOf(UserCreatedSchema), handlerOf(UserUpdatedSchema)] }
  await using _first = startConsumers(older)
  await tell(road.database, 'rollout', 1)
  await until(() => seen.length === 1)
  await using _second = startConsumers(newer)
  await tell(road.database, 'rollout', 2)
  await until(() => seen.length === 2, 20_000)
  await using _third = startConsumers(older)
  await tell(road.database, 'rollout', 3)
  await until(() => seen.length === 3, 20_000)
})

test('after a newer release was taken back, more events than a stream gives out at once wait for it, and what is known goes on', async () => {
  const seen: string[] = []
  const handlerOf = (event: typeof UserCreatedSchema | typeof UserUpdatedSchema) =>
    defineConsumer({ event, handle: async (_tx: Transaction<unknown>, _message, { key }) => void seen.push(key) })
  const older = { ...road, db, service: 'taken-back', consumers: [handlerOf(UserCreatedSchema)] }
  const newer = { ...older, consumers: [handlerOf(UserCreatedSchema), handlerOf(UserUpdatedSchema)] }
  await startConsumers(newer)[Symbol.asyncDispose]()
  const told = Array.from({ length: 1_050 }, (_, number) => created({ type: 'gatehouse.user.v1.UserUpdated', key: `updated-${number}` }))
  await Promise.all(told.map((envelope) => publish(envelope, body)))
  await using _older = startConsumers(older)
  await publish(created({ key: 'known' }), body)
  await until(() => seen.includes('known'), 20_000)
  const aside = (await deadLetters(db, 2_000)).find(({ consumer }) => consumer === 'taken-back')
  assert.match(aside?.reason ?? '', /many like it wait for a newer release/)
  await using _newer = startConsumers(newer)
  await askRetry(db, aside?.envelope.id)
  await until(() => seen.includes(aside?.envelope.key ?? ''), 20_000)
})

test('two handlers for one event are a misuse', () => {
  const consumer = defineConsumer({ event: UserCreatedSchema, handle: async () => {} })
  assert.throws(() => startConsumers({ ...road, db, service: 'twice', consumers: [consumer, consumer] }), TypeError)
})
