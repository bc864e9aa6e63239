import type { Executor } from '@gatehouse/postgres'
import { sql } from 'kysely'

export type OutboxRow = {
  readonly tenant: string
  readonly id: string
  readonly type: string
  readonly subject: string
  readonly key: string
  readonly version: bigint
  readonly payload: Buffer
  readonly traceparent: string | null
  readonly create_time: Date
  readonly position: bigint
}

const columns = sql`tenant, id, type, subject, key, version, payload, traceparent, create_time, position`

/**
 * Gives committed rows their positions, while the lease is still of this epoch; gives how many there were.
 * Rows commit out of order, so nothing is found by "after the last one". They are taken by key and version, so that a version never
 * goes without the ones before it (which are visible whenever it is), and numbered by the time of each key's first one.
 * The lease row is locked first: a successor's epoch and our positions cannot cross.
 */
export async function stampRows(db: Executor, epoch: bigint, limit: number): Promise<number> {
  const { rows } = await sql<{ stamped: bigint }>`
    with lease as materialized (
      select position from relay_lease
      where name = 'relay' and epoch = ${epoch} and exists (select 1 from outbox where position is null)
      for update),
    taken as materialized (
      select tenant, id, key, version, create_time from outbox
      where position is null and exists (select 1 from lease)
      order by tenant, key, version, create_time, id limit ${limit}::integer),
    picked as materialized (
      select tenant, id, row_number() over (order by key_time, tenant, key, version, create_time, id) as n
      from (select *, min(create_time) over (partition by tenant, key) as key_time from taken) of_keys),
    stamped as (
      update outbox o set position = lease.position + picked.n
      from picked, lease where o.tenant = picked.tenant and o.id = picked.id
      returning 1),
    moved as (
      update relay_lease set position = relay_lease.position + (select count(*) from picked)
      where name = 'relay' and epoch = ${epoch} and exists (select 1 from picked)
      returning 1)
    select count(*) as stamped from stamped`.execute(db)
  return Number(rows[0]?.stamped ?? 0)
}

/** The next rows that no broker has confirmed, in order. */
export async function unpublishedRows(db: Executor, limit: number): Promise<OutboxRow[]> {
  const { rows } = await sql<OutboxRow>`select ${columns} from outbox
    where position is not null and published_time is null order by position limit ${limit}::integer`.execute(db)
  return rows
}

/** Marks rows as confirmed, while the lease is still of this epoch; gives how many were. */
export async function markPublished(db: Executor, epoch: bigint, positions: readonly bigint[]): Promise<number> {
  const { numAffectedRows = 0n } = await sql`update outbox set published_time = now()
    where position = any(${positions}::bigint[]) and published_time is null
      and exists (select 1 from relay_lease where name = 'relay' and epoch = ${epoch})`.execute(db)
  return Number(numAffectedRows)
}

/** Kept rows after a position that were written at `since` or later. */
export async function keptRows(db: Executor, since: Date, after: bigint, limit: number): Promise<OutboxRow[]> {
  const { rows } = await sql<OutboxRow>`select ${columns} from outbox
    where position > ${after} and published_time is not null and create_time >= ${since} order by position limit ${limit}::integer`.execute(
    db,
  )
  return rows
}

/** Removes the oldest rows that were published more than `keepDays` ago, at most `limit`, while the lease is of this epoch; gives how many. */
export async function pruneOutbox(db: Executor, epoch: bigint, keepDays: number, limit: number): Promise<number> {
  const { numAffectedRows = 0n } = await sql`delete from outbox where position in (
    select position from (
      select position, published_time from outbox where position is not null order by position limit ${limit}::integer) oldest
    where published_time < now() - make_interval(days => ${keepDays}::integer))
    and exists (select 1 from relay_lease where name = 'relay' and epoch = ${epoch})`.execute(db)
  return Number(numAffectedRows)
}

/** How much waits for the broker (counted up to 10,000), and for how long the oldest has. */
export async function outboxBacklog(db: Executor): Promise<{ rows: number; oldestSeconds: number }> {
  const { rows } = await sql<{ rows: bigint; oldest: number }>`select count(*) as rows,
      coalesce(extract(epoch from clock_timestamp() - min(create_time)), 0)::double precision as oldest
    from ((select create_time from outbox where position is null limit 5000)
      union all (select create_time from outbox where position is not null and published_time is null order by position limit 5000)) waiting`.execute(
    db,
  )
  return { rows: Number(rows[0]?.rows ?? 0), oldestSeconds: Math.max(0, rows[0]?.oldest ?? 0) }
}
