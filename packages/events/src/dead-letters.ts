import type { Executor } from '@gatehouse/postgres'
import { sql } from 'kysely'
import type { Envelope } from './envelope.ts'

export type DeadLetter = {
  readonly consumer: string
  readonly envelope: Envelope
  /** The event's bytes. */
  readonly payload: Uint8Array
  readonly reason: string
  /** Names the place in the code that failed; it stands in the log line that has the stack. */
  readonly stackId: string | undefined
  /** How often handling it was given up. */
  readonly attempts: number
  readonly createTime: Date
  /** Of the last time that it was given up. */
  readonly updateTime: Date
  /** Whether somebody asked to have it handled again, and that has not come to an end yet. */
  readonly isAsked: boolean
}

export type Failure = { readonly reason: string; readonly stackId?: string | undefined }

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
  stack_id: string | null
  attempts: number
  create_time: Date
  update_time: Date
  retry_time: Date | null
}

const columns = sql`tenant, event_id, consumer, type, key, version, payload, traceparent, event_time, reason, stack_id, attempts, create_time,
  update_time, retry_time`
const maxReasonLength = 2000
const storable = (reason: string): string => reason.replaceAll('\0', '').slice(0, maxReasonLength)

/** Puts an event aside with the reason why it cannot be handled. */
export async function buryEvent(
  db: Executor,
  consumer: string,
  envelope: Envelope,
  payload: Uint8Array,
  { reason, stackId = undefined }: Failure,
): Promise<void> {
  const { tenant, id, type, key, version, traceparent = null, time } = envelope
  await sql`insert into dead_letters as held (tenant, event_id, consumer, type, key, version, payload, traceparent, event_time, reason, stack_id, attempts)
    values (${tenant}, ${id}, ${consumer}, ${type}, ${key}, ${version}, ${Buffer.from(payload)}, ${traceparent}, ${time},
      ${storable(reason)}, ${stackId ?? null}, 1)
    on conflict (tenant, event_id, consumer) do update
    set reason = excluded.reason, stack_id = excluded.stack_id, attempts = held.attempts + 1, update_time = now()`.execute(db)
}

/** The oldest dead letters of a service, at most `limit`. */
export async function deadLetters(db: Executor, limit = 100): Promise<DeadLetter[]> {
  const { rows } = await sql<Row>`select ${columns} from dead_letters order by create_time, event_id limit ${limit}::integer`.execute(db)
  return rows.map(letterOf)
}

/** Those of one event: one, unless two tenants or groups of consumers have one of that id. */
export async function deadLettersOf(db: Executor, eventId: string): Promise<DeadLetter[]> {
  const { rows } = await sql<Row>`select ${columns} from dead_letters where event_id = ${eventId}`.execute(db)
  return rows.map(letterOf)
}

/** How many there are (counted up to 10,000). */
export async function countDeadLetters(db: Executor): Promise<number> {
  const { rows } = await sql<{ count: bigint }>`select count(*) as count from (select 1 from dead_letters limit 10000) counted`.execute(db)
  return Number(rows[0]?.count ?? 0)
}

/** Has the running service handle an event again, or all of them; answers their ids. It does so within a second or two, or when it is back. */
export async function askRetry(db: Executor, eventId?: string): Promise<string[]> {
  const which = eventId === undefined ? sql`` : sql`where event_id = ${eventId}`
  const { rows } = await sql<{ event_id: string }>`update dead_letters set retry_time = now() ${which} returning event_id`.execute(db)
  return rows.map(({ event_id }) => event_id)
}

/** Forgets an event for ever; answers what was forgotten. */
export async function dropDeadLetter(db: Executor, eventId: string): Promise<DeadLetter[]> {
  const { rows } = await sql<Row>`delete from dead_letters where event_id = ${eventId} returning ${columns}`.execute(db)
  return rows.map(letterOf)
}

export type Claim = { readonly consumer: string; readonly types: readonly string[]; readonly limit: number; readonly leaseSeconds: number }

/** Takes dead letters that somebody asked for, of types that are handled here; nobody else has them until the lease ends. The oldest events come first. */
export async function claimAsked(db: Executor, { consumer, types, limit, leaseSeconds }: Claim): Promise<DeadLetter[]> {
  const { rows } = await sql<Row>`update dead_letters set retry_time = now() + make_interval(secs => ${leaseSeconds}::double precision)
    where (tenant, event_id, consumer) in (
      select tenant, event_id, consumer from dead_letters
      where retry_time <= now() and consumer = ${consumer} and type = any(${types}::text[])
      order by event_time limit ${limit}::integer for update skip locked)
    returning ${columns}`.execute(db)
  return rows.map(letterOf).sort((a, b) => a.envelope.time.getTime() - b.envelope.time.getTime())
}

/** Takes a dead letter away in the transaction that handles it; false when somebody else did, or dropped it. */
export async function takeAway(tx: Executor, { consumer, envelope: { tenant, id } }: DeadLetter): Promise<boolean> {
  const { rows } = await sql`delete from dead_letters where tenant = ${tenant} and event_id = ${id} and consumer = ${consumer}
    returning 1`.execute(tx)
  return rows.length > 0
}

/** What was asked for was tried in vain. */
export async function failAgain(db: Executor, { consumer, envelope: { tenant, id } }: DeadLetter, failure: Failure): Promise<void> {
  await sql`update dead_letters
    set reason = ${storable(failure.reason)}, stack_id = ${failure.stackId ?? null}, attempts = attempts + 1, update_time = now(), retry_time = null
    where tenant = ${tenant} and event_id = ${id} and consumer = ${consumer}`.execute(db)
}

/** What was asked for waits for something that is away. */
export async function askLater(db: Executor, { consumer, envelope: { tenant, id } }: DeadLetter, seconds: number): Promise<void> {
  await sql`update dead_letters set retry_time = now() + make_interval(secs => ${seconds}::double precision)
    where tenant = ${tenant} and event_id = ${id} and consumer = ${consumer}`.execute(db)
}

function letterOf(row: Row): DeadLetter {
  const { event_id: id, tenant, type, key, version, event_time: time, traceparent } = row
  return {
    consumer: row.consumer,
    envelope: { id, tenant, type, key, version, time, ...(traceparent !== null && { traceparent }) },
    payload: row.payload,
    reason: row.reason,
    stackId: row.stack_id ?? undefined,
    attempts: row.attempts,
    createTime: row.create_time,
    updateTime: row.update_time,
    isAsked: row.retry_time !== null,
  }
}
