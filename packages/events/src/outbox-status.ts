import type { Executor } from '@gatehouse/postgres'
import { sql } from 'kysely'
import { outboxBacklog } from './outbox.ts'

/** How far an outbox is, as its own service's database tells it. */
export type OutboxStatus = {
  /** Events that no broker has confirmed (counted up to 10,000), and the age of the oldest in seconds. */
  readonly depth: number
  readonly oldestSeconds: number
  /** Of the event that was published last: they are numbered as the broker confirms them. */
  readonly position: bigint
  readonly lastPublishedTime: Date | undefined
  /** The time of the oldest event that a replay reaches. */
  readonly keptSince: Date | undefined
  readonly lease: {
    /** `host/process/…`; empty before the first relay. */
    readonly holder: string
    readonly epoch: bigint
    /** Whether it holds now, by the database's clock. */
    readonly isHeld: boolean
    /** Seconds since it ended; negative while it holds. */
    readonly endedSeconds: number
  }
}

export async function outboxStatus(db: Executor): Promise<OutboxStatus> {
  const { rows: depth, oldestSeconds } = await outboxBacklog(db)
  const { rows } = await sql<{
    position: bigint
    holder: string
    epoch: bigint
    ended: number
    kept_since: Date | null
    last_published: Date | null
  }>`select position, holder, epoch, extract(epoch from clock_timestamp() - expire_time)::double precision as ended,
      (select create_time from outbox where published_time is not null order by position limit 1) as kept_since,
      (select published_time from outbox where published_time is not null order by position desc limit 1) as last_published
    from relay_lease where name = 'relay'`.execute(db)
  const [row] = rows
  if (row === undefined) throw new Error('the table relay_lease has lost its row')
  return {
    depth,
    oldestSeconds,
    position: row.position,
    lastPublishedTime: row.last_published ?? undefined,
    keptSince: row.kept_since ?? undefined,
    lease: { holder: row.holder, epoch: row.epoch, isHeld: row.ended < 0, endedSeconds: row.ended },
  }
}

/** Whether an event is in the outbox, published or not. */
export async function isInOutbox(db: Executor, tenant: string, id: string): Promise<boolean> {
  const { rows } = await sql`select 1 from outbox where tenant = ${tenant} and id::text = ${id}`.execute(db)
  return rows.length > 0
}
