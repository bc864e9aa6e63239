import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { testDatabase } from '@gatehouse/testkit'
import { sql } from 'kysely'
import { connect } from './connect.ts'
import { type CopyField, copyRows } from './copy.ts'
import { isUniqueViolation } from './errors.ts'
import { transact } from './transact.ts'

const database = await testDatabase({ service: 'copy', sets: [] })
const connected = connect<unknown>({ url: database.url, poolSize: 1 })
const db = connected.kysely
await sql`create table things (id integer primary key, name text, kind bytea, large bigint, good boolean)`.execute(db)
after(async () => {
  await connected[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

const things = { table: 'things', columns: ['id', 'name', 'kind', 'large', 'good'] }
const count = async () => Number((await sql<{ n: bigint }>`select count(*) as n from things`.execute(db)).rows[0]?.n)

test('every kind of value comes as it was', async () => {
  const name = 'back\\slash\ttab\nline\rreturn\b\f\v \\N \\. "quoted" ✓ 😀'
  const rows: CopyField[][] = [
    [1, name, Buffer.from([0, 92, 255]), 9_007_199_254_740_993n, true],
    [2, null, null, null, null],
    [3, '', Buffer.alloc(0), -1n, false],
  ]
  assert.equal(await transact(db, (tx) => copyRows(tx, things, rows)), 3)
  const { rows: found } = await sql`select id, name, kind, large, good from things order by id`.execute(db)
  assert.deepEqual(
    found,
    rows.map(([id, name, kind, large, good]) => ({ id, name, kind, large, good })),
  )
})

test('many rows are asked for as they are taken', async () => {
  let made = 0
  function* rows() {
    for (let id = 1000; id < 51_000; id++) {
      made++
      yield [id, 'x'.repeat(100), null, null, null]
    }
  }
  assert.equal(await transact(db, (tx) => copyRows(tx, things, rows())), 50_000)
  assert.equal(made, 50_000)
})

test('one row that breaks a rule fails all of them, and the connection goes on', async () => {
  const before = await count()
  function* rows() {
    for (let id = 100_000; id < 150_000; id++) yield [id === 120_000 ? 1 : id, 'x'.repeat(100), null, null, null]
  }
  await assert.rejects(
    transact(db, (tx) => copyRows(tx, things, rows())),
    (error) => isUniqueViolation(error, 'things_pkey'),
  )
  assert.equal(await count(), before)
})

test('rows that cannot be made are not half loaded, and the connection goes on', async () => {
  const before = await count()
  function* rows() {
    for (let id = 200_000; id < 210_000; id++) yield [id, 'x'.repeat(100), null, null, null]
    throw new RangeError('no more')
  }
  await assert.rejects(
    transact(db, (tx) => copyRows(tx, things, rows())),
    { message: 'no more' },
  )
  assert.equal(await count(), before)
})

test('nothing is loaded outside a transaction', async () => {
  await assert.rejects(copyRows(db, things, []), TypeError)
})
