import { type Insertable, type Selectable, sql } from 'kysely'
import type { SignUpsTable } from './account-tables.ts'
import type { Db } from './schema.ts'

export type SignUpRow = Selectable<SignUpsTable>

const columns = ['tenant', 'challenge_id', 'user_id', 'name', 'locale', 'password_hash'] as const

export async function insertSignUp(tx: Db, row: Insertable<SignUpsTable>): Promise<void> {
  await tx.insertInto('sign_ups').values(row).execute()
}

export async function findSignUp(db: Db, key: { tenant: string; challengeId: string }): Promise<SignUpRow | undefined> {
  return await db
    .selectFrom('sign_ups')
    .select(columns)
    .where('tenant', '=', key.tenant)
    .where('challenge_id', '=', key.challengeId)
    .executeTakeFirst()
}

export async function deleteSignUps(tx: Db, which: { tenant: string; challengeIds: readonly string[] }): Promise<void> {
  await tx
    .deleteFrom('sign_ups')
    .where('tenant', '=', which.tenant)
    .where('challenge_id', '=', sql<string>`any(${which.challengeIds}::uuid[])`)
    .execute()
}
