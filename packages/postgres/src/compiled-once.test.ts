import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type TestDatabase, testDatabase } from '@gatehouse/testkit'
import { sql } from 'kysely'
import { compiledOnce, type Value } from './compiled-once.ts'
import { connect, type Database, type Db } from './connect.ts'
import { rowsAsTable } from './rows-as-table.ts'
import { transact } from './transact.ts'

type Tables = { things: { id: string; size: number; about: string | null; bytes: Buffer | null } }

let database: TestDatabase
let connected: Database<Tables>
before(async () => {
  database = await testDatabase({ service: 'compiling', sets: [] })
  connected = connect<Tables>({ url: database.url })
  await sql`create table things (id text primary key, size integer not null, about text, bytes bytea)`.execute(connected.kysely)
})
after(async () => {
  await connected[Symbol.asyncDispose]()
  await database.dispose()
})

let built = 0
const sized = compiledOnce((db: Db<Tables>, value: Value<{ from: number }>) => {
  built++
  return db
    .selectFrom('things')
    .select(['id', sql<string>`'fixed'`.as('fixed')])
    .where(
      'size',
      '>=',
      value(({ from }) => from),
    )
    .where('about', '=', 'kept')
    .orderBy('id')
})
const insert = compiledOnce((db: Db<Tables>, value: Value<readonly Tables['things'][]>) =>
  db
    .insertInto('things')
    .columns(['id', 'size', 'about', 'bytes'])
    .expression((from) =>
      from
        .selectFrom(
          rowsAsTable<Tables['things'], 'given'>('given', { id: 'text', size: 'integer', about: 'text', bytes: 'bytea' }, (column) =>
            value((rows) => rows.map((row) => row[column])),
          ),
        )
        .select(['id', 'size', 'about', 'bytes']),
    )
    .returning(['id', 'size', 'about', 'bytes']),
)

test('rows of any number and any text arrive as they are', async () => {
  const odd = { id: 'a{},"\\\'NULL\n', size: 1, about: null, bytes: Buffer.from([0, 255, 92]) }
  const rows = [odd, { id: 'b', size: 2, about: 'kept', bytes: null }, { id: 'c', size: 3, about: 'kept', bytes: Buffer.alloc(0) }]
  assert.deepEqual(await insert(connected.kysely, rows), rows)
  assert.deepEqual(await insert(connected.kysely, []), [])
})

test('a statement is built once and takes what differs from its arguments, in a transaction too', async () => {
  assert.deepEqual(await sized(connected.kysely, { from: 3 }), [{ id: 'c', fixed: 'fixed' }])
  const both = await transact(connected.kysely, (tx) => sized(tx, { from: 2 }))
  assert.deepEqual(
    both.map(({ id }) => id),
    ['b', 'c'],
  )
  assert.equal(built, 1)
})
