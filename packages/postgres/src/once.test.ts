import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type TestDatabase, testDatabase } from '@gatehouse/testkit'
import { type Kysely, sql } from 'kysely'
import { connect, type Database } from './connect.ts'
import { once, pruneRequests, RequestIdReused } from './once.ts'
import { sharedMigrations } from './shared-migrations.ts'
import { transact } from './transact.ts'

let database: TestDatabase
let pools: Database<unknown>[]
before(async () => {
  database = await testDatabase({ service: 'requesting', sets: [sharedMigrations] })
  pools = [1, 2].map(() => connect<unknown>({ url: database.url, poolSize: 10 }))
  await sql`create table things (id text primary key)`.execute(db(0))
})
after(async () => {
  for (const pool of pools) await pool[Symbol.asyncDispose]()
  await database.dispose()
})

const db = (i: number): Kysely<unknown> => (pools[i % pools.length] as Database<unknown>).kysely
const request = (change: object = {}) => ({
  tenant: 'default',
  caller: 'ada',
  method: 'Create',
  requestId: randomUUID(),
  fingerprint: 'f',
  ...change,
})

const create = (at: Kysely<unknown>, asked: ReturnType<typeof request>): Promise<{ id: string; repeated: boolean }> =>
  transact(at, (tx) =>
    once(tx, asked, async () => {
      const id = randomUUID()
      await sql`insert into things (id) values (${id})`.execute(tx)
      return id
    }),
  )

const countThings = async (): Promise<number> =>
  Number((await sql<{ n: bigint }>`select count(*) as n from things`.execute(db(0))).rows[0]?.n)

test('parallel duplicates through two pools act once and answer the same', async () => {
  const before = await countThings()
  const asked = request()
  const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => create(db(i), asked)))
  assert.equal(new Set(answers.map(({ id }) => id)).size, 1)
  assert.equal(answers.filter(({ repeated }) => !repeated).length, 1)
  assert.equal(await countThings(), before + 1)
})

test('refuses a request id that was used for another request', async () => {
  const asked = request()
  await create(db(0), asked)
  await assert.rejects(create(db(1), { ...asked, fingerprint: 'g' }), RequestIdReused)
})

test('a request is known by the fingerprint that another key gives it', async () => {
  const asked = request()
  const { id } = await create(db(0), asked)
  const again = { ...asked, fingerprint: 'under another key', alsoKnownAs: (held: string) => held === 'f' }
  assert.deepEqual(await create(db(1), again), { id, repeated: true })
})

test('callers, tenants and methods do not meet', async () => {
  const asked = request()
  const others = [{}, { caller: 'bob' }, { tenant: 'acme' }, { method: 'Send' }].map((change) =>
    create(db(0), { ...asked, ...change, fingerprint: JSON.stringify(change) }),
  )
  assert.equal(new Set((await Promise.all(others)).map(({ id }) => id)).size, 4)
})

test('a failed first attempt leaves the id free', async () => {
  const asked = request()
  const failing = transact(db(0), (tx) => once(tx, asked, () => Promise.reject(new Error('no'))))
  await assert.rejects(failing, { message: 'no' })
  assert.equal((await create(db(1), asked)).repeated, false)
})

test('a duplicate of an attempt that rolls back acts itself', async () => {
  const asked = request()
  const began = Promise.withResolvers<void>()
  const fail = Promise.withResolvers<string>()
  const first = transact(db(0), (tx) =>
    once(tx, asked, () => {
      began.resolve()
      return fail.promise
    }),
  )
  await began.promise
  const second = create(db(1), asked)
  fail.reject(new Error('no'))
  await assert.rejects(first, { message: 'no' })
  assert.equal((await second).repeated, false)
})

test('without a request id every call acts', async () => {
  const asked = request({ requestId: '' })
  assert.notEqual((await create(db(0), asked)).id, (await create(db(0), asked)).id)
})

test('an id of more than thirty days ago is free again, and is pruned', async () => {
  const asked = request()
  const first = await create(db(0), asked)
  await sql`update requests set create_time = now() - interval '31 days' where request_id = ${asked.requestId}`.execute(db(0))
  const second = await create(db(0), { ...asked, fingerprint: 'g' })
  assert.notEqual(second.id, first.id)
  await sql`update requests set create_time = now() - interval '31 days' where request_id = ${asked.requestId}`.execute(db(0))
  assert.equal(await pruneRequests(db(0)), 1)
})

test('ids are kept as long as somebody says, and no shorter', async () => {
  const asked = { ...request(), keptSeconds: 3600 }
  const age = (seconds: number) =>
    sql`update requests set create_time = now() - make_interval(secs => ${seconds}) where request_id = ${asked.requestId}`.execute(db(0))
  const first = await create(db(0), asked)
  await age(3500)
  assert.equal(await pruneRequests(db(0), { keptSeconds: 3600 }), 0)
  assert.deepEqual(await create(db(1), asked), { id: first.id, repeated: true })
  await age(3700)
  assert.equal((await create(db(0), asked)).repeated, false)
  await age(3700)
  assert.equal(await pruneRequests(db(0)), 0)
  assert.equal(await pruneRequests(db(0), { keptSeconds: 3600 }), 1)
})

test('outside a transaction it is a misuse', async () => {
  await assert.rejects(
    once(db(0), request(), async () => 'x'),
    TypeError,
  )
})
