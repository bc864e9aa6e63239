import { sql } from 'kysely'
import type { Db } from './schema.ts'

/** Whose factors, as far as they count since a time. */
interface Since {
  readonly tenant: string
  readonly userId: string
  readonly since: Date
}

/** Something that a person has beside a password; recovery codes that were made together are one. */
export interface EnrolledFactorRow {
  readonly factor: 'passkey' | 'totp' | 'recovery_codes'
  readonly create_time: Date
}

/** The oldest first. */
export async function listFactorsSince(db: Db, { tenant, userId, since }: Since): Promise<EnrolledFactorRow[]> {
  const { rows } = await sql<EnrolledFactorRow>`
    select 'passkey' as factor, create_time from passkeys
    where tenant = ${tenant} and user_id = ${userId} and create_time >= ${since}
    union all
    select 'totp', confirm_time from totp_factors
    where tenant = ${tenant} and user_id = ${userId} and confirm_time >= ${since}
    union all
    select distinct 'recovery_codes', create_time from recovery_codes
    where tenant = ${tenant} and user_id = ${userId} and create_time >= ${since}
    order by create_time, factor`.execute(db)
  return rows
}

/** Takes the same away, and answers it. */
export async function deleteFactorsSince(tx: Db, { tenant, userId, since }: Since): Promise<EnrolledFactorRow[]> {
  const { rows } = await sql<EnrolledFactorRow>`
    with keys as (
      delete from passkeys where tenant = ${tenant} and user_id = ${userId} and create_time >= ${since} returning create_time
    ), apps as (
      delete from totp_factors where tenant = ${tenant} and user_id = ${userId} and confirm_time >= ${since} returning confirm_time
    ), codes as (
      delete from recovery_codes where tenant = ${tenant} and user_id = ${userId} and create_time >= ${since} returning create_time
    )
    select 'passkey' as factor, create_time from keys
    union all select 'totp', confirm_time from apps
    union all select distinct 'recovery_codes', create_time from codes
    order by create_time, factor`.execute(tx)
  return rows
}
