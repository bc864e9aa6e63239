import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { PageTokenInvalid } from '@gatehouse/postgres'
import { CompactSign, calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'
import { type RawBuilder, sql } from 'kysely'
import { act, asSuperuser, sealAll } from '../../../test/audit-scene.ts'
import { type OpenedDeps, openDeps } from '../../../test/open-deps.ts'
import { refusedWith } from '../../../test/sign-somebody-in.ts'
import { chainAfter } from '../../store/audit-seals.ts'
import { insertTenant } from '../../store/tenants.ts'
import type { Db } from '../deps.ts'
import { makeCheckpoint } from './checkpoints.ts'
import { pruneEntries } from './prune-entries.ts'
import { type VerifyRange, verifyRange } from './verify-range.ts'

let opened: OpenedDeps
let superuser: Db
const parts = new AsyncDisposableStack()
before(async () => {
  opened = parts.use(await openDeps())
  superuser = parts.use(asSuperuser(opened.adminDatabaseUrl)).kysely
})
after(() => parts.disposeAsync())

let counter = 0
/** A tenant whose chain has nine entries, and a checkpoint at the fourth and the eighth. */
async function chain(): Promise<{ tenant: string; id: (at: number) => string; kept: string[] }> {
  const { deps } = opened
  const tenant = `range-${++counter}`
  await insertTenant(deps.db, { id: tenant, origin: `https://${tenant}.example` })
  const kept: string[] = []
  for (const subjects of [
    ['1', '2', '3', '4'],
    ['5', '6', '7', '8'],
  ]) {
    await act(deps.db, tenant, ...subjects)
    await sealAll(deps.db)
    kept.push((await makeCheckpoint(deps, tenant)) ?? '')
  }
  await act(deps.db, tenant, '9')
  await sealAll(deps.db)
  const sealed = await chainAfter(deps.db, { tenant, after: 0n, limit: 10 })
  return { tenant, id: (at) => sealed[at - 1]?.entry_id ?? '', kept }
}

const verify = (tenant: string, more: Partial<VerifyRange> = {}) =>
  verifyRange(opened.deps.db, { tenant, from: 0n, until: 0n, kept: [], cursor: '', ...more })

/** In calls that look at two entries each. */
async function inPieces(tenant: string, more: Partial<VerifyRange> = {}) {
  const seen: bigint[] = []
  for (let cursor = ''; ; ) {
    const { firstBreak, verifiedUntil, nextCursor } = await verify(tenant, { ...more, cursor, mostEntries: 2 })
    seen.push(verifiedUntil)
    if (nextCursor === '') return { seen: seen.map(Number), problem: firstBreak?.problem, position: Number(firstBreak?.position ?? 0) }
    cursor = nextCursor
  }
}

test('what nobody touched is whole, in one call, in pieces, and in a range', async () => {
  const { tenant, kept } = await chain()
  const whole = { verifiedUntil: 9n, entries: 9, checkpoints: 2, nextCursor: '' }
  assert.deepEqual(await verify(tenant, { kept }), whole)
  assert.deepEqual(await inPieces(tenant, { kept }), { seen: [2, 4, 6, 8, 9], problem: undefined, position: 0 })
  assert.deepEqual(await verify(tenant, { from: 3n, until: 6n }), { ...whole, verifiedUntil: 6n, entries: 4, checkpoints: 1 })
  assert.deepEqual(await inPieces(tenant, { from: 3n, until: 6n }), { seen: [4, 6], problem: undefined, position: 0 })
  assert.deepEqual(await verify(tenant, { from: 9n }), { ...whole, entries: 1, checkpoints: 0 })
  assert.equal((await verify('nobody')).verifiedUntil, 0n)
})

type Touch = (tenant: string, id: (at: number) => string) => RawBuilder<unknown>[]
const touched: Readonly<Record<string, { do: Touch; is: string; at: number; until: number }>> = {
  'an entry that the superuser changed': {
    do: (tenant, id) => [sql`update audit_entries set actor_id = 'x' where tenant = ${tenant} and id = ${id(6)}`],
    is: 'ENTRY_CHANGED',
    at: 6,
    until: 5,
  },
  'an entry that was removed': {
    do: (tenant, id) => [sql`delete from audit_entries where tenant = ${tenant} and id = ${id(6)}`],
    is: 'ENTRY_REMOVED',
    at: 6,
    until: 5,
  },
  'an entry that was removed with its seal': {
    do: (tenant, id) => [
      sql`delete from audit_entries where tenant = ${tenant} and id = ${id(6)}`,
      sql`delete from audit_seals where tenant = ${tenant} and position = 6`,
    ],
    is: 'SEALS_REMOVED',
    at: 6,
    until: 5,
  },
  'an entry that was put in beside the chain': {
    do: (tenant, id) => [
      sql`insert into audit_entries select tenant, gen_random_uuid(), time, kind, result, reason, actor_kind, actor_id, subject_id, session_id,
        network, trace_id, details from audit_entries where tenant = ${tenant} and id = ${id(9)}`,
    ],
    is: 'ENTRY_INSERTED',
    at: 0,
    until: 9,
  },
  'a beginning that was cut off': {
    do: (tenant) => [sql`delete from audit_seals where tenant = ${tenant} and position < 3`],
    is: 'BEGINNING_REMOVED',
    at: 3,
    until: 0,
  },
  'an end that was cut off': {
    do: (tenant, id) => [
      ...[7, 8, 9].map((at) => sql`delete from audit_entries where tenant = ${tenant} and id = ${id(at)}`),
      sql`delete from audit_seals where tenant = ${tenant} and position > 6`,
    ],
    is: 'END_REMOVED',
    at: 7,
    until: 6,
  },
}
for (const [what, { do: touch, is, at, until }] of Object.entries(touched)) {
  test(`${what} is the first break, in one call and in pieces`, async () => {
    const { tenant, id } = await chain()
    assert.equal((await verify(tenant)).firstBreak, undefined)
    for (const statement of touch(tenant, id)) await statement.execute(superuser)
    const { firstBreak, verifiedUntil, nextCursor } = await verify(tenant)
    assert.deepEqual([firstBreak?.problem, Number(firstBreak?.position), Number(verifiedUntil), nextCursor], [is, at, until, ''])
    const pieces = await inPieces(tenant)
    assert.deepEqual([pieces.problem, pieces.position], [is, at])
    // A range that ends before it, or begins behind it, is whole.
    assert.equal((await verify(tenant, { from: is === 'BEGINNING_REMOVED' ? 5n : 1n, until: 5n })).firstBreak, undefined)
  })
}

/** What somebody signs who may write everything, with a key of their own. */
async function forged(kept: string): Promise<string> {
  const pair = await generateKeyPair('ES256', { extractable: true })
  const jwk = await exportJWK(pair.publicKey)
  const header = { alg: 'ES256', typ: 'gatehouse-audit+jws', kid: await calculateJwkThumbprint(jwk), jwk }
  return await new CompactSign(Buffer.from(kept.split('.')[1] ?? '', 'base64url')).setProtectedHeader(header).sign(pair.privateKey)
}

test('a place that is not there is no verified one: whoever goes on from it learns where the chain ends', async () => {
  const { tenant } = await chain()
  const nextOnes = await verify(tenant, { from: 10n })
  assert.deepEqual([nextOnes.firstBreak, nextOnes.verifiedUntil], [undefined, 9n])
  for (const range of [{ from: 11n }, { from: 2n ** 62n }, { until: 10n }, { from: 3n, until: 2n ** 62n }]) {
    const { firstBreak, verifiedUntil } = await verify(tenant, range)
    assert.deepEqual([firstBreak?.problem, firstBreak?.position, verifiedUntil], ['END_REMOVED', 10n, 9n])
  }
})

test('a forged checkpoint is found, in the database and among those that were kept; what is none is refused', async () => {
  const { tenant, kept } = await chain()
  const other = await chain()
  const [, second = ''] = kept
  const jws = await forged(second)
  const known = await verify(tenant, { kept: [jws] })
  assert.deepEqual([known.firstBreak?.problem, known.firstBreak?.position], ['CHECKPOINT_KEY_UNKNOWN', 8n])
  await sql`update audit_checkpoints set jws = ${jws} where tenant = ${tenant} and position = 8`.execute(superuser)
  const { firstBreak, verifiedUntil } = await verify(tenant)
  assert.deepEqual([firstBreak?.problem, firstBreak?.position, verifiedUntil], ['CHECKPOINT_CHANGED', 8n, 7n])
  assert.equal((await verify(tenant, { until: 7n })).firstBreak, undefined)
  for (const wrong of [`${second.slice(0, -9)}AAAAAAAAA`, 'a.b.c', ...other.kept])
    await assert.rejects(verify(tenant, { kept: [...kept, wrong] }), refusedWith('AUDIT_CHECKPOINT_INVALID'))
})

test('a chain that was pruned is whole, and a cursor of a place that went is too old', async () => {
  const { deps } = opened
  const { tenant, kept } = await chain()
  const { nextCursor: early } = await verify(tenant, { mostEntries: 2 })
  await pruneEntries(deps, superuser, { tenant, before: new Date(deps.now() + 1000) })
  await sealAll(deps.db)
  assert.equal((await verify(tenant, { kept })).firstBreak, undefined)
  assert.deepEqual((await inPieces(tenant)).problem, undefined)
  await assert.rejects(verify(tenant, { cursor: early, mostEntries: 2 }), refusedWith('CURSOR_TOO_OLD'))
  await assert.rejects(verify(tenant, { cursor: early, until: 5n }), PageTokenInvalid)
  await assert.rejects(verify(tenant, { cursor: 'made-up' }), PageTokenInvalid)
})
