import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type RawBuilder, sql } from 'kysely'
import { act, asSuperuser, sealAll } from '../../../test/audit-scene.ts'
import { type OpenedDeps, openDeps } from '../../../test/open-deps.ts'
import { chainAfter } from '../../store/audit-seals.ts'
import { insertTenant } from '../../store/tenants.ts'
import type { Db } from '../deps.ts'
import { reencryptKeys } from '../keys/reencrypt-keys.ts'
import { beginning, chainHash } from './chain.ts'
import { makeCheckpoint, readCheckpoint } from './checkpoints.ts'
import { makeDueCheckpoints } from './make-due-checkpoints.ts'
import { pruneEntries } from './prune-entries.ts'
import { verifyChain } from './verify-chain.ts'

let opened: OpenedDeps
let superuser: Db
const parts = new AsyncDisposableStack()
before(async () => {
  opened = parts.use(await openDeps())
  superuser = parts.use(asSuperuser(opened.adminDatabaseUrl)).kysely
})
after(() => parts.disposeAsync())

let counter = 0
/** A tenant whose chain has six entries, `1` to `6`, and a checkpoint at the fourth. */
async function chain(): Promise<{ tenant: string; ids: string[]; kept: string }> {
  const { deps } = opened
  const tenant = `verify-${++counter}`
  await insertTenant(deps.db, { id: tenant, origin: `https://${tenant}.example` })
  await act(deps.db, tenant, '1', '2', '3', '4')
  await sealAll(deps.db)
  const kept = (await makeCheckpoint(deps, tenant)) ?? ''
  await act(deps.db, tenant, '5', '6')
  await sealAll(deps.db)
  const sealed = await chainAfter(deps.db, { tenant, after: 0n, limit: 10 })
  return { tenant, ids: sealed.map(({ entry_id: id }) => id), kept }
}

const findings = async (tenant: string, kept: string[] = []) => (await verifyChain(opened.deps.db, { tenant, kept })).findings

async function seals(tenant: string, from: number): Promise<void> {
  // Somebody who may write everything and knows how chains are made.
  const rows = await chainAfter(superuser, { tenant, after: BigInt(from - 2), limit: 10 })
  const before = from > 1 ? rows.shift() : undefined
  let hash: Uint8Array = before?.hash ?? beginning
  for (const { position, entry } of rows) {
    assert.ok(entry)
    hash = chainHash(hash, position, entry)
    await sql`update audit_seals set hash = ${hash} where tenant = ${tenant} and position = ${position}`.execute(superuser)
  }
}

test('what nobody touched is as it was sealed', async () => {
  const { tenant, kept } = await chain()
  const { findings: none, ...seen } = await verifyChain(opened.deps.db, { tenant, kept: [kept] })
  assert.deepEqual(none, [])
  assert.deepEqual(seen, { entries: 6, first: 1n, last: 6n, checkpoints: 1 })
})

