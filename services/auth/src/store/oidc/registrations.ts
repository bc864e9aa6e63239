import { sql } from 'kysely'
import type { Db } from '../schema.ts'
import { lockTenant } from '../tenants.ts'

/** One client less that the token is good for; false of one that has none left, has expired, or is none. Of any number at once, on any replica, so many are answered true as there were left. */
export async function useRegistrationToken(
  tx: Db,
  { tenant, hash, now }: { tenant: string; hash: Uint8Array; now: Date },
): Promise<boolean> {
  const left = sql`(payload::jsonb ->> 'left')::integer`
  const used = await sql`
    update oidc_records set payload = jsonb_set(payload::jsonb, '{left}', to_jsonb(${left} - 1))::text,
      consume_time = case when ${left} <= 1 then ${now}::timestamptz end
    where tenant = ${tenant} and id_hash = ${hash} and kind = 'InitialAccessToken' and consume_time is null
      and expire_time > ${now}`.execute(tx)
  return used.numAffectedRows === 1n
}

/** Whether there was one. */
export async function deleteRegistrationToken(tx: Db, { tenant, hash }: { tenant: string; hash: Uint8Array }): Promise<boolean> {
  const deleted = await tx
    .deleteFrom('oidc_records')
    .where('tenant', '=', tenant)
    .where('id_hash', '=', hash)
    .where('kind', '=', 'InitialAccessToken')
    .returning('kind')
    .executeTakeFirst()
  return deleted !== undefined
}

/** How many of a tenant's clients registered themselves, of `most` at the most. Until the transaction ends nobody else counts them. */
export async function countRegistered(tx: Db, { tenant, most }: { tenant: string; most: number }): Promise<number> {
  await lockTenant(tx, tenant)
  const { rows } = await sql<{ count: number }>`
    select count(*)::integer as count from (
      select from oidc_clients where tenant = ${tenant} and delete_time is null and metadata ? 'gatehouse_registered'
      limit ${most}::integer) registered`.execute(tx)
  return rows[0]?.count ?? 0
}
