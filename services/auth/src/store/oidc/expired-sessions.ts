import { sql } from 'kysely'
import type { Db } from '../schema.ts'

/** A session, as it is told of. */
export interface ExpiredSession {
  readonly tenant: string
  readonly id: string
  readonly user_id: string
}

/** Up to when sessions that ended by their time were looked for; undefined while another replica looks. Nobody else does until the transaction ends. */
export async function lockSweep(tx: Db): Promise<Date | undefined> {
  const { rows } = await sql<{ swept_until: Date }>`select swept_until from oidc_session_sweep for update skip locked`.execute(tx)
  return rows[0]?.swept_until
}

export async function moveSweep(tx: Db, until: Date): Promise<void> {
  await sql`update oidc_session_sweep set swept_until = ${until}`.execute(tx)
}

/** A piece of what ended after one time and until another, the first first: those that nobody ended and that clients hang on, and how far it reaches. */
export async function listExpired(
  tx: Db,
  { after, until, limit }: { readonly after: Date; readonly until: Date; readonly limit: number },
): Promise<{ readonly expired: readonly ExpiredSession[]; readonly reached: Date }> {
  // Sessions of the same moment are in the same piece: the next one begins behind it.
  const { rows } = await sql<ExpiredSession & { time: Date; is_told: boolean }>`
    select s.tenant, s.id, s.user_id, s.time,
      s.end_time is null and exists (select from oidc_session_clients c where c.tenant = s.tenant and c.session_id = s.id) as is_told
    from (
      select tenant, id, user_id, end_time, least(idle_expire_time, expire_time, end_time) as time from sessions
      where least(idle_expire_time, expire_time, end_time) > ${after} and least(idle_expire_time, expire_time, end_time) <= ${until}
      order by least(idle_expire_time, expire_time, end_time) fetch first ${sql.lit(limit)} rows with ties) s`.execute(tx)
  const times = rows.map(({ time }) => time.getTime())
  return { expired: rows.filter((row) => row.is_told), reached: rows.length < limit ? until : new Date(Math.max(...times)) }
}
