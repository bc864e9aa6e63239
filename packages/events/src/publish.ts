import { type JetStreamClient, jetstream } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/nats-core'
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { toHeaders } from './envelope.ts'
import type { OutboxRow } from './outbox.ts'

export type Published = {
  /** Positions of the rows that the stream has. */
  readonly confirmed: bigint[]
  /** Why the others were left, when there are any. */
  readonly failure?: unknown
}

const inFlight = 256
const ackTimeoutMs = 2000
/** So many failures in one batch, and the broker is away: nothing more is tried. */
const giveUpAfter = 8

/**
 * Publishes rows in their order. Keys run side by side; of one key only one is under way, and the first that fails stops the
 * ones after it, so a key's events are never stored out of order. `goOn` is asked before each one.
 */
export async function publishRows(
  connection: NatsConnection,
  service: string,
  rows: readonly OutboxRow[],
  goOn: () => boolean,
): Promise<Published> {
  const js = jetstream(connection)
  const keys = [...Map.groupBy(rows, ({ tenant, key }) => `${tenant} ${key}`).values()]
  const confirmed: bigint[] = []
  const failures: unknown[] = []
  let next = 0
  const lane = async (): Promise<void> => {
    for (let ofKey = keys[next++]; ofKey !== undefined; ofKey = keys[next++]) {
      for (const row of ofKey) {
        if (failures.length >= giveUpAfter || !goOn()) return
        try {
          await publishRow(js, service, row)
          confirmed.push(row.position)
        } catch (error) {
          failures.push(error)
          break
        }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(inFlight, keys.length) }, lane))
  return failures.length === 0 ? { confirmed } : { confirmed, failure: failures[0] }
}

const tracer = trace.getTracer('gatehouse.events')

/** With a span under the call that wrote the event, when that call was traced. */
async function publishRow(js: JetStreamClient, service: string, row: OutboxRow): Promise<void> {
  if (row.traceparent === null) return storeRow(js, service, row)
  const attributes = { 'messaging.system': 'nats', 'messaging.destination.name': row.type, 'messaging.message.id': row.id }
  const parent = propagation.extract(context.active(), { traceparent: row.traceparent })
  const span = tracer.startSpan(`publish ${row.type}`, { kind: SpanKind.PRODUCER, attributes }, parent)
  try {
    await storeRow(js, service, row)
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR })
    throw error
  } finally {
    span.end()
  }
}

async function storeRow(js: JetStreamClient, service: string, row: OutboxRow): Promise<void> {
  const { id, tenant, type, key, version, create_time: time, traceparent } = row
  const envelope = { id, tenant, type, key, version, time, ...(traceparent !== null && { traceparent }) }
  const ack = await js.publish(row.subject, row.payload, { msgID: id, headers: toHeaders(envelope, service), timeout: ackTimeoutMs })
  // A repetition of a message that is itself not stored yet (it may still fail).
  if (ack.duplicate && ack.seq === 0) throw new Error(`the stream has not stored ${id} yet`)
}
