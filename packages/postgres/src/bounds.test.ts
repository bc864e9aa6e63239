import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startPostgres, type TestDatabase, testDatabase } from '@gatehouse/testkit'
import { sql } from 'kysely'
import { batched } from './batched.ts'
import { type Bounds, unbounded, withinBounds } from './bounds.ts'
import { connect, type Database, type Executor } from './connect.ts'
import { isUnavailable, StatementAbandoned } from './errors.ts'
import { joined } from './joined.ts'
import { postgresLimits } from './limits.ts'
import { sharedMigrations } from './shared-migrations.ts'
import { transact } from './transact.ts'

let database: TestDatabase
let admin: Database<unknown>
before(async () => {
  database = await testDatabase({ service: 'bounding', sets: [sharedMigrations] })
  admin = connect<unknown>({ url: database.adminUrl, poolSize: 2 })
  await sql`create table doors (name text primary key, opened integer not null default 0)`.execute(admin.kysely)
  await sql`grant all on doors to public`.execute(admin.kysely)
  await sql`insert into doors (name) values ('front'), ('back')`.execute(admin.kysely)
})
after(async () => {
  await admin[Symbol.asyncDispose]()
  await database.dispose()
})

const open = (poolSize = 1) => connect<unknown>({ url: database.url, poolSize, applicationName: 'bounded' })
const inMs = (ms: number): Bounds => ({ deadline: Date.now() + ms })
const sleep = (db: Executor) => sql`select pg_sleep(30)`.execute(db)
const pidOf = async (db: Executor): Promise<number | undefined> =>
  (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db)).rows[0]?.pid
const openDoor = (db: Executor, name: string) => sql`update doors set opened = opened + 1 where name = ${name}`.execute(db)
const openedOf = async (name: string): Promise<number | undefined> =>
  (await sql<{ opened: number }>`select opened from doors where name = ${name}`.execute(admin.kysely)).rows[0]?.opened

/** What Postgres works on, or waits for, in the name of our pools. */
const atWork = async (): Promise<string[]> =>
  (
    await sql<{ query: string }>`select query from pg_stat_activity where application_name = 'bounded' and datname = current_database()
      and state <> 'idle'`.execute(admin.kysely)
  ).rows.map(({ query }) => query)

/** The server tells of an error a moment before it says that it rests. */
async function atRest(): Promise<void> {
  const began = performance.now()
  for (let work = await atWork(); work.length > 0; work = await atWork()) {
    assert.ok(performance.now() - began < 2000, `Postgres still works on ${work.join()}`)
    await delay(2)
  }
}

async function whileLocked(name: string, act: () => Promise<void>): Promise<void> {
  await transact(admin.kysely, async (tx) => {
    await sql`select from doors where name = ${name} for update`.execute(tx)
    await act()
  })
}

async function msOf(act: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await act()
  return performance.now() - began
}

test('Postgres stops a slow statement when its caller’s deadline passes, and the connection is good for the next', async () => {
  await using connection = open()
  const pid = await pidOf(connection.kysely)
  const ms = await msOf(() =>
    assert.rejects(
      withinBounds(inMs(100), () => sleep(connection.kysely)),
      StatementAbandoned,
    ),
  )
  assert.ok(ms >= 100 && ms < 1000, `${ms} ms`)
  await atRest()
  assert.equal(await pidOf(connection.kysely), pid)
})

test('a transaction that waits for a row leaves with its caller, and undoes what it did', async () => {
  await using connection = open()
  await whileLocked('front', async () => {
    const waiting = withinBounds(inMs(100), () =>
      transact(connection.kysely, async (tx) => {
        await openDoor(tx, 'back')
        await openDoor(tx, 'front')
      }),
    )
    await assert.rejects(waiting, StatementAbandoned)
    await atRest()
    assert.deepEqual(connection.usage(), { open: 1, idle: 1, waiting: 0 })
  })
  assert.equal(await openedOf('back'), 0)
})

test('a caller who goes away ends the statement at once', async () => {
  await using connection = open()
  const caller = new AbortController()
  const statement = withinBounds({ signal: caller.signal }, () => sleep(connection.kysely))
  const settled = assert.rejects(statement, StatementAbandoned)
  while ((await atWork()).length === 0) await delay(2)
  caller.abort()
  await settled
  await atRest()
})

test('what nobody waits for is not sent, also in the middle of a transaction, and a rollback is', async () => {
  await using connection = open()
  await assert.rejects(
    withinBounds(inMs(0), () => openDoor(connection.kysely, 'front')),
    StatementAbandoned,
  )
  const caller = new AbortController()
  const changing = withinBounds({ signal: caller.signal }, () =>
    transact(connection.kysely, async (tx) => {
      await openDoor(tx, 'front')
      caller.abort()
    }),
  )
  await assert.rejects(changing, StatementAbandoned)
  assert.equal(await openedOf('front'), 0)
  await atRest()
})

test('whoever waits for a connection in vain takes none', async () => {
  await using connection = open()
  const release = Promise.withResolvers<void>()
  const holding = transact(connection.kysely, () => release.promise)
  const late = withinBounds(inMs(50), () => openDoor(connection.kysely, 'front'))
  await delay(60)
  release.resolve()
  await holding
  await assert.rejects(late, StatementAbandoned)
  assert.equal(await openedOf('front'), 0)
})

