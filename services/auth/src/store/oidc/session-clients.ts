import { sql } from 'kysely'
import type { Db } from '../schema.ts'

export interface SessionKey {
  readonly tenant: string
  readonly sessionId: string
}

/** The grant of a client in a session: the one that is there and goes on, or else `newId`; the same for any number at once. */
export async function ensureGrantId(db: Db, key: SessionKey & { clientId: string; newId: string; now: Date }): Promise<string> {
  const { rows } = await sql<{ grant_id: string }>`
    insert into oidc_session_clients as c (tenant, session_id, client_id, grant_id, create_time)
    values (${key.tenant}, ${key.sessionId}, ${key.clientId}, ${key.newId}, ${key.now})
    on conflict (tenant, session_id, client_id) do update set grant_id = case
      when c.grant_id is null or exists (select from oidc_grants g
        where g.tenant = c.tenant and g.id = c.grant_id and (g.end_time is not null or g.expire_time <= ${key.now})) then excluded.grant_id
      else c.grant_id end
    returning grant_id`.execute(db)
  const [row] = rows
  if (row === undefined) throw new TypeError('an upsert answered no row')
  return row.grant_id
}

/** What was ended is not found by its session any more: the next sign-in at the client begins anew. */
export async function forgetGrantIds(tx: Db, tenant: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await sql`update oidc_session_clients set grant_id = null where tenant = ${tenant} and grant_id = any(${[...ids]}::uuid[])`.execute(tx)
}

export interface SessionClientRow {
  readonly client_id: string
  readonly grant_id: string | null
  readonly persists_logout: boolean
}

export async function listSessionClients(db: Db, { tenant, sessionId }: SessionKey): Promise<SessionClientRow[]> {
  return await db
    .selectFrom('oidc_session_clients')
    .select(['client_id', 'grant_id', 'persists_logout'])
    .where('tenant', '=', tenant)
    .where('session_id', '=', sessionId)
    .execute()
}

/** Each client by itself: two tabs that sign in to two of them lose nothing. A grant that ended meanwhile does not come back. */
export async function putSessionClient(
  db: Db,
  key: SessionKey & { clientId: string; grantId: string | undefined; persistsLogout: boolean | undefined; now: Date },
): Promise<void> {
  const { tenant, sessionId, clientId, grantId = null, persistsLogout = null, now } = key
  await sql`
    insert into oidc_session_clients as c (tenant, session_id, client_id, grant_id, persists_logout, create_time)
    values (${tenant}, ${sessionId}, ${clientId},
      (select ${grantId}::uuid where not exists (select from oidc_grants where tenant = ${tenant} and id = ${grantId}::uuid and end_time is not null)),
      coalesce(${persistsLogout}::boolean, false), ${now})
    on conflict (tenant, session_id, client_id) do update set
      grant_id = coalesce(excluded.grant_id, c.grant_id), persists_logout = coalesce(${persistsLogout}::boolean, c.persists_logout)`.execute(
    db,
  )
}

export async function findSessionState(db: Db, { tenant, sessionId }: SessionKey): Promise<string | undefined> {
  const row = await db
    .selectFrom('oidc_session_states')
    .select('state')
    .where('tenant', '=', tenant)
    .where('session_id', '=', sessionId)
    .executeTakeFirst()
  return row?.state
}

export async function putSessionState(db: Db, { tenant, sessionId }: SessionKey, state: string | null, now: Date): Promise<void> {
  if (state === null) {
    await db.deleteFrom('oidc_session_states').where('tenant', '=', tenant).where('session_id', '=', sessionId).execute()
    return
  }
  await db
    .insertInto('oidc_session_states')
    .values({ tenant, session_id: sessionId, state, update_time: now })
    .onConflict((conflict) => conflict.columns(['tenant', 'session_id']).doUpdateSet({ state, update_time: now }))
    .execute()
}