const touched: Readonly<Record<string, { do: (tenant: string, id: (at: number) => string) => RawBuilder<unknown>[]; found: RegExp }>> = {
  'an entry that was changed': {
    do: (tenant, id) => [sql`update audit_entries set actor_id = 'somebody else' where tenant = ${tenant} and id = ${id(3)}`],
    found: /^entry (.*) at 3 was changed/,
  },
  'a detail that was changed': {
    do: (tenant, id) => [sql`update audit_entries set details = '{"alpha": "other"}' where tenant = ${tenant} and id = ${id(2)}`],
    found: /^entry (.*) at 2 was changed/,
  },
  'an entry that was removed': {
    do: (tenant, id) => [sql`delete from audit_entries where tenant = ${tenant} and id = ${id(3)}`],
    found: /^entry (.*) at 3 was removed/,
  },
  'an entry that was removed with its seal': {
    do: (tenant, id) => [
      sql`delete from audit_entries where tenant = ${tenant} and id = ${id(3)}`,
      sql`delete from audit_seals where tenant = ${tenant} and position = 3`,
    ],
    found: /^the seals from 3 to 3 were removed/,
  },
  'an entry that was removed, with the gap closed': {
    do: (tenant, id) => [
      sql`delete from audit_entries where tenant = ${tenant} and id = ${id(2)}`,
      sql`delete from audit_seals where tenant = ${tenant} and position = 2`,
      ...[3, 4, 5, 6].map((at) => sql`update audit_seals set position = ${at - 1} where tenant = ${tenant} and position = ${at}`),
    ],
    found: /^entry (.*) at 2 was changed, inserted or moved/,
  },
  'an entry that was inserted': {
    do: (tenant, id) => [
      sql`insert into audit_entries select tenant, gen_random_uuid(), time, kind, result, reason, actor_kind, actor_id, subject_id, session_id,
        network, trace_id, details from audit_entries where tenant = ${tenant} and id = ${id(3)}`,
    ],
    found: /was inserted, or its seal was removed/,
  },
  'an entry that was inserted between two, under a seal of its own': {
    do: (tenant, id) => [
      ...[6, 5, 4].map((at) => sql`update audit_seals set position = ${at + 1} where tenant = ${tenant} and position = ${at}`),
      sql`with made as (insert into audit_entries select tenant, gen_random_uuid(), time, kind, result, reason, actor_kind, actor_id, subject_id, session_id,
        network, trace_id, details from audit_entries where tenant = ${tenant} and id = ${id(3)} returning tenant, id)
        insert into audit_seals (tenant, position, entry_id, hash) select tenant, 4, id, ${Buffer.alloc(32)} from made`,
    ],
    found: /^entry (.*) at 4 was changed, inserted or moved/,
  },
  'two entries that were swapped': {
    do: (tenant, id) => [
      sql`update audit_seals set entry_id = gen_random_uuid() where tenant = ${tenant} and position = 5`,
      sql`update audit_seals set entry_id = ${id(5)} where tenant = ${tenant} and position = 2`,
      sql`update audit_seals set entry_id = ${id(2)} where tenant = ${tenant} and position = 5`,
    ],
    found: /^entry (.*) at 2 was changed, inserted or moved/,
  },
  'a beginning that was cut off': {
    do: (tenant) => [sql`delete from audit_seals where tenant = ${tenant} and position < 3`],
    found: /^the entries before 3 were removed/,
  },
  'a checkpoint that was changed': {
    do: (tenant) => [sql`update audit_checkpoints set jws = overlay(jws placing 'AAAA' from length(jws) - 20) where tenant = ${tenant}`],
    found: /^the checkpoint at 4 was changed/,
  },
}
for (const [what, { do: touch, found }] of Object.entries(touched)) {
  test(`${what} is found, and is the first that is named`, async () => {
    const { tenant, ids, kept } = await chain()
    assert.deepEqual(await findings(tenant, [kept]), [])
    for (const statement of touch(tenant, (at) => ids[at - 1] ?? '')) await statement.execute(superuser)
    assert.match((await findings(tenant))[0] ?? 'nothing', found)
  })
}

test('a chain that was computed anew is found by the checkpoint that the database has', async () => {
  const { tenant, ids } = await chain()
  await sql`update audit_entries set actor_id = 'x' where tenant = ${tenant} and id = ${ids[1]}`.execute(superuser)
  await seals(tenant, 2)
  assert.match((await findings(tenant))[0] ?? 'nothing', /^the chain was computed anew: at 4/)
})

test('an end that was cut off, checkpoint and all, is found by a checkpoint that was kept elsewhere and by nothing else', async () => {
  const { tenant, ids, kept } = await chain()
  for (const id of ids.slice(2)) await sql`delete from audit_entries where tenant = ${tenant} and id = ${id}`.execute(superuser)
  await sql`delete from audit_seals where tenant = ${tenant} and position > 2`.execute(superuser)
  await sql`delete from audit_checkpoints where tenant = ${tenant}`.execute(superuser)
  assert.deepEqual(await findings(tenant), [])
  assert.match((await findings(tenant, [kept]))[0] ?? 'nothing', /^the end was cut off: the chain ends at 2, and reached 4/)
})

