import { sql } from 'kysely'
import { pruneOf } from '../prune.ts'
import type { Db } from '../schema.ts'

export const pruneRecords = pruneOf({ table: 'oidc_records', key: ['tenant', 'id_hash'], time: 'expire_time' })
export const pruneReplays = pruneOf({ table: 'oidc_replays', key: ['tenant', 'key_hash'], time: 'expire_time' })
export const pruneLogouts = pruneOf({ table: 'oidc_logouts', key: ['tenant', 'session_id', 'client_id'], time: 'create_time' })
export const pruneClientSecrets = pruneOf({ table: 'oidc_client_secrets', key: ['tenant', 'client_id', 'id'], time: 'expire_time' })

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
