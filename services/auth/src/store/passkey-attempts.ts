import type { Insertable, Selectable } from 'kysely'
import type { PasskeyAttemptsTable } from './factor-tables.ts'
import type { Db } from './schema.ts'

export type PasskeyAttemptRow = Selectable<PasskeyAttemptsTable>

export async function insertPasskeyAttempt(db: Db, row: Insertable<PasskeyAttemptsTable>): Promise<void> {
  await db.insertInto('passkey_attempts').values(row).execute()
}

/** The attempt of exactly this person and session, or of nobody, that has not expired. */
export async function findPasskeyAttempt(
  db: Db,
  which: { tenant: string; id: string; userId: string | null; sessionId: string | null; time: Date },
): Promise<PasskeyAttemptRow | undefined> {
  return await db
    .selectFrom('passkey_attempts')
    .select(['tenant', 'id', 'user_id', 'session_id', 'challenge', 'create_time', 'expire_time'])
    .where('tenant', '=', which.tenant)
    .where('id', '=', which.id)
    .where('user_id', 'is not distinct from', which.userId)
    .where('session_id', 'is not distinct from', which.sessionId)
    .where('expire_time', '>', which.time)
    .executeTakeFirst()
}

/** Uses it up; of many at once exactly one gets `true`. */
export async function claimPasskeyAttempt(tx: Db, key: { tenant: string; id: string }): Promise<boolean> {
  const row = await tx
    .deleteFrom('passkey_attempts')
    .where('tenant', '=', key.tenant)
    .where('id', '=', key.id)
    .returning('id')
    .executeTakeFirst()
  return row !== undefined
}