test('a chain that was computed anew and signed with another key is found by a checkpoint that was kept elsewhere', async () => {
  const { tenant, ids, kept } = await chain()
  await sql`delete from audit_checkpoints where tenant = ${tenant}`.execute(superuser)
  await sql`delete from audit_keys where tenant = ${tenant}`.execute(superuser)
  await sql`update audit_entries set actor_id = 'x' where tenant = ${tenant} and id = ${ids[1]}`.execute(superuser)
  await seals(tenant, 2)
  await makeCheckpoint(opened.deps, tenant)
  assert.deepEqual(await findings(tenant), [])
  const found = await findings(tenant, [kept])
  assert.match(found[0] ?? 'nothing', /which signed a kept checkpoint, is no longer in the database/)
  assert.match(found[1] ?? 'nothing', /^the chain was computed anew: at 4/)
  assert.match((await findings(tenant, [`${kept.slice(0, -9)}AAAAAAAAA`]))[0] ?? 'nothing', /^a kept checkpoint is not one/)
})

test('checkpoints are signed once a day and only of what has grown, with a key that outlives the keys of tokens and is encrypted anew with them', async () => {
  const { deps } = opened
  const { tenant, kept } = await chain()
  const count = async () =>
    Number((await sql<{ n: bigint }>`select count(*) as n from audit_checkpoints where tenant = ${tenant}`.execute(deps.db)).rows[0]?.n)
  const day = 86_400_000
  await makeDueCheckpoints(deps, day)
  assert.equal(await count(), 1)
  await makeDueCheckpoints({ ...deps, now: () => deps.now() + day + 1 }, day)
  await makeDueCheckpoints({ ...deps, now: () => deps.now() + 3 * day }, day)
  assert.equal(await count(), 2)
  assert.deepEqual((await reencryptKeys(deps)).shut, [])
  await act(deps.db, tenant, 'more')
  await sealAll(deps.db)
  const [first, last] = [await readCheckpoint(kept), await readCheckpoint((await makeCheckpoint(deps, tenant)) ?? '')]
  assert.equal(first?.kid, last?.kid)
  assert.equal(await count(), 3)
  assert.deepEqual(await findings(tenant, [kept]), [])
})

test('what is too old is removed up to a checkpoint, by a role that may, and the chain tells of it', async () => {
  const { deps } = opened
  const { tenant, kept } = await chain()
  const before = new Date(deps.now() + 1000)
  await assert.rejects(pruneEntries(deps, deps.db, { tenant, before }), { code: '42501' })
  assert.deepEqual(await pruneEntries(deps, superuser, { tenant, before: new Date(0) }), { upTo: 0n, removed: 0 })
  assert.deepEqual(await pruneEntries(deps, superuser, { tenant, before }), { upTo: 4n, removed: 4 })
  await sealAll(deps.db)
  const { findings: none, ...seen } = await verifyChain(deps.db, { tenant, kept: [kept] })
  assert.deepEqual(none, [])
  assert.deepEqual(seen, { entries: 4, first: 4n, last: 8n, checkpoints: 1 })
  await sql`delete from audit_seals where tenant = ${tenant} and position = 4`.execute(superuser)
  assert.match((await findings(tenant))[0] ?? 'nothing', /^the entries before 5 were removed/)
})

test('entries that are removed up to a checkpoint in silence are found', async () => {
  const { tenant, ids } = await chain()
  for (const id of ids.slice(0, 4)) await sql`delete from audit_entries where tenant = ${tenant} and id = ${id}`.execute(superuser)
  await sql`delete from audit_seals where tenant = ${tenant} and position < 4`.execute(superuser)
  assert.match((await findings(tenant))[0] ?? 'nothing', /^the entries up to 4 were removed, and no entry tells/)
})
