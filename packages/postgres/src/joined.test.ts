import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type TestDatabase, testDatabase } from '@gatehouse/testkit'
import { sql } from 'kysely'
import { connect, type Database } from './connect.ts'
import { DatabaseUnavailable } from './errors.ts'
import { joined } from './joined.ts'

let database: TestDatabase
let connected: Database<unknown>
before(async () => {
  database = await testDatabase({ service: 'joining', sets: [] })
  connected = connect<unknown>({ url: database.url })
  await sql`create table things (name text primary key check (name <> 'bad'))`.execute(connected.kysely)
})
after(async () => {
  await connected[Symbol.asyncDispose]()
  await database.dispose()
})

type Write = { name: string; how: 'together' | 'alone' }

/** Writes names that are free together and answers how each was written. */
const names = (options: { maxInputs?: number; maxWaiting?: number } = {}) => {
  const batches: number[] = []
  const add = joined<string, Write>({
    async together(inputs) {
      batches.push(inputs.length)
      const { rows } = await sql<{ name: string }>`insert into things select * from unnest(${inputs}::text[])
        on conflict do nothing returning name`.execute(connected.kysely)
      const made = new Set(rows.map(({ name }) => name))
      return inputs.map((name) => (made.has(name) ? { name, how: 'together' } : undefined))
    },
    async alone(name) {
      await sql`insert into things values (${name})`.execute(connected.kysely)
      return { name, how: 'alone' }
    },
    ...options,
  })
  return { add, batches }
}

test('what comes in one turn is one write', async () => {
  const { add, batches } = names()
  const written = await Promise.all(['a', 'b', 'c'].map(add))
  assert.deepEqual(
    written.map(({ how }) => how),
    ['together', 'together', 'together'],
  )
  assert.deepEqual(batches, [3])
})

test('what is left untouched is written alone, and fails nobody else', async () => {
  const { add } = names()
  await add('taken')
  const [first, taken] = await Promise.allSettled(['free', 'taken'].map(add))
  assert.equal(first?.status, 'fulfilled')
  assert.equal(taken?.status === 'rejected' && taken.reason.code, '23505')
})

test('when the server undoes a joint write, each is written alone', async () => {
  const { add } = names()
  const [bad, good] = await Promise.allSettled(['bad', 'good'].map(add))
  assert.equal(bad?.status === 'rejected' && bad.reason.code, '23514')
  assert.deepEqual(good, { status: 'fulfilled', value: { name: 'good', how: 'alone' } })
})

test('a fault of the statement is nobody’s, and is told to all', async () => {
  let alone = 0
  const add = joined<string, string>({
    together: async () => (await sql`insert into nowhere values (1)`.execute(connected.kysely)) as never,
    alone: async () => `${++alone}`,
  })
  await assert.rejects(add('x'), { code: '42P01' })
  assert.equal(alone, 0)
})

test('a lost connection is told to all, because nobody knows what it did', async () => {
  let alone = 0
  const add = joined<string, string>({
    together: async () => (await sql`select pg_terminate_backend(pg_backend_pid())`.execute(connected.kysely)) as never,
    alone: async () => `${++alone}`,
  })
  const outcomes = await Promise.allSettled(['x', 'y'].map(add))
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  assert.equal(alone, 0)
})

test('more than one write holds go out as several, and more than may wait are refused', async () => {
  const { add, batches } = names({ maxInputs: 2, maxWaiting: 3 })
  const outcomes = await Promise.allSettled(['p', 'q', 'r', 's'].map(add))
  assert.deepEqual(batches, [2, 1])
  const refused = outcomes.at(-1)
  assert.ok(refused?.status === 'rejected' && refused.reason instanceof DatabaseUnavailable)
})
