import type { Insertable, Selectable } from 'kysely'
import type { PendingSignInsTable } from './factor-tables.ts'
import type { Db } from './schema.ts'

export type PendingSignInRow = Selectable<PendingSignInsTable>

interface Key {
  readonly tenant: string
  readonly tokenHash: Uint8Array
}

export async function insertPendingSignIn(db: Db, row: Insertable<PendingSignInsTable>): Promise<void> {
  await db.insertInto('pending_sign_ins').values(row).execute()
}

/** Counts an attempt before it is looked at, so that a parallel burst gets none more; undefined where none is left. */
export async function takeAttempt(
  db: Db,
  key: Key & { sessionId: string | null; time: Date; attempts: number },
): Promise<PendingSignInRow | undefined> {
  return await db
    .updateTable('pending_sign_ins')
    .set((eb) => ({ wrong_count: eb('wrong_count', '+', 1) }))
    .where('tenant', '=', key.tenant)
    .where('token_hash', '=', key.tokenHash)
    .where('session_id', 'is not distinct from', key.sessionId)
    .where('expire_time', '>', key.time)
    .where('wrong_count', '<', key.attempts)
    .returningAll()
    .executeTakeFirst()
}

/** Uses it up; of many at once exactly one gets `true`. */
export async function claimPendingSignIn(tx: Db, key: Key): Promise<boolean> {
  const row = await tx
    .deleteFrom('pending_sign_ins')
    .where('tenant', '=', key.tenant)
    .where('token_hash', '=', key.tokenHash)
    .returning('user_id')
    .executeTakeFirst()
  return row !== undefined
}
