import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { UserUpdatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { connect } from '@gatehouse/postgres'
import { jetstreamManager } from '@nats-io/jetstream'
import { sql } from 'kysely'
import { countUnpublished, openRoad, type Road, tell, until } from '../test/road.ts'
import { addEvent } from './add-event.ts'
import { type Envelope, fromMessage } from './envelope.ts'
import { Lease } from './lease.ts'
import { keptRows, markPublished, placeWaiting, pruneOutbox, waitingRows } from './outbox.ts'
import { publishRows } from './publish.ts'
import { createRelay } from './relay.ts'

let road: Road
before(async () => {
  road = await openRoad()
})
after(() => road[Symbol.asyncDispose]())

beforeEach(async () => {
  await sql`delete from outbox`.execute(road.database.kysely)
})

/** Everything that the stream holds of one tenant, in its order. */
async function stored(tenant: string): Promise<Envelope[]> {
  const connection = await road.nats.connected()
  const { streams } = await jetstreamManager(connection)
  const { state } = await streams.info('gatehouse-user')
  const found: Envelope[] = []
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const message = await streams.getMessage('gatehouse-user', { seq })
    if (message === null) continue
    const envelope = fromMessage({
      subject: message.subject,
      headers: message.header,
      info: { stream: 'gatehouse-user', streamSequence: seq, timestampNanos: 0 },
    })
    if (envelope.tenant === tenant) found.push(envelope)
  }
  return found
}

async function take(lease: Lease<unknown>): Promise<bigint> {
  let epoch: bigint | undefined
  await until(async () => {
    epoch = await lease.takeOrKeep()
    return epoch !== undefined
  })
  return epoch as bigint
}

const drained = () => until(async () => (await countUnpublished(road.database)) === 0)

test('publishes what was committed with its envelope, and nothing that was rolled back', async () => {
  await using relay = createRelay({ ...road, db: road.database.kysely, service: 'user' })
  const id = await tell(road.database, 'ada', 1, 'envelopes')
  const rolledBack = road.database.kysely.transaction().execute(async (tx) => {
    await addEvent(tx, {
      schema: UserUpdatedSchema,
      message: create(UserUpdatedSchema, { userId: 'ada' }),
      tenant: 'envelopes',
      version: 2,
    })
    throw new Error('no')
  })
  await assert.rejects(rolledBack, { message: 'no' })
  relay.nudge()
  await drained()
  const [envelope, ...rest] = await stored('envelopes')
  assert.deepEqual(rest, [])
  assert.ok(envelope !== undefined && Math.abs(envelope.time.getTime() - Date.now()) < 60_000)
  assert.deepEqual(
    { ...envelope, time: 0 },
    { id, tenant: 'envelopes', type: 'gatehouse.user.v1.UserCreated', key: 'ada', version: 1n, time: 0 },
  )
})

test('a transaction that commits late is not skipped', async () => {
  await using _relay = createRelay({ ...road, db: road.database.kysely, service: 'user', pollMs: 10 })
  const release = Promise.withResolvers<void>()
  const written = Promise.withResolvers<void>()
  const late = road.database.kysely.transaction().execute(async (tx) => {
    await addEvent(tx, {
      schema: UserUpdatedSchema,
      message: create(UserUpdatedSchema, { userId: 'late' }),
      tenant: 'latecomers',
      version: 1,
    })
    written.resolve()
    await release.promise
  })
  await written.promise
  for (let i = 1; i <= 20; i++) await tell(road.database, 'early', i, 'latecomers')
  await until(async () => (await stored('latecomers')).length === 20)
  release.resolve()
  await late
  await until(async () => (await stored('latecomers')).length === 21)
})

test('two relays at once keep the order of each key, while one dies and the next takes over', async () => {
  const versions = 60
  const keys = ['a', 'b', 'c', 'd', 'e']
  await using other = await road.another()
  const options = { service: 'user', pollMs: 5, leaseMs: 400, batchSize: 7 }
  const first = createRelay({ ...options, db: road.database.kysely, nats: road.nats })
  await until(() => first.holds())
  await using second = createRelay({ ...options, db: other.database.kysely, nats: other.nats })
  const writing = Promise.all(
    keys.map(async (key) => {
      for (let version = 1; version <= versions; version++)
        await tell(version % 2 ? road.database : other.database, key, version, 'two-relays')
    }),
  )
  await until(async () => (await stored('two-relays')).length > 50)
  assert.equal(second.holds(), false)
  await first[Symbol.asyncDispose]()
  await writing
  await drained()
  await until(() => second.holds())
  const all = await stored('two-relays')
  assert.equal(all.length, versions * keys.length)
  for (const key of keys) {
    const ofKey = all.filter((envelope) => envelope.key === key).map(({ version }) => version)
    assert.deepEqual(
      ofKey,
      Array.from({ length: versions }, (_, i) => BigInt(i + 1)),
    )
  }
})

