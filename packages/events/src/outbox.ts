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
}

const columns = sql`tenant, id, type, subject, key, version, payload, traceparent, create_time`

/**
 * The next committed rows without a position: of a pass over all of them, those that follow `after`. Rows commit out of order, so the next pass begins
 * anew: nothing is found by "after the last one". They come by key and version, so that a version never goes without the ones before it (which are
 * visible whenever it is), and every key has its turn in each pass, however much comes in meanwhile.
 */
export async function waitingRows(db: Executor, after: OutboxRow | undefined, limit: number): Promise<OutboxRow[]> {
  const from =
    after === undefined
      ? sql``
      : sql`and (tenant, key, version, create_time, id) > (
          select tenant, key, version, create_time, id from outbox where tenant = ${after.tenant} and id = ${after.id})`
  const { rows } = await sql<OutboxRow>`select ${columns} from outbox where position is null ${from}
    order by tenant, key, version, create_time, id limit ${limit}::integer`.execute(db)
  return rows
}

/**
 * Gives rows that the broker confirmed their positions, in this order, while the lease is still of this epoch; gives how many there were.
 * The lease row is locked first: a successor's epoch and our positions cannot cross.
 */
export async function markPublished(db: Executor, epoch: bigint, rows: readonly OutboxRow[]): Promise<number> {
  const tenants = rows.map(({ tenant }) => tenant)
  const ids = rows.map(({ id }) => id)
  const { rows: counted } = await sql<{ marked: bigint }>`
    with lease as materialized (
      select position from relay_lease where name = 'relay' and epoch = ${epoch} for update),
    marked as (
      update outbox o set position = lease.position + confirmed.n, published_time = now()
      from unnest(${tenants}::text[], ${ids}::uuid[]) with ordinality as confirmed (tenant, id, n), lease
      where o.tenant = confirmed.tenant and o.id = confirmed.id and o.position is null
      returning 1),
    moved as (
      update relay_lease set position = relay_lease.position + ${rows.length}::integer
      where name = 'relay' and epoch = ${epoch} and exists (select 1 from marked)
      returning 1)
    select count(*) as marked from marked`.execute(db)
  return Number(counted[0]?.marked ?? 0)
}

/** Takes back the positions that replicas of an earlier version gave to rows before they published them, while the lease is of this epoch. */
export async function unstampRows(db: Executor, epoch: bigint): Promise<void> {
  await sql`update outbox set position = null where position is not null and published_time is null
    and exists (select 1 from relay_lease where name = 'relay' and epoch = ${epoch})`.execute(db)
}

/** Kept rows after a position that were written at `since` or later. */
export async function keptRows(
  db: Executor,
  since: Date,
  after: bigint,
  limit: number,
): Promise<readonly (OutboxRow & { readonly position: bigint })[]> {
  const { rows } = await sql<OutboxRow & { position: bigint }>`select ${columns}, position from outbox
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
    from (select create_time from outbox where position is null limit 10000) waiting`.execute(db)
  return { rows: Number(rows[0]?.rows ?? 0), oldestSeconds: Math.max(0, rows[0]?.oldest ?? 0) }
}
