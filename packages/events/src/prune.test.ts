import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { connect, type Database, type Executor, migrate, pruneLimits, pruneRequests, sharedMigrations, transact } from '@gatehouse/postgres'
import { type PostgresServer, startPostgres } from '@gatehouse/testkit'
import { sql } from 'kysely'
import { eventMigrations } from './event-migrations.ts'
import { pruneInbox } from './inbox.ts'
import { pruneOutbox } from './outbox.ts'

const rows = 8_000
const cycles = 3
/** Of each cycle and table so many rows have to stay. */
const staying = 50
const piece = 1_000

let folder: string
let server: PostgresServer
let database: Database<unknown>
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-prune-'))
  server = await startPostgres({ dataDir: join(folder, 'data'), durable: false, keep: false })
  const schema = 'gatehouse_pruning'
  await migrate({ url: server.url, schema, sets: [sharedMigrations, eventMigrations] })
  database = connect<unknown>({ url: `${server.url}?options=-c%20search_path%3D${schema}`, poolSize: 4 })
  // As on any server, but looked after every second instead of every minute.
  await sql`alter system set autovacuum_naptime = '1s'`.execute(database.kysely)
  await sql`select pg_reload_conf()`.execute(database.kysely)
})
after(async () => {
  await database?.[Symbol.asyncDispose]()
  await server?.stop()
  await rm(folder, { recursive: true, force: true })
})

const epoch = 0n
let written = 0

type Table = {
  /** Writes rows that have had their time, and a few that have not. */
  readonly write: (db: Executor) => Promise<unknown>
  readonly prune: (db: Executor) => Promise<number>
  /** One row more, as a call writes it. */
  readonly writeOne: (db: Executor) => Promise<unknown>
}

const tables: Readonly<Record<'outbox' | 'inbox' | 'requests' | 'rate_limits', Table>> = {
  outbox: {
    async write(db) {
      await sql`insert into outbox (tenant, id, type, subject, key, version, payload)
        select 'default', gen_random_uuid(), 'type', 'subject', 'key ' || n, 1, repeat('x', 60)::bytea from generate_series(1, ${rows + staying}::integer) n`.execute(
        db,
      )
      // Half of what stays waits for the broker, however long; the other half was published last, yesterday.
      await sql`update outbox set position = numbered.position + ${written}::integer + case when numbered.position <= ${rows}::integer then 0 else 1000000 end,
          published_time = now() - make_interval(days => case when numbered.position <= ${rows}::integer then 8 else 1 end)
        from (select id, row_number() over (order by id) as position from outbox where position is null) numbered
        where outbox.id = numbered.id and numbered.position <= ${rows + staying / 2}::integer`.execute(db)
      written += rows + staying
    },
    prune: (db) => pruneOutbox(db, epoch, 7, piece),
    writeOne: (db) =>
      sql`insert into outbox (tenant, id, type, subject, key, version, payload)
      values ('default', gen_random_uuid(), 'type', 'subject', 'key', 1, ''::bytea)`.execute(db),
  },
  inbox: {
    write: (db) =>
      sql`insert into inbox (tenant, event_id, consumer, create_time)
      select 'default', gen_random_uuid()::text, 'test', now() - make_interval(days => case when n <= ${rows}::integer then 31 else 29 end)
      from generate_series(1, ${rows + staying}::integer) n`.execute(db),
    prune: (db) => pruneInbox(db, piece),
    writeOne: (db) => sql`insert into inbox (tenant, event_id, consumer) values ('default', gen_random_uuid()::text, 'test')`.execute(db),
  },
  requests: {
    write: (db) =>
      sql`insert into requests (tenant, caller, method, request_id, fingerprint, result_id, create_time)
      select 'default', 'ada', 'Create', gen_random_uuid()::text, 'f', 'r', now() - make_interval(days => case when n <= ${rows}::integer then 31 else 29 end)
      from generate_series(1, ${rows + staying}::integer) n`.execute(db),
    prune: (db) => pruneRequests(db, { limit: piece }),
    writeOne: (db) =>
      sql`insert into requests (tenant, caller, method, request_id, fingerprint)
      values ('default', 'ada', 'Create', gen_random_uuid()::text, 'f')`.execute(db),
  },
  rate_limits: {
    write: (db) =>
      sql`insert into rate_limits (tenant, key, window_seconds, window_start, taken, expire_time)
      select '', gen_random_uuid()::text, 60, 0, 1, now() + make_interval(secs => case when n <= ${rows}::integer then -1 else 3600 end)
      from generate_series(1, ${rows + staying}::integer) n`.execute(db),
    prune: (db) => pruneLimits(db, piece),
    writeOne: (db) =>
      sql`insert into rate_limits (tenant, key, window_seconds, window_start, taken, expire_time)
      values ('', gen_random_uuid()::text, 60, 0, 1, now() + interval '1 hour')`.execute(db),
  },
}
const names = Object.keys(tables) as (keyof typeof tables)[]

type Seen = { readonly bytes: number; readonly live: number; readonly vacuums: number }

async function see(name: string): Promise<Seen> {
  await sql`select pg_stat_force_next_flush()`.execute(database.kysely)
  const { rows: found } = await sql<{ bytes: bigint; live: bigint; vacuums: bigint }>`select pg_total_relation_size(relid) as bytes,
      (select count(*) from ${sql.id(name)}) as live, autovacuum_count as vacuums
    from pg_stat_user_tables where relname = ${name}`.execute(database.kysely)
  const { bytes = 0n, live = 0n, vacuums = 0n } = found[0] ?? {}
  return { bytes: Number(bytes), live: Number(live), vacuums: Number(vacuums) }
}

/** Waits until the server has cleaned the table by itself. */
async function cleaned(name: string, before: number): Promise<void> {
  for (const began = performance.now(); (await see(name)).vacuums === before; await delay(50)) {
    assert.ok(performance.now() - began < 30_000, `${name} is not cleaned by itself`)
  }
}

test('while rows are written and pruned for ever the tables stay as large as they were, and what is to stay stays', async () => {
  const sizes = new Map<string, number[]>(names.map((name) => [name, []]))
  const one = async (name: keyof typeof tables, cycle: number): Promise<void> => {
    const { write, prune } = tables[name]
    const { vacuums } = await see(name)
    await write(database.kysely)
    let removed = 0
    for (let last = piece; last === piece; removed += last) last = await prune(database.kysely)
    const seen = await see(name)
    assert.equal(removed, rows, name)
    assert.equal(seen.live, cycle * staying, name)
    sizes.get(name)?.push(seen.bytes)
    await cleaned(name, vacuums)
  }
  for (let cycle = 1; cycle <= cycles; cycle++) await Promise.all(names.map((name) => one(name, cycle)))
  for (const [name, [, second = 0, ...later]] of sizes) {
    for (const bytes of later) assert.ok(bytes <= 1.3 * second, `${name} grows: ${sizes.get(name)}`)
  }
})

test('pruning keeps nobody from writing, and two who prune do not wait for each other', async () => {
  for (const name of names) {
    const { write, prune, writeOne } = tables[name]
    await write(database.kysely)
    await transact(database.kysely, async (tx) => {
      assert.equal(await prune(tx), piece, name)
      await transact(database.kysely, async (other) => {
        await sql`set local lock_timeout = '100ms'`.execute(other)
        await writeOne(other)
        // One relay at a time prunes an outbox.
        if (name !== 'outbox') assert.equal(await prune(other), piece, name)
      })
    })
  }
})