test('a holder whose epoch is over gives no positions and marks nothing', async () => {
  const db = road.database.kysely
  const old = new Lease(db, 'old', 50)
  const epoch = await take(old)
  await tell(road.database, 'fenced', 1, 'fenced')
  const first = await waitingRows(db, undefined, 100)
  assert.equal(first.length, 1)
  await tell(road.database, 'fenced', 2, 'fenced')
  const next = new Lease(db, 'next', 5000)
  const nextEpoch = await take(next)
  assert.equal(old.epoch, undefined)
  assert.equal(await markPublished(db, epoch, first), 0)
  assert.equal(await placeWaiting(db, epoch, 100), 0)
  assert.equal((await waitingRows(db, undefined, 100)).length, 2)
  assert.equal(await old.takeOrKeep(), undefined)
  assert.equal(await markPublished(db, nextEpoch, first), 1)
  assert.equal(await markPublished(db, nextEpoch, first), 0)
  assert.equal((await waitingRows(db, undefined, 100)).length, 1)
  await next.release()
})

test('rows that have a position before they are published wait with the others, of each key in its order', async () => {
  const db = road.database.kysely
  for (let version = 1; version <= 5; version++) await tell(road.database, 'placed', version, 'placed')
  await tell(road.database, 'other', 1, 'placed')
  await sql`update outbox set position = 1000000 + version where version <= 3 and key = 'placed'`.execute(db)
  const few = await waitingRows(db, undefined, 4)
  const others = await waitingRows(db, few.at(-1), 4)
  assert.deepEqual(
    [few, others].map((rows) => rows.map(({ key, version }) => `${key} ${version}`)),
    [
      ['other 1', 'placed 1', 'placed 2', 'placed 3'],
      ['placed 4', 'placed 5'],
    ],
  )
  await using _relay = createRelay({ ...road, db, service: 'user', pollMs: 10, leaseMs: 300 })
  await drained()
  assert.deepEqual(
    (await stored('placed')).filter(({ key }) => key === 'placed').map(({ version }) => version),
    [1n, 2n, 3n, 4n, 5n],
  )
  const { rows } = await sql<{
    position: bigint
  }>`select position from outbox where key = 'placed' and version <= 3 order by version`.execute(db)
  assert.deepEqual(
    rows.map(({ position }) => position),
    [1000001n, 1000002n, 1000003n],
  )
})

test('a stream that is other than it has to be is told once, and gets its events all the same', async () => {
  const { streams } = await jetstreamManager(await road.nats.connected())
  const { config } = await streams.update('gatehouse-user', { max_msg_size: 65_536 })
  assert.equal(config.max_msg_size, 65_536)
  const told: unknown[] = []
  const log = { info() {}, warn: (fields: object) => void told.push(fields), error() {} }
  await using _relay = createRelay({ ...road, db: road.database.kysely, service: 'user', pollMs: 10, log })
  await tell(road.database, 'ada', 1, 'otherwise')
  await drained()
  assert.deepEqual(told, [{ differences: [{ setting: 'max_msg_size', asked: 131_072, given: 65_536 }] }])
  await streams.update('gatehouse-user', { max_msg_size: 131_072 })
})

test('what a killed holder had published but not marked is in the stream once', async () => {
  const db = road.database.kysely
  const dead = new Lease(db, 'dead', 300)
  await take(dead)
  for (let version = 1; version <= 10; version++) await tell(road.database, 'killed', version, 'killed')
  const connection = await road.nats.connected()
  const { confirmed } = await publishRows(connection, 'user', (await waitingRows(db, undefined, 100)).slice(0, 6), () => true)
  assert.equal(confirmed.length, 6)
  await using _next = createRelay({ ...road, db, service: 'user', leaseMs: 300 })
  await drained()
  assert.deepEqual(
    (await stored('killed')).map(({ version }) => version),
    Array.from({ length: 10 }, (_, i) => BigInt(i + 1)),
  )
})

