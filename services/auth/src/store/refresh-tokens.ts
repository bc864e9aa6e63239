import { type Selectable, sql } from 'kysely'
import type { Db, RefreshTokensTable } from './schema.ts'
import { type SessionRow, sessionColumns } from './sessions.ts'

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

/** Uses up whatever refresh tokens a session has, without successors. */
export async function useUpRefreshTokens(tx: Db, which: { tenant: string; sessionId: string; time: Date }): Promise<void> {
  await tx
    .updateTable('refresh_tokens')
    .set({ use_time: which.time })
    .where('tenant', '=', which.tenant)
    .where('session_id', '=', which.sessionId)
    .where('use_time', 'is', null)
    .execute()
}

/** A token with the session that it belongs to. */
export interface RefreshTokenInSession {
  readonly token: Pick<RefreshTokenRow, 'tenant' | 'token_hash' | 'use_time' | 'key_version' | 'successor_hash'>
  readonly session: SessionRow
}

/** The tokens of those hashes by {@link hexOf} their hash. */
export async function findRefreshTokens(
  db: Db,
  tenant: string,
  hashes: readonly Uint8Array[],
): Promise<ReadonlyMap<string, RefreshTokenInSession>> {
  const rows = await db
    .selectFrom('refresh_tokens')
    .innerJoin('sessions', (join) =>
      join.onRef('sessions.tenant', '=', 'refresh_tokens.tenant').onRef('sessions.id', '=', 'refresh_tokens.session_id'),
    )
    .select(sessionColumns.map((column) => `sessions.${column}` as const))
    .select(['token_hash', 'use_time', 'key_version', 'successor_hash'])
    .where('refresh_tokens.tenant', '=', tenant)
    .where(sql<boolean>`token_hash = any(${hashes})`)
    .execute()
  return new Map(
    rows.map(({ token_hash, use_time, key_version, successor_hash, ...session }) => [
      hexOf(token_hash),
      { token: { tenant, token_hash, use_time, key_version, successor_hash }, session },
    ]),
  )
}

export function hexOf(hash: Uint8Array): string {
  return Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('hex')
}
