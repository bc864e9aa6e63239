import { sql } from 'kysely'
import type { Db } from './schema.ts'

/** Each function removes a bounded number of rows and answers how many; two at once do not wait for each other. */

export async function pruneSessions(db: Db, before: Date, limit: number): Promise<number> {
  const pruned = await sql`
    delete from sessions where (tenant, id) in (
      select tenant, id from sessions where least(idle_expire_time, expire_time, end_time) < ${before}
      order by least(idle_expire_time, expire_time, end_time)
      limit ${limit}::integer for update skip locked)`.execute(db)
  return Number(pruned.numAffectedRows ?? 0n)
}

export async function pruneRefreshTokens(db: Db, usedBefore: Date, limit: number): Promise<number> {
  const pruned = await sql`
    delete from refresh_tokens where (tenant, token_hash) in (
      select tenant, token_hash from refresh_tokens where use_time < ${usedBefore} order by use_time
      limit ${limit}::integer for update skip locked)`.execute(db)
  return Number(pruned.numAffectedRows ?? 0n)
}

export async function pruneRevocations(db: Db, forgottenBefore: Date, limit: number): Promise<number> {
  const pruned = await sql`
    delete from revocations where (tenant, session_id) in (
      select tenant, session_id from revocations where forget_time < ${forgottenBefore}
      limit ${limit}::integer for update skip locked)`.execute(db)
  return Number(pruned.numAffectedRows ?? 0n)
}

export async function pruneSessionRaises(db: Db, forgottenBefore: Date, limit: number): Promise<number> {
  const pruned = await sql`
    delete from session_raises where (tenant, session_id) in (
      select tenant, session_id from session_raises where forget_time < ${forgottenBefore}
      limit ${limit}::integer for update skip locked)`.execute(db)
  return Number(pruned.numAffectedRows ?? 0n)
}

export async function pruneApiKeyChanges(db: Db, forgottenBefore: Date, limit: number): Promise<number> {
  const pruned = await sql`
    delete from api_key_changes where (tenant, key_id) in (
      select tenant, key_id from api_key_changes where forget_time < ${forgottenBefore} order by forget_time
      limit ${limit}::integer for update skip locked)`.execute(db)
  return Number(pruned.numAffectedRows ?? 0n)
}

export async function pruneApiKeys(db: Db, endedBefore: Date, limit: number): Promise<number> {
  const pruned = await sql`
    delete from api_keys where (tenant, account_id, id) in (
      select tenant, account_id, id from api_keys where least(expire_time, revoke_time) < ${endedBefore}
      order by least(expire_time, revoke_time) limit ${limit}::integer for update skip locked)`.execute(db)
  return Number(pruned.numAffectedRows ?? 0n)
}

export async function prunePendingSignIns(db: Db, expiredBefore: Date, limit: number): Promise<number> {
  const pruned = await sql`
    delete from pending_sign_ins where (tenant, token_hash) in (
      select tenant, token_hash from pending_sign_ins where expire_time < ${expiredBefore} order by expire_time
      limit ${limit}::integer for update skip locked)`.execute(db)
  return Number(pruned.numAffectedRows ?? 0n)
}

export async function prunePasskeyAttempts(db: Db, expiredBefore: Date, limit: number): Promise<number> {
  const pruned = await sql`
    delete from passkey_attempts where (tenant, id) in (
      select tenant, id from passkey_attempts where expire_time < ${expiredBefore} order by expire_time
      limit ${limit}::integer for update skip locked)`.execute(db)
  return Number(pruned.numAffectedRows ?? 0n)
}

export async function pruneSigningKeys(db: Db, retiredBefore: Date): Promise<number> {
  let count = 0
  for (const table of ['signing_keys', 'oidc_signing_keys']) {
    const pruned = await sql`delete from ${sql.table(table)} where retire_time < ${retiredBefore}`.execute(db)
    count += Number(pruned.numAffectedRows ?? 0n)
  }
  return count
}
