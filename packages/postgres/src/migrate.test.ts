import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type TestDatabase, testDatabase } from '@gatehouse/testkit'
import { sql } from 'kysely'
import { connect } from './connect.ts'
import { assertSchema, MigrationRefused, type MigrationSet, migrate, SchemaBusy, SchemaOutdated, schemaVersion } from './migrate.ts'
import { sharedMigrations } from './shared-migrations.ts'

let database: TestDatabase
before(async () => {
  database = await testDatabase({ service: 'migrating', sets: [] })
})
after(() => database.dispose())

const people = (name: string, columns = 'id uuid primary key'): MigrationSet => ({
  name,
  migrations: [
    {
      id: '0001-people',
      async up(db) {
        await sql`create table ${sql.id(name)} (${sql.raw(columns)})`.execute(db)
        await sql`insert into ${sql.id(name)} (id) values ('00000000-0000-7000-8000-000000000001')`.execute(db)
      },
    },
  ],
})

test('twenty migrators at once apply each migration once', async () => {
  const sets = [people('twenty'), sharedMigrations]
  const results = await Promise.all(Array.from({ length: 20 }, () => migrate({ url: database.adminUrl, schema: 'fresh_schema', sets })))
  const applied = results.flatMap((result) => result.applied)
  const each = ['postgres/0001-rate-limits', 'postgres/0002-requests', 'postgres/0003-vacuum-often', 'twenty/0001-people']
  assert.deepEqual(applied.sort(), each)
})

test('a second run applies only what is new', async () => {
  const schema = 'gatehouse_migrating'
  assert.deepEqual(await migrate({ url: database.url, schema, sets: [people('first')] }), { applied: ['first/0001-people'] })
  assert.deepEqual(await migrate({ url: database.url, schema, sets: [people('first'), people('second')] }), {
    applied: ['second/0001-people'],
  })
  await using connection = connect<unknown>({ url: database.url })
  assert.deepEqual(await schemaVersion(connection.kysely), ['first/0001-people', 'second/0001-people'])
})

test('refuses a landed migration that reads differently, and applies nothing of that run', async () => {
  const schema = 'gatehouse_migrating'
  await migrate({ url: database.url, schema, sets: [people('landed')] })
  const changed = people('landed', 'id uuid primary key, name text')
  await assert.rejects(migrate({ url: database.url, schema, sets: [people('beside'), changed] }), MigrationRefused)
  await using connection = connect<unknown>({ url: database.url })
  assert.ok(!(await schemaVersion(connection.kysely)).includes('beside/0001-people'))
})

test('a failing migration leaves nothing behind, and those before it stay', async () => {
  const schema = 'gatehouse_migrating'
  const failing: MigrationSet = {
    name: 'failing',
    migrations: [
      ...people('before').migrations,
      {
        id: '0002-wrong',
        async up(db) {
          await people('half').migrations[0]?.up(db)
          await sql`create table wrong (id nonsense)`.execute(db)
        },
      },
    ],
  }
  await assert.rejects(migrate({ url: database.url, schema, sets: [failing] }), { code: '42704' })
  await migrate({ url: database.url, schema, sets: [people('half')] })
  await using connection = connect<unknown>({ url: database.url })
  assert.ok((await schemaVersion(connection.kysely)).includes('failing/0001-people'))
})

test('a migration gives way to whoever works on its tables, and is done when they are', async () => {
  const schema = 'gatehouse_migrating'
  const [first, second] = [people('used'), people('also_used')]
  await migrate({ url: database.url, schema, sets: [first, second] })
  const crossing: MigrationSet = {
    name: 'crossing',
    migrations: [
      {
        id: '0001-columns',
        async up(db) {
          await sql`alter table used add column more text`.execute(db)
          await sql`alter table also_used add column more text`.execute(db)
        },
      },
    ],
  }
  await using other = connect<unknown>({ url: database.url })
  const applied = other.kysely.transaction().execute(async (tx) => {
    await sql`update also_used set id = id`.execute(tx)
    const migrating = migrate({ url: database.url, schema, sets: [first, second, crossing] })
    // As soon as the migration has the one table and waits for the other, this crosses it.
    for (let waits = false; !waits; ) {
      const { rows } = await sql`select from pg_locks where relation = 'also_used'::regclass and not granted`.execute(other.kysely)
      waits = rows.length > 0
    }
    await sql`update used set id = id`.execute(tx)
    return { migrating }
  })
  assert.deepEqual(await (await applied).migrating, { applied: ['crossing/0001-columns'] })
})

test('a migration whose tables somebody holds for ever says so, and changes nothing', async () => {
  const schema = 'gatehouse_migrating'
  const sets = [people('held')]
  await migrate({ url: database.url, schema, sets })
  const change: MigrationSet = {
    name: 'change',
    migrations: [{ id: '0001-column', up: async (db) => void (await sql`alter table held add column more text`.execute(db)) }],
  }
  await using other = connect<unknown>({ url: database.url })
  await other.kysely.transaction().execute(async (tx) => {
    await sql`select from held`.execute(tx)
    await assert.rejects(migrate({ url: database.url, schema, sets: [...sets, change], patienceMs: 100 }), SchemaBusy)
    // Who comes later is not kept waiting behind it.
    await sql`select from held`.execute(other.kysely)
  })
  assert.deepEqual(await migrate({ url: database.url, schema, sets: [...sets, change] }), { applied: ['change/0001-column'] })
})

test('names the migrations that a schema lacks', async () => {
  await using connection = connect<unknown>({ url: database.url })
  await assert.rejects(assertSchema(connection.kysely, [people('absent')]), (error) => {
    assert.ok(error instanceof SchemaOutdated)
    assert.deepEqual(error.missing, ['absent/0001-people'])
    return true
  })
})

test('a role of its own gets the rows and not the tables', async () => {
  await migrate({ url: database.adminUrl, schema: 'rows_only', role: 'gatehouse_migrating', sets: [people('owned')] })
  await using connection = connect<unknown>({ url: database.url })
  const { rows } = await sql`select id from rows_only.owned`.execute(connection.kysely)
  assert.equal(rows.length, 1)
  await assert.rejects(sql`drop table rows_only.owned`.execute(connection.kysely), { code: '42501' })
})

test('of a table that is insert-only it gets no more than that, each time', async () => {
  const log = { name: 'noted', insertOnly: ['noted'], migrations: people('noted').migrations }
  for (let i = 0; i < 2; i++) await migrate({ url: database.adminUrl, schema: 'noting', role: 'gatehouse_migrating', sets: [log] })
  await using connection = connect<unknown>({ url: database.url })
  const before = await sql`select id from noting.noted`.execute(connection.kysely)
  await sql`insert into noting.noted select * from noting.noted where false`.execute(connection.kysely)
  await assert.rejects(sql`update noting.noted set id = id`.execute(connection.kysely), { code: '42501' })
  await assert.rejects(sql`delete from noting.noted`.execute(connection.kysely), { code: '42501' })
  assert.equal((await sql`select id from noting.noted`.execute(connection.kysely)).rows.length, before.rows.length)
})
