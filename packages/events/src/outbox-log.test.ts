import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { UserUpdatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { sql } from 'kysely'
import { countUnpublished, openRoad, type Road, tell, until } from '../test/road.ts'
import { addEvent } from './add-event.ts'
import { Lease } from './lease.ts'
import { keptRows, pruneOutbox } from './outbox.ts'
import { type LogEntry, logEnd, PlaceForgotten, readLog, requirePlace } from './outbox-log.ts'
import { createRelay } from './relay.ts'

let road: Road
before(async () => {
  road = await openRoad()
})
after(() => road[Symbol.asyncDispose]())

beforeEach(async () => {
  await sql`delete from outbox`.execute(road.database.kysely)
})

const startRelay = () => createRelay({ ...road, db: road.database.kysely, service: 'user', pollMs: 10, leaseMs: 500 })

/** Reads on from a place, two at a time, until there are so many. */
async function readOn(after: bigint, count: number): Promise<LogEntry[]> {
  const read: LogEntry[] = []
  await until(async () => {
    const more = await readLog(road.database.kysely, read.at(-1)?.position ?? after, 2)
    read.push(...more)
    return read.length >= count
  })
  return read
}

test('an event whose transaction commits late stands behind those that were read before', async () => {
  const db = road.database.kysely
  await using _relay = startRelay()
  const { position: start } = await logEnd(db)
  const release = Promise.withResolvers<void>()
  const written = Promise.withResolvers<void>()
  const late = db.transaction().execute(async (tx) => {
    const message = create(UserUpdatedSchema, { userId: 'late' })
    await addEvent(tx, { schema: UserUpdatedSchema, message, tenant: 'log', version: 1 })
    written.resolve()
    await release.promise
  })
  await written.promise
  for (let i = 1; i <= 5; i++) await tell(road.database, 'early', i, 'log')
  const early = await readOn(start, 5)
  release.resolve()
  await late
  const [last] = await readOn(early.at(-1)?.position ?? start, 1)
  assert.deepEqual([...early.map(({ key }) => key), last?.key], ['early', 'early', 'early', 'early', 'early', 'late'])
})

test('while the broker is away the log goes on, and what stood in it keeps its place when it is published', async () => {
  const db = road.database.kysely
  await using relay = startRelay()
  await until(() => relay.holds())
  const { position: start } = await logEnd(db)
  await road.broker.stop()
  await until(() => road.nats.current() === undefined)
  for (let version = 1; version <= 5; version++) {
    await tell(road.database, 'ada', version, 'outage')
    relay.nudge()
  }
  const read = await readOn(start, 5)
  assert.equal(await countUnpublished(road.database), 5)
  await road.broker.start()
  await until(async () => (await countUnpublished(road.database)) === 0)
  assert.deepEqual(
    read.map(({ version }) => version),
    [1n, 2n, 3n, 4n, 5n],
  )
  assert.deepEqual(
    (await keptRows(db, new Date(0), start, 10)).map(({ position, version }) => ({ position, version })),
    read.map(({ position, version }) => ({ position, version })),
  )
  await tell(road.database, 'ada', 6, 'outage')
  assert.equal((await readOn(read.at(-1)?.position ?? start, 1))[0]?.version, 6n)
})

test('what the stream refuses stands in the log', async () => {
  const db = road.database.kysely
  const { position: start } = await logEnd(db)
  await tell(road.database, 'refused', 1, 'refusals')
  await sql`update outbox set payload = decode(repeat('0a', 200000), 'hex')`.execute(db)
  await tell(road.database, 'refused', 2, 'refusals')
  await using _relay = startRelay()
  const read = await readOn(start, 2)
  assert.deepEqual(
    read.map(({ version }) => version),
    [1n, 2n],
  )
  assert.equal(await countUnpublished(road.database), 2)
})

test('a place is good until something behind it is removed, and in the log that it was taken from', async () => {
  const db = road.database.kysely
  const { position: start } = await logEnd(db)
  {
    await using _relay = startRelay()
    for (let version = 1; version <= 4; version++) await tell(road.database, 'kept', version, 'kept')
    await until(async () => (await countUnpublished(road.database)) === 0)
  }
  const entries = await readOn(start, 4)
  const [first, second, third] = entries as [LogEntry, LogEntry, LogEntry]
  const end = await logEnd(db)
  for (const entry of entries) await requirePlace(db, entry)
  await requirePlace(db, end)

  const lease = new Lease(db, 'me', 60_000)
  await until(async () => (await lease.takeOrKeep()) !== undefined)
  await sql`update outbox set published_time = now() - interval '8 days' where version <= 2`.execute(db)
  assert.equal(await pruneOutbox(db, lease.epoch ?? 0n, 7, 100), 2)
  await assert.rejects(requirePlace(db, first), PlaceForgotten)
  await assert.rejects(readLog(db, first.position, 10), PlaceForgotten)
  // Nothing behind the last one that was removed is missing.
  await requirePlace(db, second)
  assert.equal((await readLog(db, second.position, 10)).length, 2)

  await assert.rejects(requirePlace(db, { ...third, mark: '0'.repeat(12) }), PlaceForgotten)
  await assert.rejects(requirePlace(db, { position: end.position + 1000n, mark: '' }), PlaceForgotten)
  await sql`update outbox set published_time = now() - interval '8 days'`.execute(db)
  assert.equal(await pruneOutbox(db, lease.epoch ?? 0n, 7, 100), 2)
  await requirePlace(db, end)
  await requirePlace(db, await logEnd(db))
  await lease.release()
})
