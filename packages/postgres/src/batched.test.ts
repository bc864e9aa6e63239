import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type TestDatabase, testDatabase } from '@gatehouse/testkit'
import { sql } from 'kysely'
import { batched } from './batched.ts'
import { connect, type Database } from './connect.ts'
import { DatabaseUnavailable } from './errors.ts'

type Key = { tenant: string; id: number }

let database: TestDatabase
let pool: Database<unknown>
before(async () => {
  database = await testDatabase({ service: 'batching', sets: [] })
  pool = connect<unknown>({ url: database.url })
  await sql`create table rows (tenant text, id integer, name text, primary key (tenant, id))`.execute(pool.kysely)
  await sql`insert into rows select t, i, t || i from unnest(array['a', 'b']) t, generate_series(1, 100) i`.execute(pool.kysely)
})
after(async () => {
  await pool[Symbol.asyncDispose]()
  await database.dispose()
})

const keyOf = ({ tenant, id }: Key): string => `${tenant} ${id}`

/** Counts the batches, and can hold them back. */
function reader(options: { maxKeys?: number; maxInFlight?: number; maxWaiting?: number; gate?: () => Promise<unknown> } = {}) {
  const batches: Key[][] = []
  const read = batched<Key, string>(
    async (keys) => {
      batches.push(keys)
      await options.gate?.()
      const { rows } = await sql<{ tenant: string; id: number; name: string }>`select tenant, id, name from rows
        where (tenant, id) in (select * from unnest(${keys.map(({ tenant }) => tenant)}::text[], ${keys.map(({ id }) => id)}::integer[]))`.execute(
        pool.kysely,
      )
      return new Map(rows.map((row) => [keyOf(row), row.name]))
    },
    { keyOf, ...options },
  )
  return { batches, read }
}

test('the reads of one turn are one statement, and every caller gets its own row', async () => {
  const { batches, read } = reader()
  const keys = [
    ...Array.from({ length: 50 }, (_, i) => ({ tenant: 'a', id: i + 1 })),
    { tenant: 'b', id: 1 },
    { tenant: 'a', id: 1 },
    { tenant: 'c', id: 1 },
  ]
  const found = await Promise.all(keys.map((key) => read(key)))
  assert.deepEqual(found, [...Array.from({ length: 50 }, (_, i) => `a${i + 1}`), 'b1', 'a1', undefined])
  assert.equal(batches.length, 1)
  assert.equal(batches[0]?.length, 52)
})

test('a read that comes after its batch was sent sees what was written before it', async () => {
  const gate = Promise.withResolvers<void>()
  let gates = 0
  const { batches, read } = reader({ gate: () => (gates++ === 0 ? gate.promise : Promise.resolve()) })
  const early = read({ tenant: 'b', id: 7 })
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(batches.length, 1)
  await sql`update rows set name = 'new' where tenant = 'b' and id = 7`.execute(pool.kysely)
  assert.equal(await read({ tenant: 'b', id: 7 }), 'new')
  gate.resolve()
  await early
})

test('batches are bounded in size and in number', async () => {
  let open = 0
  let most = 0
  const gate = async (): Promise<void> => {
    most = Math.max(most, ++open)
    await new Promise((resolve) => setImmediate(resolve))
    open--
  }
  const { batches, read } = reader({ maxKeys: 10, maxInFlight: 2, gate })
  const found = await Promise.all(Array.from({ length: 95 }, (_, i) => read({ tenant: 'a', id: i + 1 })))
  assert.equal(found[94], 'a95')
  assert.equal(batches.length, 10)
  assert.ok(batches.every((keys) => keys.length <= 10))
  assert.equal(most, 2)
})

test('too many waiting reads are refused', async () => {
  const { read } = reader({ maxWaiting: 5 })
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => read({ tenant: 'a', id: i + 1 })))
  const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
  assert.equal(refused.length, 3)
  assert.ok(refused.every(({ reason }) => reason instanceof DatabaseUnavailable))
})

test('many who wait for one row are as many', async () => {
  const { read, batches } = reader({ maxWaiting: 5 })
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => read({ tenant: 'a', id: 1 })))
  assert.equal(outcomes.filter(({ status }) => status === 'rejected').length, 3)
  assert.equal(batches.length, 1)
  const leaving = new AbortController()
  const left = Array.from({ length: 5 }, () => read({ tenant: 'a', id: 1 }, { signal: leaving.signal }))
  leaving.abort()
  await Promise.allSettled(left)
  assert.equal(await read({ tenant: 'a', id: 1 }), 'a1')
})

test('a failed batch fails its callers and nobody else', async () => {
  let failing = true
  const gate = async (): Promise<void> => {
    if (failing) throw new Error('broken')
  }
  const { read } = reader({ gate })
  await assert.rejects(Promise.all([read({ tenant: 'a', id: 1 }), read({ tenant: 'a', id: 2 })]), { message: 'broken' })
  failing = false
  assert.equal(await read({ tenant: 'a', id: 1 }), 'a1')
})

test('an aborted caller leaves alone, and nothing is read for nobody', async () => {
  const { batches, read } = reader()
  const leaving = new AbortController()
  const left = read({ tenant: 'a', id: 1 }, { signal: leaving.signal })
  const alone = read({ tenant: 'a', id: 2 }, { signal: leaving.signal })
  const staying = read({ tenant: 'a', id: 1 })
  leaving.abort(new Error('deadline'))
  await assert.rejects(left, { message: 'deadline' })
  await assert.rejects(alone, { message: 'deadline' })
  assert.equal(await staying, 'a1')
  assert.deepEqual(batches, [[{ tenant: 'a', id: 1 }]])
})
