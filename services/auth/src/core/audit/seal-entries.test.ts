import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { transact } from '@gatehouse/postgres'
import { sql } from 'kysely'
import { act, sealAll } from '../../../test/audit-scene.ts'
import { type OpenedDeps, openDeps } from '../../../test/open-deps.ts'
import { chainAfter } from '../../store/audit-seals.ts'
import { audit } from './audit.ts'
import { sealEntries } from './seal-entries.ts'
import { verifyChain } from './verify-chain.ts'

let opened: OpenedDeps
before(async () => {
  opened = await openDeps()
})
after(async () => opened[Symbol.asyncDispose]())

const chainOf = async (tenant: string) =>
  (await chainAfter(opened.deps.db, { tenant, after: 0n, limit: 1000 })).map(({ position, entry }) => [position, entry?.subject_id])

test('the service may add entries, seals and checkpoints, and neither change nor remove one', async () => {
  const { db } = opened.deps
  await act(db, 'rights', 'one')
  for (const table of ['audit_entries', 'audit_seals', 'audit_checkpoints']) {
    for (const statement of [
      sql`update ${sql.table(table)} set tenant = 'x'`,
      sql`delete from ${sql.table(table)}`,
      sql`truncate ${sql.table(table)}`,
    ])
      await assert.rejects(statement.execute(db), { code: '42501' }, table)
  }
  assert.equal((await sql`select from audit_entries where tenant = 'rights'`.execute(db)).rows.length, 1)
})

test('each tenant has a chain of its own, and what commits late is sealed when it is seen', async () => {
  const { db } = opened.deps
  await act(db, 'one', 'a', 'b')
  await act(db, 'other', 'x')
  const late = Promise.withResolvers<void>()
  const written = Promise.withResolvers<void>()
  const committed = transact(db, async (tx) => {
    await audit(tx, { tenant: 'one', kind: 'test', subjectId: 'late' })
    written.resolve()
    await late.promise
  })
  await written.promise
  await act(db, 'one', 'c')
  await sealAll(db)
  assert.equal(await sealAll(db), 0)
  late.resolve()
  await committed
  assert.equal(await sealAll(db), 1)
  const [chain, others] = [await chainOf('one'), await chainOf('other')]
  assert.deepEqual(
    chain.map(([position]) => position),
    [1n, 2n, 3n, 4n],
  )
  assert.deepEqual(chain.at(-1), [4n, 'late'])
  assert.deepEqual(others, [[1n, 'x']])
  for (const tenant of ['one', 'other']) assert.deepEqual((await verifyChain(db, { tenant, kept: [] })).findings, [])
})

test('an act that is taken back leaves no entry', async () => {
  const { db } = opened.deps
  const taken = transact(db, async (tx) => {
    await audit(tx, { tenant: 'back', kind: 'test' })
    throw new Error('never mind')
  })
  await assert.rejects(taken, /never mind/)
  await assert.rejects(audit(db, { tenant: 'back', kind: 'test' }), TypeError)
  await sealAll(db)
  assert.deepEqual(await chainOf('back'), [])
})

test('a sealer whose epoch is over seals nothing', async () => {
  const { db } = opened.deps
  await act(db, 'fenced', 'a')
  assert.equal(await sealEntries(db, -1n), 'fenced')
  assert.equal(await sealAll(db), 1)
})

test('without any lease two sealers at once make one chain: a place is taken once', async () => {
  const { db } = opened.deps
  const others = opened.replica().db
  const { rows } = await sql<{ epoch: bigint }>`select epoch from audit_lease`.execute(db)
  const epoch = rows[0]?.epoch ?? 0n
  for (let round = 0; round < 5; round++) {
    await act(db, 'race', ...Array.from({ length: 4 }, (_, i) => `${round}.${i}`))
    await Promise.allSettled([sealEntries(db, epoch), sealEntries(others, epoch)])
  }
  await sealAll(db)
  assert.equal((await chainOf('race')).length, 20)
  assert.deepEqual((await verifyChain(db, { tenant: 'race', kept: [] })).findings, [])
})
