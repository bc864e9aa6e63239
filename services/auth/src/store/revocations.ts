import { sql } from 'kysely'
import type { Db } from './schema.ts'

export async function insertRevocations(tx: Db, rows: readonly { tenant: string; session_id: string; forget_time: Date }[]): Promise<void> {
  if (rows.length === 0) return
  // As three arrays: with a parameter for each value Postgres takes some twenty thousand rows, and whoever has more sessions could not be stopped.
  await sql`
    insert into revocations (tenant, session_id, forget_time)
    select * from unnest(${rows.map((row) => row.tenant)}::text[], ${rows.map((row) => row.session_id)}::uuid[],
      ${rows.map((row) => row.forget_time)}::timestamptz[])
    on conflict (tenant, session_id) do nothing`.execute(tx)
}

export interface RevocationRow {
  readonly tenant: string
  readonly session_id: string
  readonly revoke_time: Date
  readonly forget_time: Date
}

/** The database's clock: revocations are stamped by it. */
export async function databaseTime(db: Db): Promise<Date> {
  const { time } = await db.selectNoFrom(sql<Date>`clock_timestamp()::timestamptz(3)`.as('time')).executeTakeFirstOrThrow()
  return time
}

/** The database's time, and the oldest revocations of the last `lookBackMs` before it. */
export async function readRecentRevocations(
  db: Db,
  which: { lookBackMs: number; limit: number },
): Promise<{ time: Date; rows: RevocationRow[] }> {
  const { rows } = await sql<{ time: Date } & { [K in keyof RevocationRow]: RevocationRow[K] | null }>`
    select clock.time, recent.tenant, recent.session_id, recent.revoke_time, recent.forget_time
    from (select clock_timestamp()::timestamptz(3) as time) clock
    left join lateral (
      select tenant, session_id, revoke_time, forget_time from revocations
      where revoke_time >= clock.time - ${which.lookBackMs}::integer * interval '1 millisecond'
      order by revoke_time, session_id limit ${which.limit}::integer
    ) recent on true`.execute(db)
  const [first] = rows
  if (first === undefined) throw new TypeError('a left join of one row answered none')
  return { time: first.time, rows: rows.filter((row): row is RevocationRow & { time: Date } => row.session_id !== null) }
}

/** Revocations from a time on, the oldest first, from behind the row that `after` names. */
export async function listRevocations(
  db: Db,
  which: { from: Date; limit: number; after?: { revoke_time: Date; session_id: string } },
): Promise<RevocationRow[]> {
  return await db
    .selectFrom('revocations')
    .select(['tenant', 'session_id', 'revoke_time', 'forget_time'])
    .where('revoke_time', '>=', which.from)
    .$if(which.after !== undefined, (query) =>
      query.where(({ eb, refTuple, tuple }) =>
        eb(refTuple('revoke_time', 'session_id'), '>', tuple(which.after?.revoke_time ?? which.from, which.after?.session_id ?? '')),
      ),
    )
    .orderBy('revoke_time')
    .orderBy('session_id')
    .limit(which.limit)
    .execute()
}
