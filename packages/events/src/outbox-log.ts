import type { Executor } from '@gatehouse/postgres'
import { sql } from 'kysely'

/** A place in the log: everything up to it is known. */
export type LogPlace = {
  readonly position: bigint
  /** Of the event that stands there, so that a place in a log that was set back by a restore is not taken for one in its successor. */
  readonly mark: string
}

/** What the log says of one event. */
export type LogEntry = LogPlace & { readonly tenant: string; readonly key: string; readonly version: bigint }

/** What followed a place is no longer kept, or the place was never part of this log: whoever reads on from there misses something. */
export class PlaceForgotten extends Error {
  override readonly name = 'PlaceForgotten'
}

/**
 * The outbox as a log that can be read from any place that is kept. A position is given after the commit of its event, and positions become visible in
 * their order: what commits late stands later, so that reading after the last position skips nothing, which reading after the last id or time would.
 * While the broker is away the relay gives positions without it.
 */
export async function readLog(db: Executor, after: bigint, limit: number): Promise<readonly LogEntry[]> {
  const { rows } = await sql<{ forgotten: bigint } & (Row | { [K in keyof Row]: null })>`
    select lease.forgotten_position as forgotten, entry.position, entry.id, entry.tenant, entry.key, entry.version
    from relay_lease lease left join lateral (
      select position, id, tenant, key, version from outbox where position > ${after} order by position limit ${limit}::integer) entry on true
    where lease.name = 'relay' order by entry.position`.execute(db)
  const [first] = rows
  if (first === undefined || first.forgotten > after) throw new PlaceForgotten('what followed this place is no longer kept')
  return rows.flatMap((row) =>
    row.position === null ? [] : [{ position: row.position, mark: markOf(row.id), tenant: row.tenant, key: row.key, version: row.version }],
  )
}

type Row = { readonly position: bigint; readonly id: string; readonly tenant: string; readonly key: string; readonly version: bigint }

/** The end of the log. Everything before it is visible to whoever reads afterwards. */
export async function logEnd(db: Executor): Promise<LogPlace> {
  const { rows } = await sql<{ end: bigint; position: bigint | null; id: string | null }>`
    select lease.position as end, last.position, last.id from relay_lease lease left join lateral (
      select position, id from outbox where position is not null order by position desc limit 1) last on true
    where lease.name = 'relay'`.execute(db)
  const [row] = rows
  if (row === undefined) throw new TypeError('the lease of the relay has no row')
  return row.position === null || row.id === null ? { position: row.end, mark: '' } : { position: row.position, mark: markOf(row.id) }
}

/** Throws PlaceForgotten unless everything after the place is kept, and the place is one of this log. */
export async function requirePlace(db: Executor, { position, mark }: LogPlace): Promise<void> {
  const { rows } = await sql<{ end: bigint; forgotten: bigint; id: string | null }>`
    select lease.position as end, lease.forgotten_position as forgotten, entry.id
    from relay_lease lease left join outbox entry on entry.position = ${position} where lease.name = 'relay'`.execute(db)
  const [row] = rows
  if (row === undefined || position > row.end || position < row.forgotten) throw new PlaceForgotten('the place is not kept')
  // The event of the place may be the last one that was removed, and an empty log has none.
  const known = row.id === null ? mark === '' || position === row.forgotten : markOf(row.id) === mark
  if (!known) throw new PlaceForgotten('the place is of another log')
}

/** The random end of an event's id: it says nothing about anybody. */
const markOf = (id: string): string => id.slice(-12)
