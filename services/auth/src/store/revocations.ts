import { type RawBuilder, sql } from 'kysely'
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

/** A session was raised: its tokens of an earlier generation are dead. */
export async function putSessionRaise(
  tx: Db,
  row: { tenant: string; session_id: string; generation: number; forget_time: Date },
): Promise<void> {
  await tx
    .insertInto('session_raises')
    .values(row)
    .onConflict((conflict) =>
      conflict.columns(['tenant', 'session_id']).doUpdateSet({
        generation: row.generation,
        raise_time: sql<Date>`clock_timestamp()`,
        forget_time: row.forget_time,
      }),
    )
    .execute()
}

/** A session ended, or was raised. */
export interface RevocationRow {
  readonly tenant: string
  readonly session_id: string
  readonly revoke_time: Date
  readonly forget_time: Date
  /** Null where the session ended; else its tokens of an earlier generation are dead. */
  readonly generation: number | null
}

/** The database's clock: revocations are stamped by it. */
export async function databaseTime(db: Db): Promise<Date> {
  const { time } = await db.selectNoFrom(sql<Date>`clock_timestamp()::timestamptz(3)`.as('time')).executeTakeFirstOrThrow()
  return time
}

/** Ends and raises from a time on, the oldest first, from behind the row that `after` names. */
const since = (from: RawBuilder<Date>, limit: number, after?: After) => {
  const part = (table: string, time: string, generation: string) => {
    const [at, of] = [sql.ref(time), sql.table(table)]
    const behind = after ? sql`and (${at}, session_id) > (${after.revoke_time}::timestamptz, ${after.session_id}::uuid)` : sql``
    return sql`(select tenant, session_id, ${at} as revoke_time, forget_time, ${sql.raw(generation)} as generation from ${of}
      where ${at} >= ${from} ${behind} order by ${at}, session_id limit ${limit}::integer)`
  }
  return sql`(select * from (${part('revocations', 'revoke_time', 'null::integer')} union all ${part('session_raises', 'raise_time', 'generation')}) both_kinds
    order by revoke_time, session_id limit ${limit}::integer)`
}

interface After {
  readonly revoke_time: Date
  readonly session_id: string
}

/** The database's time, and the oldest revocations of the last `lookBackMs` before it. */
export async function readRecentRevocations(
  db: Db,
  which: { lookBackMs: number; limit: number },
): Promise<{ time: Date; rows: RevocationRow[] }> {
  const { rows } = await sql<{ time: Date } & { [K in keyof RevocationRow]: RevocationRow[K] | null }>`
    select clock.time, recent.*
    from (select clock_timestamp()::timestamptz(3) as time) clock
    left join lateral ${since(sql`clock.time - ${which.lookBackMs}::integer * interval '1 millisecond'`, which.limit)} recent on true`.execute(
    db,
  )
  const [first] = rows
  if (first === undefined) throw new TypeError('a left join of one row answered none')
  return { time: first.time, rows: rows.filter((row): row is RevocationRow & { time: Date } => row.session_id !== null) }
}

/** Revocations from a time on, the oldest first, from behind the row that `after` names. */
export async function listRevocations(db: Db, which: { from: Date; limit: number; after?: After }): Promise<RevocationRow[]> {
  const { rows } = await sql<RevocationRow>`select * from ${since(sql`${which.from}::timestamptz`, which.limit, which.after)} page`.execute(
    db,
  )
  return rows
}
