import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { transact } from '@gatehouse/postgres'
import { sql } from 'kysely'
import { type OpenedDeps, openDeps } from '../../../test/open-deps.ts'
import { somebody } from '../../../test/sign-somebody-in.ts'
import { forgetPerson } from './forget-person.ts'

let opened: OpenedDeps
before(async () => {
  opened = await openDeps()
})
after(async () => opened[Symbol.asyncDispose]())

const tables = ['credentials', 'passkeys', 'passkey_attempts', 'totp_factors', 'recovery_codes', 'pending_sign_ins', 'factor_versions']

/** One row in every table of factors. */
async function equip(userId: string): Promise<void> {
  const { db } = opened.deps
  const bytes = Buffer.from(userId)
  const time = new Date()
  const [tenant, user_id, create_time, expire_time] = ['default', userId, time, time] as const
  await db
    .insertInto('passkeys')
    .values({
      ...{ tenant, user_id, create_time, id: crypto.randomUUID(), credential_id: bytes, public_key: bytes, sign_count: 0 },
      ...{ transports: [], backup_eligible: false, backed_up: false, name: 'Passkey', last_use_time: null },
    })
    .execute()
  await db
    .insertInto('passkey_attempts')
    .values({ tenant, user_id, create_time, expire_time, id: crypto.randomUUID(), session_id: crypto.randomUUID(), challenge: bytes })
    .execute()
  await db
    .insertInto('totp_factors')
    .values({ tenant, user_id, create_time, expire_time, secret: bytes, confirm_time: time, last_step: 0, last_use_time: null })
    .execute()
  await db.insertInto('recovery_codes').values({ tenant, user_id, create_time, code_hash: bytes }).execute()
  await db
    .insertInto('pending_sign_ins')
    .values({
      ...{ tenant, user_id, create_time, expire_time, token_hash: bytes, session_id: null, client_id: 'gatehouse' },
      ...{ methods: ['pwd'], strength: 2, epoch: 0, passkey_challenge: null },
    })
    .execute()
  await db.insertInto('factor_versions').values({ tenant, user_id, version: 1 }).execute()
}

async function rowsOf(userId: string): Promise<number[]> {
  const counts = tables.map((table) =>
    sql<{ n: number }>`select count(*)::integer as n from ${sql.table(table)} where user_id = ${userId}`.execute(opened.deps.db),
  )
  return (await Promise.all(counts)).map(({ rows }) => rows[0]?.n ?? 0)
}

test('a deleted person leaves no factor behind, nor anything half finished', async () => {
  const [gone, stays] = [await somebody(opened), await somebody(opened)]
  for (const { id } of [gone, stays]) await equip(id)
  assert.deepEqual(
    await rowsOf(gone.id),
    tables.map(() => 1),
  )
  await transact(opened.deps.db, (tx) => forgetPerson(tx, { tenant: 'default', userId: gone.id }))
  assert.deepEqual(
    await rowsOf(gone.id),
    tables.map(() => 0),
  )
  assert.deepEqual(
    await rowsOf(stays.id),
    tables.map(() => 1),
  )
})