test('versions of one key get rising positions, also when the later one began first and only few are taken', async () => {
  const db = road.database.kysely
  const lease = new Lease(db, 'me', 60_000)
  const epoch = await take(lease)
  // As after a clock that was set back: the later version looks older.
  for (const [version, seconds] of [
    [3, 0],
    [1, 20],
    [2, 10],
  ] as const) {
    const id = await tell(road.database, 'odd', version, 'positions')
    await sql`update outbox set create_time = now() + make_interval(secs => ${seconds}::integer) where id = ${id}`.execute(db)
  }
  const few = await waitingRows(db, undefined, 2)
  const others = await waitingRows(db, few.at(-1), 2)
  assert.deepEqual(
    [few, others].map((rows) => rows.map(({ version }) => version)),
    [[1n, 2n], [3n]],
  )
  await markPublished(db, epoch, few)
  await markPublished(db, epoch, others)
  assert.deepEqual(
    (await keptRows(db, new Date(0), 0n, 10)).map(({ version }) => version),
    [1n, 2n, 3n],
  )
  await lease.release()
})

test('an event that the stream refuses stops its key and nobody else, until it is taken', async () => {
  const db = road.database.kysely
  for (let version = 1; version <= 4; version++) await tell(road.database, 'refused', version, 'refusals')
  const large = sql`decode(repeat('0a', 200000), 'hex')`
  await sql`update outbox set payload = ${large} where key = 'refused' and version = 2`.execute(db)
  for (let version = 1; version <= 3; version++) await tell(road.database, 'beside', version, 'refusals')
  await using _relay = createRelay({ ...road, db, service: 'user', pollMs: 10 })
  const versionsOf = async (of: string) => (await stored('refusals')).filter(({ key }) => key === of).map(({ version }) => version)
  await until(async () => (await versionsOf('beside')).length === 3)
  await until(async () => (await countUnpublished(road.database)) === 3)
  assert.deepEqual(await versionsOf('refused'), [1n])
  await sql`update outbox set payload = '' where key = 'refused' and version = 2`.execute(db)
  await drained()
  assert.deepEqual(await versionsOf('refused'), [1n, 2n, 3n, 4n])
})

test('while NATS is away writes go on, and the events follow in order when it is back', async () => {
  await using _relay = createRelay({ ...road, db: road.database.kysely, service: 'user', pollMs: 10 })
  await tell(road.database, 'ada', 1, 'outage')
  await drained()
  await road.broker.stop()
  await until(() => road.nats.current() === undefined)
  for (let version = 2; version <= 200; version++) await tell(road.database, 'ada', version, 'outage')
  assert.equal(await countUnpublished(road.database), 199)
  await road.broker.start()
  await drained()
  assert.deepEqual(
    (await stored('outage')).map(({ version }) => version),
    Array.from({ length: 200 }, (_, i) => BigInt(i + 1)),
  )
})

test('a process that starts while NATS is away publishes once it comes', async () => {
  await road.broker.stop()
  await using other = await road.another()
  await using _relay = createRelay({ db: other.database.kysely, nats: other.nats, service: 'user', pollMs: 10 })
  await tell(other.database, 'ada', 1, 'early-start')
  await road.broker.start()
  await drained()
  assert.equal((await stored('early-start')).length, 1)
})

test('a lost database connection is no more than a pause', async () => {
  await using relay = createRelay({ ...road, db: road.database.kysely, service: 'user', pollMs: 10 })
  await until(() => relay.holds())
  await using admin = connect<unknown>({ url: road.testDatabase.adminUrl })
  for (let i = 1; i <= 3; i++) {
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`.execute(
      admin.kysely,
    )
    await tell(road.database, 'ada', i, 'terminated')
    await drained()
  }
  assert.equal((await stored('terminated')).length, 3)
})

test('published rows are kept for days and then removed', async () => {
  const db = road.database.kysely
  const lease = new Lease(db, 'me', 60_000)
  const epoch = await take(lease)
  for (let version = 1; version <= 4; version++) await tell(road.database, 'old', version, 'pruned')
  await markPublished(db, epoch, (await waitingRows(db, undefined, 10)).slice(0, 3))
  await sql`update outbox set published_time = now() - interval '8 days' where version <= 2`.execute(db)
  assert.equal(await pruneOutbox(db, epoch - 1n, 7, 100), 0)
  assert.equal(await pruneOutbox(db, epoch, 7, 100), 2)
  await lease.release()
})
