import { type DescMessage, type MessageShape, toBinary } from '@bufbuild/protobuf'
import { reflect, type ScalarValue } from '@bufbuild/protobuf/reflect'
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

const maxPayloadBytes = 64 * 1024

/**
 * Writes an event into the outbox, in the transaction of the fact it tells; gives its id. After the commit, nudge the relay.
 * Throws TypeError outside a transaction, and for a message that the contract does not declare as an event.
 */
export async function addEvent<Desc extends DescMessage>(tx: Executor, event: NewEvent<Desc>): Promise<string> {
  if (!tx.isTransaction) throw new TypeError('an event is written in the transaction of its fact')
  const { type, subject, keyField } = eventContract(event.schema)
  const key = event.key ?? String(reflect(event.schema, event.message).get(keyField) as ScalarValue)
  if (key === '') throw new TypeError(`an event ${type} without a key`)
  const payload = toBinary(event.schema, event.message)
  if (payload.length > maxPayloadBytes) throw new TypeError(`an event ${type} of ${payload.length} bytes: events carry ids and versions`)
  const id = uuidv7()
  await sql`insert into outbox (tenant, id, type, subject, key, version, payload, traceparent)
    values (${event.tenant}, ${id}, ${type}, ${subjectOf(subject, event.tenant)}, ${key}, ${BigInt(event.version)},
      ${Buffer.from(payload)}, ${currentTraceparent()})`.execute(tx)
  return id
}

/** Whose trace an event belongs to: null outside of one. */
export function currentTraceparent(): string | null {
  const carrier: Record<string, string> = {}
  propagation.inject(context.active(), carrier)
  return carrier.traceparent ?? null
}
