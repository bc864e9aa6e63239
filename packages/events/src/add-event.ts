import { type DescMessage, type MessageShape, toBinary } from '@bufbuild/protobuf'
import type { Executor } from '@gatehouse/postgres'
import { context, propagation } from '@opentelemetry/api'
import { sql } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import { eventContract, subjectOf } from './event-contract.ts'

export type NewEvent<Desc extends DescMessage> = {
  readonly schema: Desc
  readonly message: MessageShape<Desc>
  readonly tenant: string
  /** The aggregate's version after the change: what orders the events of one key. */
  readonly version: bigint | number
  /** Left out, it is the field that the contract names. */
  readonly key?: string
}

/** An event as its row of the outbox. */
export type EventRow = {
  readonly tenant: string
  readonly id: string
  readonly type: string
  readonly subject: string
  readonly key: string
  readonly version: bigint
  readonly payload: Buffer
  readonly traceparent: string | null
}

const maxPayloadBytes = 64 * 1024

/**
 * Writes an event into the outbox, in the transaction of the fact it tells; gives its id. After the commit, nudge the relay.
 * Throws TypeError outside a transaction, and for a message that the contract does not declare as an event.
 */
export async function addEvent<Desc extends DescMessage>(tx: Executor, event: NewEvent<Desc>): Promise<string> {
  if (!tx.isTransaction) throw new TypeError('an event is written in the transaction of its fact')
  const { tenant, id, type, subject, key, version, payload, traceparent } = eventRow(event)
  await sql`insert into outbox (tenant, id, type, subject, key, version, payload, traceparent)
    values (${tenant}, ${id}, ${type}, ${subject}, ${key}, ${version}, ${payload}, ${traceparent})`.execute(tx)
  return id
}

/**
 * The row of an event, with the trace of the call that runs now: for {@link insertEvents}, where a fact and its event are one statement.
 * Throws TypeError for a message that the contract does not declare as an event.
 */
export function eventRow<Desc extends DescMessage>(event: NewEvent<Desc>): EventRow {
  const { type, subject, keyField } = eventContract(event.schema)
  const key = event.key ?? String((event.message as unknown as Record<string, unknown>)[keyField.localName])
  if (key === '') throw new TypeError(`an event ${type} without a key`)
  const payload = Buffer.from(toBinary(event.schema, event.message))
  if (payload.length > maxPayloadBytes) throw new TypeError(`an event ${type} of ${payload.length} bytes: events carry ids and versions`)
  return {
    tenant: event.tenant,
    id: uuidv7(),
    type,
    subject: subjectOf(subject, event.tenant),
    key,
    version: BigInt(event.version),
    payload,
    traceparent: currentTraceparent(),
  }
}

/** The trace of what runs now, for a row that somebody acts on later; null outside of any. */
export function currentTraceparent(): string | null {
  const carrier: Record<string, string> = {}
  propagation.inject(context.active(), carrier)
  return carrier.traceparent ?? null
}
