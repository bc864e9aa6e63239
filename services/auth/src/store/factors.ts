import { type RawBuilder, sql } from 'kysely'
import type { Db } from './schema.ts'

interface Person {
  readonly tenant: string
  readonly userId: string
}

/** For the `select` of a statement that knows tenant and person: whether there is anything beside the password to ask for. */
export const secondFactorOf = (tenant: string, userId: string): RawBuilder<boolean> =>
  sql`(exists (select 1 from passkeys p where p.tenant = ${sql.ref(tenant)} and p.user_id = ${sql.ref(userId)})
    or exists (select 1 from totp_factors f where f.tenant = ${sql.ref(tenant)} and f.user_id = ${sql.ref(userId)} and f.confirm_time is not null))`

/** What a person can show. */
export interface HeldFactors {
  readonly password: boolean
  readonly totp: boolean
  readonly recoveryCodes: number
  readonly passkeys: readonly { readonly credentialId: Uint8Array; readonly transports: readonly string[] }[]
}

export async function findFactors(db: Db, { tenant, userId }: Person): Promise<HeldFactors> {
  const { rows } = await sql<{ password: boolean; totp: boolean; codes: number }>`
    select
      exists (select 1 from credentials where tenant = ${tenant} and user_id = ${userId}) as password,
      exists (select 1 from totp_factors where tenant = ${tenant} and user_id = ${userId} and confirm_time is not null) as totp,
      (select count(*)::integer from recovery_codes where tenant = ${tenant} and user_id = ${userId}) as codes`.execute(db)
  const passkeys = await db
    .selectFrom('passkeys')
    .select(['credential_id', 'transports'])
    .where('tenant', '=', tenant)
    .where('user_id', '=', userId)
    .orderBy('id')
    .execute()
  const { password = false, totp = false, codes = 0 } = rows[0] ?? {}
  return {
    password,
    totp,
    recoveryCodes: codes,
    passkeys: passkeys.map(({ credential_id, transports }) => ({ credentialId: credential_id, transports })),
  }
}

/** How often a person's factors were changed, or set out to be. */
export async function readFactorVersion(db: Db, { tenant, userId }: Person): Promise<number> {
  const row = await db
    .selectFrom('factor_versions')
    .select('version')
    .where('tenant', '=', tenant)
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return row?.version ?? 0
}

/** Counts a change of a person's factors, and keeps others from changing them until the transaction ends. */
export async function nextFactorVersion(tx: Db, { tenant, userId }: Person): Promise<number> {
  const row = await tx
    .insertInto('factor_versions')
    .values({ tenant, user_id: userId, version: 1 })
    .onConflict((conflict) =>
      conflict.columns(['tenant', 'user_id']).doUpdateSet((eb) => ({ version: eb('factor_versions.version', '+', 1) })),
    )
    .returning('version')
    .executeTakeFirstOrThrow()
  return row.version
}

/** Everything that somebody had beside a password, or was about to have. */
export async function deleteFactors(tx: Db, { tenant, userId }: Person): Promise<void> {
  for (const table of ['passkeys', 'totp_factors', 'recovery_codes', 'pending_sign_ins', 'passkey_attempts', 'factor_versions'] as const)
    await tx.deleteFrom(table).where('tenant', '=', tenant).where('user_id', '=', userId).execute()
}
