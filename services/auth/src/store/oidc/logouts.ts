import { sql } from 'kysely'
import type { Db } from '../schema.ts'

/** What a client is to be told: that a session ended there. */
export interface LogoutRow {
  readonly tenant: string
  readonly session_id: string
  readonly client_id: string
  readonly user_id: string
  /** How often it was tried, with the attempt that is made now. */
  readonly attempts: number
  readonly create_time: Date
  readonly expire_time: Date
}

/** Seconds to the next attempt, after the first, the second and so on; the last one again and again. */
const backoffSeconds = [5, 30, 120, 600, 3600]

/** Notes that a client is to be told, though the session goes on. One that was told before is told again. */
export async function insertLogout(
  db: Db,
  of: { tenant: string; sessionId: string; clientId: string; userId: string; now: Date },
): Promise<void> {
  const { tenant, sessionId, clientId, userId, now } = of
  await sql`
    insert into oidc_logouts as l (tenant, session_id, client_id, user_id, next_time, create_time, expire_time)
    select c.tenant, ${sessionId}::uuid, c.client_id, ${userId}::uuid, ${now}, ${now}, ${now}::timestamptz + interval '1 day'
    from oidc_clients c where c.tenant = ${tenant} and c.client_id = ${clientId} and c.backchannel_logout_uri is not null and c.delete_time is null
    ${tellAgain}`.execute(db)
}

/** A client that was told of the session, and that the person went back to: told of its end again. */
export const tellAgain = sql`
  on conflict (tenant, session_id, client_id) do update set attempts = 0, last_problem = '', deliver_time = null,
    next_time = excluded.next_time, create_time = excluded.create_time, expire_time = excluded.expire_time
  where l.deliver_time is not null`

export interface LogoutClaim {
  readonly now: Date
  readonly limit: number
  /** Clients that do not answer, and are left alone for a while. */
  readonly resting: readonly { readonly tenant: string; readonly clientId: string }[]
}

/** Takes what is due for as long as an attempt lasts: another replica takes others, and takes these again where this one dies over them. */
export async function claimLogouts(db: Db, { now, limit, resting }: LogoutClaim): Promise<LogoutRow[]> {
  const { rows } = await sql<LogoutRow>`
    update oidc_logouts l set attempts = l.attempts + 1,
      next_time = greatest(${now}::timestamptz + interval '5 seconds',
        least(l.expire_time, ${now}::timestamptz + interval '1 second' * (${backoffSeconds}::integer[])[least(l.attempts + 1, ${backoffSeconds.length}::integer)]))
    from (
      select d.tenant, d.session_id, d.client_id from oidc_logouts d
      where d.deliver_time is null and d.next_time <= ${now}
        and not exists (select from unnest(${resting.map(({ tenant }) => tenant)}::text[], ${resting.map(({ clientId }) => clientId)}::text[]) r (tenant, client_id)
          where r.tenant = d.tenant and r.client_id = d.client_id)
      order by d.next_time limit ${limit}::integer for update skip locked) due
    where l.tenant = due.tenant and l.session_id = due.session_id and l.client_id = due.client_id
    returning l.tenant, l.session_id, l.client_id, l.user_id, l.attempts, l.create_time, l.expire_time`.execute(db)
  return rows
}

type LogoutKey = Pick<LogoutRow, 'tenant' | 'session_id' | 'client_id' | 'create_time'>

/** Nothing more is to be done; `problem` of what was given up. One that was noted anew meanwhile is another one. */
export async function closeLogout(db: Db, { tenant, session_id, client_id, create_time }: LogoutKey, time: Date): Promise<void> {
  await sql`
    update oidc_logouts set deliver_time = ${time}
    where tenant = ${tenant} and session_id = ${session_id}::uuid and client_id = ${client_id} and create_time = ${create_time}`.execute(db)
}

export async function noteLogoutProblem(db: Db, { tenant, session_id, client_id, create_time }: LogoutKey, problem: string): Promise<void> {
  await sql`
    update oidc_logouts set last_problem = ${problem}
    where tenant = ${tenant} and session_id = ${session_id}::uuid and client_id = ${client_id} and create_time = ${create_time}`.execute(db)
}

/** How many wait (counted up to 10,000), and since when the first of them is due; undefined where none is. */
export async function logoutsWaiting(db: Db, now: Date): Promise<{ readonly count: number; readonly dueSince: Date | undefined }> {
  const { rows } = await sql<{ count: number; due_since: Date | null }>`
    select (select count(*)::integer from (select from oidc_logouts where deliver_time is null limit 10000) w) as count,
      (select next_time from oidc_logouts where deliver_time is null and next_time <= ${now} order by next_time limit 1) as due_since`.execute(
    db,
  )
  return { count: rows[0]?.count ?? 0, dueSince: rows[0]?.due_since ?? undefined }
}
