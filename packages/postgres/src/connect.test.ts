import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { inspect } from 'node:util'
import { type PostgresServer, startPostgres, type TestDatabase, testDatabase } from '@gatehouse/testkit'
import { sql } from 'kysely'
import { connect } from './connect.ts'
import { DatabaseUnavailable, isUnavailable, isUniqueViolation } from './errors.ts'
import { transact } from './transact.ts'

type Tables = { people: { id: string; name: string; version: bigint; born: Date } }

let database: TestDatabase
before(async () => {
  database = await testDatabase({ service: 'connecting', sets: [] })
  await using connection = connect<Tables>({ url: database.url })
  await sql`create table people (id text primary key, name text not null, version bigint not null, born timestamptz not null)`.execute(
    connection.kysely,
  )
})
after(() => database.dispose())

const ada = { id: 'ada', name: 'Ada', version: 9_007_199_254_740_993n, born: new Date('1815-12-10T00:00:00Z') }

test('reads bigint and time as they were written', async () => {
  await using connection = connect<Tables>({ url: database.url })
  await connection.kysely.insertInto('people').values(ada).execute()
  const found = await connection.kysely.selectFrom('people').select(['id', 'name', 'version', 'born']).executeTakeFirstOrThrow()
  assert.deepEqual(found, ada)
})

test('a taken key is told by its constraint', async () => {
  await using connection = connect<Tables>({ url: database.url })
  const grace = { ...ada, id: 'grace' }
  await connection.kysely.insertInto('people').values(grace).execute()
  const again = connection.kysely.insertInto('people').values(grace).execute()
  await assert.rejects(
    again,
    (error) => isUniqueViolation(error) && isUniqueViolation(error, 'people_pkey') && !isUniqueViolation(error, 'people_name'),
  )
})

test('no error repeats the values of a row', async () => {
  await using connection = connect<Tables>({ url: database.url })
  await connection.kysely
    .insertInto('people')
    .values({ ...ada, id: 'secret@example.com' })
    .execute()
  const again = connection.kysely
    .insertInto('people')
    .values({ ...ada, id: 'secret@example.com' })
    .execute()
  await assert.rejects(again, (error) => !inspect(error, { depth: 9, showHidden: true }).includes('secret@example.com'))
})

test('prepares a text that comes back, and no more than 200 of them', async () => {
  await using connection = connect<Tables>({ url: database.url, poolSize: 1 })
  const names = () => sql<{ statement: string }>`select statement from pg_prepared_statements`.execute(connection.kysely)
  for (let i = 0; i < 3; i++) await connection.kysely.selectFrom('people').select('id').where('id', '=', String(i)).execute()
  assert.deepEqual(
    (await names()).rows.map(({ statement }) => statement),
    ['select "id" from "people" where "id" = $1'],
  )
  for (let i = 0; i < 300; i++) {
    for (let twice = 0; twice < 2; twice++) await sql`select ${i}::integer as ${sql.id(`c${i}`)}`.execute(connection.kysely)
  }
  assert.equal((await names()).rows.length, 200)
})

test('without names nothing is prepared', async () => {
  await using connection = connect<Tables>({ url: database.url, poolSize: 1, namedStatements: false })
  for (let i = 0; i < 3; i++) await sql`select ${i}::integer`.execute(connection.kysely)
  assert.equal((await sql`select from pg_prepared_statements`.execute(connection.kysely)).rows.length, 0)
})

test('a table that changes under prepared statements is not noticed by callers', async () => {
  await using connection = connect<Tables>({ url: database.url, poolSize: 1 })
  const read = (db = connection.kysely) => sql<{ id: string }>`select * from people where id = ${'ada'}`.execute(db)
  for (let i = 0; i < 3; i++) await read()
  await using other = connect<Tables>({ url: database.url })
  await sql`alter table people add column nickname text`.execute(other.kysely)
  assert.equal((await read()).rows[0]?.id, 'ada')
  for (let i = 0; i < 3; i++) await read()
  await sql`alter table people drop column nickname`.execute(other.kysely)
  let runs = 0
  const found = await transact(connection.kysely, async (tx) => {
    runs++
    return await read(tx)
  })
  assert.equal(found.rows[0]?.id, 'ada')
  assert.equal(runs, 2)
})

test('a deadlock is solved by running one of the two again', async () => {
  await using connection = connect<Tables>({ url: database.url })
  await connection.kysely
    .insertInto('people')
    .values([
      { ...ada, id: 'x' },
      { ...ada, id: 'y' },
    ])
    .execute()
  const first = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const
  let runs = 0
  const rename = (ids: readonly [string, string], mine: 0 | 1) =>
    transact(connection.kysely, async (tx) => {
      runs++
      await tx.updateTable('people').set({ name: 'new' }).where('id', '=', ids[0]).execute()
      first[mine].resolve()
      await first[mine === 0 ? 1 : 0].promise
      await tx.updateTable('people').set({ name: 'new' }).where('id', '=', ids[1]).execute()
    })
  await Promise.all([rename(['x', 'y'], 0), rename(['y', 'x'], 1)])
  assert.equal(runs, 3)
})

