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

const keyOrder = sql`tenant, key, version, create_time, id`

/**
 * The next committed rows that are not published: of a pass over all of them, those that follow `after`. Rows commit out of order, so the next pass begins
 * anew: nothing is found by "after the last one". They come by key and version, so that a version never goes without the ones before it (which are
 * visible whenever it is), and every key has its turn in each pass, however much comes in meanwhile. Most have no position; those that got one while
 * the broker was away lie in an index of their own, which is empty on other days.
 */
export async function waitingRows(db: Executor, after: OutboxRow | undefined, limit: number): Promise<OutboxRow[]> {
  const from =
    after === undefined
      ? sql``
      : sql`and (${keyOrder}) > (select ${keyOrder} from outbox where tenant = ${after.tenant} and id = ${after.id})`
  const { rows } = await sql<OutboxRow>`select ${columns} from (
      (select ${columns} from outbox where position is null ${from} order by ${keyOrder} limit ${limit}::integer)
      union all
      (select ${columns} from outbox where position is not null and published_time is null ${from} order by ${keyOrder} limit ${limit}::integer)
    ) waiting order by ${keyOrder} limit ${limit}::integer`.execute(db)
  return rows
}

/**
 * Marks rows that the broker confirmed, while the lease is still of this epoch; gives how many there were. Those without a position get one, in this
 * order. The lease row is locked first, so that a successor's epoch and our positions cannot cross, and positions commit in their order: whoever sees
 * one sees all that are lower.
 */
export async function markPublished(db: Executor, epoch: bigint, rows: readonly OutboxRow[]): Promise<number> {
  const tenants = rows.map(({ tenant }) => tenant)
  const ids = rows.map(({ id }) => id)
  const { rows: counted } = await sql<{ marked: bigint }>`
    with lease as materialized (
      select position from relay_lease where name = 'relay' and epoch = ${epoch} for update),
    marked as (
      update outbox o set position = coalesce(o.position, lease.position + confirmed.n), published_time = now()
      from unnest(${tenants}::text[], ${ids}::uuid[]) with ordinality as confirmed (tenant, id, n), lease
      where o.tenant = confirmed.tenant and o.id = confirmed.id and o.published_time is null
      returning 1),
    moved as (
      update relay_lease set position = relay_lease.position + ${rows.length}::integer
      where name = 'relay' and epoch = ${epoch} and exists (select 1 from marked)
      returning 1)
    select count(*) as marked from marked`.execute(db)
  return Number(counted[0]?.marked ?? 0)
}

/**
 * Gives the first `limit` rows without a position theirs although no broker has them, of each key in the order of its versions, while the lease is of
 * this epoch; gives how many there were. They stay waiting, and keep their positions when they are published.
 */
export async function placeWaiting(db: Executor, epoch: bigint, limit: number): Promise<number> {
  const { rows } = await sql<{ placed: bigint }>`
    with lease as materialized (
      select position from relay_lease where name = 'relay' and epoch = ${epoch} for update),
    waiting as (
      select tenant, id, row_number() over (order by ${keyOrder}) as n from (
        select ${keyOrder} from outbox where position is null order by ${keyOrder} limit ${limit}::integer) first),
    placed as (
      update outbox o set position = lease.position + waiting.n from waiting, lease
      where o.tenant = waiting.tenant and o.id = waiting.id and o.position is null
      returning 1),
    moved as (
      update relay_lease set position = relay_lease.position + ${limit}::integer
      where name = 'relay' and epoch = ${epoch} and exists (select 1 from placed)
      returning 1)
    select count(*) as placed from placed`.execute(db)
  return Number(rows[0]?.placed ?? 0)
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

/**
 * Removes the oldest rows that were published more than `keepDays` ago, at most `limit`, while the lease is of this epoch; gives how many. The lease
 * row remembers up to where, so that whoever reads on from an earlier place learns that something is missing.
 */
export async function pruneOutbox(db: Executor, epoch: bigint, keepDays: number, limit: number): Promise<number> {
  const { rows } = await sql<{ removed: bigint }>`
    with removed as (
      delete from outbox where position in (
        select position from (
          select position, published_time from outbox where position is not null order by position limit ${limit}::integer) oldest
        where published_time < now() - make_interval(days => ${keepDays}::integer))
      and exists (select 1 from relay_lease where name = 'relay' and epoch = ${epoch})
      returning position),
    forgotten as (
      update relay_lease set forgotten_position = greatest(forgotten_position, (select max(position) from removed))
      where name = 'relay' and exists (select 1 from removed)
      returning 1)
    select count(*) as removed from removed`.execute(db)
  return Number(rows[0]?.removed ?? 0)
}

/** How much waits for the broker (counted up to 10,000), and for how long the oldest has. */
export async function outboxBacklog(db: Executor): Promise<{ rows: number; oldestSeconds: number }> {
  const { rows } = await sql<{ rows: bigint; oldest: number }>`select count(*) as rows,
      coalesce(extract(epoch from clock_timestamp() - min(create_time)), 0)::double precision as oldest
    from (
      (select create_time from outbox where position is null limit 10000)
      union all (select create_time from outbox where position is not null and published_time is null limit 10000) limit 10000) waiting`.execute(
    db,
  )
  return { rows: Number(rows[0]?.rows ?? 0), oldestSeconds: Math.max(0, rows[0]?.oldest ?? 0) }
}
