import { type Executor, transact } from '@gatehouse/postgres'
import { type Kysely, sql } from 'kysely'
import type { Consumer } from './consumer.ts'
import type { Envelope } from './envelope.ts'
import { rememberEvent } from './inbox.ts'

export type DeadLetter = {
  readonly consumer: string
  readonly envelope: Envelope
  readonly reason: string
  /** How often handling it was given up. */
  readonly attempts: number
  readonly createTime: Date
}

type Row = {
  tenant: string
  event_id: string
  consumer: string
  type: string
  key: string
  version: bigint
  payload: Buffer
  traceparent: string | null
  event_time: Date
  reason: string
  attempts: number
  create_time: Date
}

const maxReasonLength = 2000

/** Puts an event aside with the reason why it cannot be handled. */
export async function buryEvent(db: Executor, consumer: string, envelope: Envelope, payload: Uint8Array, reason: string): Promise<void> {
  const { tenant, id, type, key, version, traceparent = null, time } = envelope
  await sql`insert into dead_letters as held (tenant, event_id, consumer, type, key, version, payload, traceparent, event_time, reason, attempts)
    values (${tenant}, ${id}, ${consumer}, ${type}, ${key}, ${version}, ${Buffer.from(payload)}, ${traceparent}, ${time},
      ${reason.replaceAll('\0', '').slice(0, maxReasonLength)}, 1)
    on conflict (tenant, event_id, consumer) do update
    set reason = excluded.reason, attempts = held.attempts + 1, update_time = now()`.execute(db)
}

/** The oldest dead letters of a service, at most `limit`. */
export async function deadLetters(db: Executor, limit = 100): Promise<DeadLetter[]> {
  return (await readRows(db, limit)).map((row) => ({
    consumer: row.consumer,
    envelope: envelopeOf(row),
    reason: row.reason,
    attempts: row.attempts,
    createTime: row.create_time,
  }))
}

export async function countDeadLetters(db: Executor): Promise<number> {
  const { rows } = await sql<{ count: bigint }>`select count(*) as count from (select 1 from dead_letters limit 10000) counted`.execute(db)
  return Number(rows[0]?.count ?? 0)
}

export type RetryOptions<DB> = { readonly db: Kysely<DB>; readonly consumers: readonly Consumer<DB>[]; readonly limit?: number }

/** Handles the oldest dead letters again, once each; those that fail again stay, with the new reason. */
export async function retryDeadLetters<DB>({
  db,
  consumers,
  limit = 1000,
}: RetryOptions<DB>): Promise<{ handled: number; failed: number }> {
  const byType = new Map(consumers.map((consumer) => [consumer.event.typeName, consumer]))
  const counts = { handled: 0, failed: 0 }
  for (const row of await readRows(db, limit)) {
    const envelope = envelopeOf(row)
    try {
      const consumer = byType.get(row.type)
      if (consumer === undefined) throw new Error(`nothing here handles ${row.type}`)
      const act = await consumer.prepare(row.payload, envelope)
      await transact(db, async (tx) => {
        if (await rememberEvent(tx, row.consumer, row.tenant, row.event_id)) await act(tx)
        await sql`delete from dead_letters where tenant = ${row.tenant} and event_id = ${row.event_id} and consumer = ${row.consumer}`.execute(
          tx,
        )
      })
      consumer.committed(row.payload, envelope)
      counts.handled++
    } catch (error) {
      await buryEvent(db, row.consumer, envelope, row.payload, String(error))
      counts.failed++
    }
  }
  return counts
}

async function readRows(db: Executor, limit: number): Promise<Row[]> {
  const { rows } =
    await sql<Row>`select tenant, event_id, consumer, type, key, version, payload, traceparent, event_time, reason, attempts, create_time
    from dead_letters order by create_time limit ${limit}::integer`.execute(db)
  return rows
}

const envelopeOf = ({ event_id: id, tenant, type, key, version, event_time: time, traceparent }: Row): Envelope => ({
  id,
  tenant,
  type,
  key,
  version,
  time,
  ...(traceparent !== null && { traceparent }),
})
