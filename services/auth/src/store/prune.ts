import { sql } from 'kysely'
import type { Db } from './schema.ts'

/** Rows that nobody needs behind a time. */
export interface Aged {
  readonly table: string
  readonly key: readonly string[]
  /** A column, or what of several there is an index of. */
  readonly time: string
}

/** Removes a bounded number of them, the oldest first, and answers how many; two at once do not wait for each other. */
export async function prune(db: Db, { table, key, time }: Aged, before: Date, limit: number): Promise<number> {
  const [rows, columns, age] = [sql.table(table), sql.join(key.map((name) => sql.ref(name))), sql.raw(time)]
  const pruned = await sql`
    delete from ${rows} where (${columns}) in (
      select ${columns} from ${rows} where ${age} < ${before} order by ${age}
      limit ${limit}::integer for update skip locked)`.execute(db)
  return Number(pruned.numAffectedRows ?? 0n)
}

type Prune = (db: Db, before: Date, limit: number) => Promise<number>

/** The same of one table. */
export function pruneOf(aged: Aged): Prune {
  return (db, before, limit) => prune(db, aged, before, limit)
}

export const pruneSessions = pruneOf({ table: 'sessions', key: ['tenant', 'id'], time: 'least(idle_expire_time, expire_time, end_time)' })
export const pruneRefreshTokens = pruneOf({ table: 'refresh_tokens', key: ['tenant', 'token_hash'], time: 'use_time' })
export const pruneRevocations = pruneOf({ table: 'revocations', key: ['tenant', 'session_id'], time: 'forget_time' })
export const pruneSessionRaises = pruneOf({ table: 'session_raises', key: ['tenant', 'session_id'], time: 'forget_time' })
export const pruneApiKeyChanges = pruneOf({ table: 'api_key_changes', key: ['tenant', 'key_id'], time: 'forget_time' })
export const pruneApiKeys = pruneOf({ table: 'api_keys', key: ['tenant', 'account_id', 'id'], time: 'least(expire_time, revoke_time)' })
export const prunePendingSignIns = pruneOf({ table: 'pending_sign_ins', key: ['tenant', 'token_hash'], time: 'expire_time' })
export const prunePasskeyAttempts = pruneOf({ table: 'passkey_attempts', key: ['tenant', 'id'], time: 'expire_time' })

export async function pruneSigningKeys(db: Db, retiredBefore: Date): Promise<number> {
  let count = 0
  for (const table of ['signing_keys', 'oidc_signing_keys']) {
    const pruned = await sql`delete from ${sql.table(table)} where retire_time < ${retiredBefore}`.execute(db)
    count += Number(pruned.numAffectedRows ?? 0n)
  }
  return count
}
