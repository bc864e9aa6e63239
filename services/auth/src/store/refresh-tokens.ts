import type { Selectable } from 'kysely'
import type { Db, RefreshTokensTable } from './schema.ts'

export type RefreshTokenRow = Selectable<RefreshTokensTable>

const columns = ['tenant', 'token_hash', 'session_id', 'create_time', 'use_time', 'key_version', 'successor_hash'] as const

export async function insertRefreshToken(
  db: Db,
  row: { tenant: string; token_hash: Uint8Array; session_id: string; create_time: Date },
): Promise<void> {
  await db.insertInto('refresh_tokens').values(row).execute()
}

export async function findRefreshToken(db: Db, key: { tenant: string; hash: Uint8Array }): Promise<RefreshTokenRow | undefined> {
  return await db
    .selectFrom('refresh_tokens')
    .select(columns)
    .where('tenant', '=', key.tenant)
    .where('token_hash', '=', key.hash)
    .executeTakeFirst()
}

export async function useUpRefreshToken(
  tx: Db,
  key: { tenant: string; hash: Uint8Array },
  use: { use_time: Date; key_version: number; successor_hash: Uint8Array },
): Promise<void> {
  await tx.updateTable('refresh_tokens').set(use).where('tenant', '=', key.tenant).where('token_hash', '=', key.hash).execute()
}