test('a call that ended in time bounds nothing that it left running', async () => {
  await using connection = open()
  const bounds = { deadline: Date.now() + 30, ended: false }
  const after = Promise.withResolvers<void>()
  const left = withinBounds(bounds, async () => {
    await after.promise
    return pidOf(connection.kysely)
  })
  bounds.ended = true
  await delay(40)
  after.resolve()
  assert.ok(await left)
  assert.ok(await withinBounds(inMs(0), () => unbounded(() => pidOf(connection.kysely))))
})

test('a batch is read as long as the most patient of its callers waits, and no longer', async () => {
  await using connection = open(2)
  const read = batched<string, string>(
    async (names) => {
      await sql`select pg_sleep(${names.includes('slow') ? 30 : 0.15})`.execute(connection.kysely)
      return new Map(names.map((name) => [name, name]))
    },
    { keyOf: (name) => name, maxInFlight: 1 },
  )
  const [patient, impatient] = await Promise.allSettled([read('a'), withinBounds(inMs(20), () => read('b'))])
  assert.deepEqual([patient.status, impatient.status], ['fulfilled', 'fulfilled'])

  const slow = ['slow', 'too'].map((name, i) => withinBounds(inMs(80 + 80 * i), () => read(name)))
  // It comes while the batch is under way, and its time is over when the next one goes out.
  const behind = delay(20).then(() => withinBounds(inMs(20), () => read('behind')))
  const ms = await msOf(() => Promise.all([...slow, behind].map((each) => assert.rejects(each, StatementAbandoned))))
  assert.ok(ms >= 160 && ms < 1000, `${ms} ms`)
  await atRest()
})

test('a joint write that waits for a rival goes on for who is patient, and is never tried again for who is not', async () => {
  await using connection = connect<unknown>({ url: database.url, poolSize: 2, applicationName: 'bounded', statementTimeoutMs: 200 })
  const alone: string[] = []
  const add = joined<string, string>({
    together: async (names) => {
      await sql`update doors set opened = opened + 1 where name = any(${names}::text[])`.execute(connection.kysely)
      return [...names]
    },
    alone: async (name) => {
      alone.push(name)
      await openDoor(connection.kysely, name)
      return name
    },
  })
  const before = await openedOf('back')
  await whileLocked('front', async () => {
    const [impatient, blocked, free] = await Promise.allSettled([
      withinBounds(inMs(50), () => add('back')),
      add('front'),
      withinBounds(inMs(5000), () => add('back')),
    ])
    assert.ok(impatient.status === 'rejected' && impatient.reason instanceof StatementAbandoned)
    assert.ok(blocked.status === 'rejected' && isUnavailable(blocked.reason))
    assert.equal(free.status, 'fulfilled')
  })
  assert.equal(await openedOf('back'), Number(before) + 1)
  assert.equal(alone.filter((name) => name === 'front').length, 1)
})

test('a joint write that a slow server did not finish is not tried again piece by piece', async () => {
  await using connection = connect<unknown>({ url: database.url, poolSize: 2, statementTimeoutMs: 100 })
  let alone = 0
  const add = joined<string, string>({
    together: async () => (await sleep(connection.kysely)) as never,
    alone: async () => `${++alone}`,
  })
  const outcomes = await Promise.allSettled(Array.from({ length: 50 }, (_, i) => add(String(i))))
  assert.ok(outcomes.every((outcome) => outcome.status === 'rejected' && isUnavailable(outcome.reason)))
  assert.equal(alone, 0)
})

test('a call that is late is not counted, and its count is cancelled', async () => {
  await using connection = open(2)
  const limits = postgresLimits(connection.kysely)
  const charges = [{ key: 'late', count: 2, windowSeconds: 86_400 * 365 }]
  await limits.take(charges)
  await transact(admin.kysely, async (tx) => {
    await sql`select from gatehouse_bounding.rate_limits for update`.execute(tx)
    await assert.rejects(
      withinBounds(inMs(60), () => limits.take(charges)),
      StatementAbandoned,
    )
    await atRest()
  })
  await assert.rejects(
    withinBounds(inMs(0), () => limits.take(charges)),
    StatementAbandoned,
  )
  assert.deepEqual(await limits.take(charges), { allowed: true })
})

test('a server that does not even stop holds a connection no longer than any statement may, and the connection is given up', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-stuck-'))
  await using server = await startPostgres({ dataDir: join(folder, 'data'), durable: false, keep: false })
  await using connection = connect<unknown>({ url: server.url, poolSize: 1, statementTimeoutMs: 100 })
  const pid = (await pidOf(connection.kysely)) as number
  process.kill(pid, 'SIGSTOP')
  try {
    const ms = await msOf(() =>
      assert.rejects(
        withinBounds(inMs(50), () => sleep(connection.kysely)),
        StatementAbandoned,
      ),
    )
    assert.ok(ms < 2000, `${ms} ms`)
    assert.notEqual(await pidOf(connection.kysely), pid)
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  await rm(folder, { recursive: true, force: true })
})
