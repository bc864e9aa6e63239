import { sql } from 'kysely'
import type { Db } from '../schema.ts'

/** Each function removes a bounded number of rows and answers how many; two at once do not wait for each other. */

export async function pruneRecords(db: Db, expiredBefore: Date, limit: number): Promise<number> {
  const pruned = await sql`
    delete from oidc_records where (tenant, id_hash) in (
      select tenant, id_hash from oidc_records where expire_time < ${expiredBefore} order by expire_time
      limit ${limit}::integer for update skip locked)`.execute(db)
  return Number(pruned.numAffectedRows ?? 0n)
}

export async function pruneReplays(db: Db, expiredBefore: Date, limit: number): Promise<number> {
  const pruned = await sql`
    delete from oidc_replays where (tenant, key_hash) in (
      select tenant, key_hash from oidc_replays where expire_time < ${expiredBefore} order by expire_time
      limit ${limit}::integer for update skip locked)`.execute(db)
  return Number(pruned.numAffectedRows ?? 0n)
}

/** A session that goes on forgets the id too: a grant of the same id would bring back whatever was given under the old one. */
export async function pruneGrants(db: Db, endedBefore: Date, limit: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    with gone as (
      delete from oidc_grants where (tenant, id) in (
        select tenant, id from oidc_grants where least(expire_time, end_time) < ${endedBefore} order by least(expire_time, end_time)
        limit ${limit}::integer for update skip locked) returning tenant, id),
    forgotten as (
      update oidc_session_clients sc set grant_id = null from gone where sc.tenant = gone.tenant and sc.grant_id = gone.id)
    select count(*)::integer as count from gone`.execute(db)
  return rows[0]?.count ?? 0
}

export async function pruneLogouts(db: Db, madeBefore: Date, limit: number): Promise<number> {
  const pruned = await sql`
    delete from oidc_logouts where (tenant, session_id, client_id) in (
      select tenant, session_id, client_id from oidc_logouts where create_time < ${madeBefore} order by create_time
      limit ${limit}::integer for update skip locked)`.execute(db)
  return Number(pruned.numAffectedRows ?? 0n)
}

export async function pruneClientSecrets(db: Db, endedBefore: Date, limit: number): Promise<number> {
  const pruned = await sql`
    delete from oidc_client_secrets where (tenant, client_id, id) in (
      select tenant, client_id, id from oidc_client_secrets where expire_time < ${endedBefore} order by expire_time
      limit ${limit}::integer for update skip locked)`.execute(db)
  return Number(pruned.numAffectedRows ?? 0n)
}
