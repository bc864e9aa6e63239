import type { Insertable, Selectable } from 'kysely'
import type { ChallengeSecretsTable, SecretPurpose } from './account-tables.ts'
import type { Db } from './schema.ts'

export type ChallengeSecretRow = Selectable<ChallengeSecretsTable>

const columns = [
  'tenant',
  'challenge_id',
  'delivery_id',
  'purpose',
  'address',
  'locale',
  'name',
  'user_id',
  'token_hash',
  'code_expire_time',
  'token_expire_time',
] as const

/** Notes a revealed secret; where the delivery has one already, that one stays. */
export async function insertChallengeSecret(db: Db, row: Insertable<ChallengeSecretsTable>): Promise<void> {
  await db
    .insertInto('challenge_secrets')
    .values(row)
    .onConflict((conflict) => conflict.columns(['tenant', 'challenge_id', 'delivery_id']).doNothing())
    .execute()
}

export async function findChallengeSecret(
  db: Db,
  key: { tenant: string; challengeId: string; deliveryId: string },
): Promise<ChallengeSecretRow | undefined> {
  return await db
    .selectFrom('challenge_secrets')
    .select(columns)
    .where('tenant', '=', key.tenant)
    .where('challenge_id', '=', key.challengeId)
    .where('delivery_id', '=', key.deliveryId)
    .executeTakeFirst()
}

export async function findSecretByToken(db: Db, key: { tenant: string; tokenHash: Uint8Array }): Promise<ChallengeSecretRow | undefined> {
  return await db
    .selectFrom('challenge_secrets')
    .select(columns)
    .where('tenant', '=', key.tenant)
    .where('token_hash', '=', key.tokenHash)
    .executeTakeFirst()
}

/** The mails of a challenge whose codes have not expired. */
export async function listSecretsWithCode(
  db: Db,
  which: { tenant: string; challengeId: string; purpose: SecretPurpose; now: Date },
): Promise<ChallengeSecretRow[]> {
  return await db
    .selectFrom('challenge_secrets')
    .select(columns)
    .where('tenant', '=', which.tenant)
    .where('challenge_id', '=', which.challengeId)
    .where('purpose', '=', which.purpose)
    .where('code_expire_time', '>', which.now)
    .execute()
}