test('a statement that is refused for a conflict is sent again, and is unavailable when it always is', async () => {
  await using connection = connect<Tables>({ url: database.url, poolSize: 1 })
  await sql`create table refusals (left_over integer not null)`.execute(connection.kysely)
  await sql`create sequence refused_runs`.execute(connection.kysely)
  // A sequence goes on though its transaction is undone.
  await sql`create function refuse() returns trigger language plpgsql as $$ begin
    if nextval('refused_runs') <= new.left_over then raise exception 'in conflict' using errcode = '40001'; end if; return new; end $$`.execute(
    connection.kysely,
  )
  await sql`create trigger refuse before insert on refusals for each row execute function refuse()`.execute(connection.kysely)
  const add = (refusals: number) => sql`insert into refusals values (${refusals})`.execute(connection.kysely)
  await add(4)
  await sql`alter sequence refused_runs restart`.execute(connection.kysely)
  await assert.rejects(add(100), isUnavailable)
  const { rows } = await sql<{
    runs: bigint
    kept: bigint
  }>`select last_value as runs, (select count(*) from refusals) as kept from refused_runs`.execute(connection.kysely)
  assert.deepEqual(rows, [{ runs: 5n, kept: 1n }])
})

test('a statement that runs too long ends as unavailable, and the pool goes on', async () => {
  await using connection = connect<Tables>({ url: database.url, poolSize: 1, statementTimeoutMs: 100 })
  await assert.rejects(sql`select pg_sleep(30)`.execute(connection.kysely), isUnavailable)
  await sql`select 1`.execute(connection.kysely)
})

test('waiting for a connection is bounded in time and in number', async () => {
  await using connection = connect<Tables>({ url: database.url, poolSize: 1, connectTimeoutMs: 200, maxWaiting: 3 })
  const release = Promise.withResolvers<void>()
  const taken = Promise.withResolvers<void>()
  const holding = transact(connection.kysely, async () => {
    taken.resolve()
    await release.promise
  })
  await taken.promise
  const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => sql`select 1`.execute(connection.kysely)))
  release.resolve()
  await holding
  const errors = outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason : undefined))
  assert.ok(errors.every((error) => error instanceof DatabaseUnavailable))
  assert.equal(errors.filter(({ message }) => /wait for a database connection already/.test(message)).length, 2)
  await sql`select 1`.execute(connection.kysely)
})

test('the first error of a transaction reaches the caller also when the connection is lost', async () => {
  await using connection = connect<Tables>({ url: database.url })
  const doomed = transact(connection.kysely, async (tx) => {
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx)
    await using admin = connect<unknown>({ url: database.adminUrl })
    await sql`select pg_terminate_backend(${rows[0]?.pid}::integer)`.execute(admin.kysely)
    const gone = () => sql`select from pg_stat_activity where pid = ${rows[0]?.pid}::integer`.execute(admin.kysely)
    while ((await gone()).rows.length > 0) await delay(5)
    await delay(20)
    await sql`select 1`.execute(tx)
  })
  await assert.rejects(doomed, isUnavailable)
  await sql`select 1`.execute(connection.kysely)
})

test('a transaction does not notice that its pooled connection was dead', async () => {
  await using connection = connect<Tables>({ url: database.url, poolSize: 5 })
  await using admin = connect<unknown>({ url: database.adminUrl, poolSize: 1 })
  for (let round = 0; round < 20; round++) {
    await Promise.all(Array.from({ length: 5 }, () => sql`select pg_sleep(0.001)`.execute(connection.kysely)))
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`.execute(
      admin.kysely,
    )
    await transact(connection.kysely, (tx) => sql`select 1`.execute(tx))
  }
})

test('a role that does not exist is no outage', async () => {
  const url = new URL(database.url)
  url.username = 'nobody_here'
  await using connection = connect<unknown>({ url: url.href })
  await assert.rejects(sql`select 1`.execute(connection.kysely), (error) => !isUnavailable(error))
})

test('recovers by itself in seconds when the server restarts', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-restart-'))
  const dataDir = join(folder, 'data')
  let server: PostgresServer | undefined = await startPostgres({ dataDir, durable: false })
  try {
    await using connection = connect<unknown>({ url: server.url })
    const ask = () => sql`select 1`.execute(connection.kysely)
    await Promise.all(Array.from({ length: 10 }, ask))
    const { port } = server
    const sleeping = sql`select pg_sleep(60)`.execute(connection.kysely)
    await Promise.all([assert.rejects(sleeping, isUnavailable), server.stop()])
    const away = await Promise.allSettled(Array.from({ length: 50 }, ask))
    for (const outcome of away)
      assert.ok(outcome.status === 'rejected' && isUnavailable(outcome.reason), String((outcome as PromiseRejectedResult).reason))
    server = await startPostgres({ dataDir, durable: false, keep: false, port })
    const back = performance.now()
    for (;;) {
      const outcome = await ask().catch((error: unknown) => error)
      if (!(outcome instanceof Error)) break
      assert.ok(isUnavailable(outcome))
      assert.ok(performance.now() - back < 5000, String(outcome))
      await delay(20)
    }
    await Promise.all(Array.from({ length: 50 }, ask))
  } finally {
    await server?.stop()
    await rm(folder, { recursive: true, force: true })
  }
})

test('a server that is frozen is unavailable and not for ever', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-frozen-'))
  await using server = await startPostgres({ dataDir: join(folder, 'data'), durable: false, keep: false })
  await using connection = connect<unknown>({ url: server.url, poolSize: 2, statementTimeoutMs: 200, connectTimeoutMs: 500 })
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(connection.kysely)
  const pid = rows[0]?.pid as number
  process.kill(pid, 'SIGSTOP')
  try {
    await assert.rejects(sql`select 1`.execute(connection.kysely), isUnavailable)
    await sql`select 1`.execute(connection.kysely)
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  await rm(folder, { recursive: true, force: true })
})
