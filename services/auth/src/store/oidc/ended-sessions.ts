import { sql } from 'kysely'
import type { Db } from '../schema.ts'
import { tellAgain } from './logouts.ts'

const logoutLifetime = '1 day'

/** Ends the grants that end with these sessions, and notes which clients are to be told of it. Grants are locked in the order of their ids. */
export async function endGrantsOfSessions(
  tx: Db,
  sessions: readonly { tenant: string; id: string; user_id: string }[],
  time: Date,
): Promise<void> {
  if (sessions.length === 0) return
  await sql`
    with ended as (select * from unnest(${sessions.map(({ tenant }) => tenant)}::text[], ${sessions.map(({ id }) => id)}::uuid[],
      ${sessions.map((session) => session.user_id)}::uuid[]) e (tenant, session_id, user_id)),
    ending as (
      select g.tenant, g.id from oidc_grants g join ended on ended.tenant = g.tenant and ended.session_id = g.session_id
      where not g.offline and g.end_time is null order by g.id for update of g),
    done as (
      update oidc_grants g set end_time = ${time}, end_cause = 'session_ended', version = g.version + 1
      from ending where g.tenant = ending.tenant and g.id = ending.id)
    insert into oidc_logouts as l (tenant, session_id, client_id, user_id, next_time, create_time, expire_time)
    select ended.tenant, ended.session_id, sc.client_id, ended.user_id, ${time}, ${time}, ${time}::timestamptz + ${sql.lit(logoutLifetime)}::interval
    from ended join oidc_session_clients sc on sc.tenant = ended.tenant and sc.session_id = ended.session_id
    join oidc_clients c on c.tenant = sc.tenant and c.client_id = sc.client_id
    where c.backchannel_logout_uri is not null and c.delete_time is null
    ${tellAgain}`.execute(tx)
}
