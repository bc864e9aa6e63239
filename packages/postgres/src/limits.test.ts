import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type TestDatabase, testDatabase } from '@gatehouse/testkit'
import { sql } from 'kysely'
import { connect, type Database } from './connect.ts'
import { DatabaseUnavailable } from './errors.ts'
import { limitBatches } from './limit-batches.ts'
import { type LimitStore, postgresLimits } from './limits.ts'
import { sharedMigrations } from './shared-migrations.ts'

let database: TestDatabase
let pools: Database<unknown>[]
let replicas: LimitStore[]
before(async () => {
  database = await testDatabase({ service: 'limiting', sets: [sharedMigrations] })
  pools = [1, 2].map(() => connect<unknown>({ url: database.url, poolSize: 10 }))
  replicas = pools.map(({ kysely }) => postgresLimits(kysely))
})
after(async () => {
  for (const pool of pools) await pool[Symbol.asyncDispose]()
  await database.dispose()
})

const replica = (i: number): LimitStore => replicas[i % replicas.length] as LimitStore
/** So long that no test crosses the end of one. */
const windowSeconds = 86_400 * 365

test('a parallel burst through two pools passes exactly as often as it may', async () => {
  const charges = [{ key: 'burst', count: 37, windowSeconds }]
  const results = await Promise.all(Array.from({ length: 200 }, (_, i) => replica(i).take(charges)))
  assert.equal(results.filter(({ allowed }) => allowed).length, 37)
})

test('bursts over shared and own keys are exact for each key', async () => {
  const keys = ['a', 'b', 'c']
  const calls = Array.from({ length: 240 }, (_, i) => ({ key: keys[i % 3] as string, at: replica(i) }))
  const results = await Promise.all(
    calls.map(({ key, at }) =>
      at.take([
        { key: `address ${key}`, count: 20, windowSeconds },
        { key: 'everybody', count: 50, windowSeconds },
      ]),
    ),
  )
  assert.equal(results.filter(({ allowed }) => allowed).length, 50)
})

test('names the first exhausted limit, and does not count the ones after it', async () => {
  const at = replica(0)
  const source = { key: 'source 192.0.2.1', count: 2, windowSeconds }
  const owner = { key: 'address of the owner', count: 3, windowSeconds }
  assert.deepEqual(await at.take([source, owner]), { allowed: true })
  assert.deepEqual(await at.take([source, owner]), { allowed: true })
  for (let i = 0; i < 5; i++) {
    const refused = await at.take([source, owner])
    assert.ok(!refused.allowed && refused.index === 0)
  }
  const elsewhere = { key: 'source 192.0.2.2', count: 9, windowSeconds }
  assert.deepEqual(await at.take([elsewhere, owner]), { allowed: true })
  const refused = await at.take([elsewhere, owner])
  assert.ok(!refused.allowed && refused.index === 1)
  assert.ok(refused.retryAfterSeconds >= 1 && refused.retryAfterSeconds <= windowSeconds)
})

test('charges in opposite orders do not end in a deadlock', async () => {
  const one = { key: 'one', count: 1000, windowSeconds }
  const other = { key: 'other', count: 1000, windowSeconds }
  const results = await Promise.all(Array.from({ length: 8 }, (_, i) => replica(i).take(i % 4 < 2 ? [one, other] : [other, one])))
  assert.ok(results.every(({ allowed }) => allowed))
})

test('those who come first pass, and who is refused by one limit takes nothing of the next', async () => {
  const owner = { key: 'address that many ask for', count: 3, windowSeconds }
  const from = (source: string) => replica(0).take([{ key: `source ${source}`, count: 2, windowSeconds }, owner])
  const outcomes = await Promise.all([from('near'), from('near'), from('near'), from('near'), from('far'), from('far')])
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.allowed ? 'passed' : outcome.index)),
    ['passed', 'passed', 0, 0, 'passed', 1],
  )
})

test('a counter that stands first for one call and second for another is exact', async () => {
  const [one, other] = ['first here', 'first there'].map((key) => ({ key, count: 20, windowSeconds }))
  assert.ok(one && other)
  const results = await Promise.all(Array.from({ length: 60 }, (_, i) => replica(i).take(i % 4 < 2 ? [one, other] : [other, one])))
  const passed = results.filter(({ allowed }) => allowed).length
  // Whoever passes one and not the other has taken of one only, so that fewer may pass.
  assert.ok(passed >= 1 && passed <= 20, String(passed))
})

test('a window that is over counts no more', async () => {
  const at = replica(0)
  const charges = [{ key: 'short', count: 1, windowSeconds: 1 }]
  const outcomes: boolean[] = []
  const began = performance.now()
  while (outcomes.filter(Boolean).length < 3 && performance.now() - began < 10_000) outcomes.push((await at.take(charges)).allowed)
  assert.equal(outcomes.filter(Boolean).length, 3)
  assert.ok(performance.now() - began >= 1000)
})

test('windows of another length and tenants count apart', async () => {
  const at = replica(0)
  assert.ok((await at.take([{ key: 'apart', count: 1, windowSeconds }])).allowed)
  assert.ok((await at.take([{ key: 'apart', count: 1, windowSeconds: windowSeconds * 2 }])).allowed)
  assert.ok((await at.take([{ tenant: 'acme', key: 'apart', count: 1, windowSeconds }])).allowed)
  assert.ok(!(await at.take([{ tenant: 'acme', key: 'apart', count: 1, windowSeconds }])).allowed)
  await at.reset('apart', 'acme')
  assert.ok((await at.take([{ tenant: 'acme', key: 'apart', count: 1, windowSeconds }])).allowed)
  assert.ok(!(await at.take([{ key: 'apart', count: 1, windowSeconds }])).allowed)
})

test('a limit of nothing lets nothing pass, and no limit everything', async () => {
  const refused = await replica(0).take([{ key: 'nothing', count: 0, windowSeconds }])
  assert.ok(!refused.allowed && refused.index === 0)
  assert.deepEqual(await replica(0).take([]), { allowed: true })
})

test('more calls than may wait to be counted are refused', async () => {
  const { kysely } = pools[0] as Database<unknown>
  const count = limitBatches(kysely, [{ count: 100, windowSeconds }], { maxWaiting: 3 })
  const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => count([{ tenant: '', key: 'crowded' }])))
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason instanceof DatabaseUnavailable : outcome.value.passed)),
    [1, 1, 1, true, true],
  )
  assert.equal((await count([{ tenant: '', key: 'crowded' }])).passed, 1)
})

test('no key stands in the table as it was', async () => {
  await replica(0).take([{ key: 'ada@example.com', count: 1, windowSeconds }])
  const { rows } = await sql<{ row: string }>`select rate_limits::text as row from rate_limits`.execute(
    (pools[0] as Database<unknown>).kysely,
  )
  assert.ok(rows.length > 0 && rows.every(({ row }) => !row.includes('ada@')))
})
