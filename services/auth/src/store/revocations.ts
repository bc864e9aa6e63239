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

/** One more; false where it is there already. */
export async function addRevocation(tx: Db, row: { tenant: string; session_id: string; forget_time: Date }): Promise<boolean> {
  const added = await tx
    .insertInto('revocations')
    .values(row)
    .onConflict((conflict) => conflict.columns(['tenant', 'session_id']).doNothing())
    .returning('session_id')
    .executeTakeFirst()
  return added !== undefined
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

/** A session ended, or was raised, or an API key changed. */
export interface RevocationRow {
  readonly tenant: string
  /** Of the session, or of the key. */
  readonly session_id: string
  readonly revoke_time: Date
  readonly forget_time: Date
  /** Null where the session ended; else its tokens of an earlier generation are dead. Of a key it counts the changes. */
  readonly generation: number | null
  readonly is_key: boolean
}

/** The database's clock: revocations are stamped by it. */
export async function databaseTime(db: Db): Promise<Date> {
  const { time } = await db.selectNoFrom(sql<Date>`clock_timestamp()::timestamptz(3)`.as('time')).executeTakeFirstOrThrow()
  return time
}

/** Ends, raises and changes of keys from a time on, the oldest first, from behind the row that `after` names. */
const since = (from: RawBuilder<Date>, limit: number, after?: After) => {
  const part = ({ table, time, id = 'session_id', generation }: Kind) => {
    const [at, of, named] = [sql.ref(time), sql.table(table), sql.ref(id)]
    const behind = after ? sql`and (${at}, ${named}) > (${after.revoke_time}::timestamptz, ${after.session_id}::uuid)` : sql``
    return sql`(select tenant, ${named} as session_id, ${at} as revoke_time, forget_time, ${sql.raw(generation)} as generation,
      ${sql.lit(id === 'key_id')} as is_key from ${of} where ${at} >= ${from} ${behind} order by ${at}, ${named} limit ${limit}::integer)`
  }
  return sql`(select * from (${sql.join(kinds.map(part), sql` union all `)}) every_kind
    order by revoke_time, session_id limit ${limit}::integer)`
}

interface Kind {
  readonly table: string
  readonly time: string
  readonly id?: string
  readonly generation: string
}

const kinds: readonly Kind[] = [
  { table: 'revocations', time: 'revoke_time', generation: 'null::integer' },
  { table: 'session_raises', time: 'raise_time', generation: 'generation' },
  { table: 'api_key_changes', time: 'change_time', id: 'key_id', generation: 'version' },
]

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
