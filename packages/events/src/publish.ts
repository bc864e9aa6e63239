import type { NatsConnection } from '@nats-io/nats-core'
import { ackInboxOf, type Settle } from './ack-inbox.ts'
import { toHeaders } from './envelope.ts'
import { endSpan, publishSpan } from './event-spans.ts'
import type { OutboxRow } from './outbox.ts'

export type Published<Row extends OutboxRow = OutboxRow> = {
  /** The rows that the stream has, of each key in its order. */
  readonly confirmed: readonly Row[]
  /** Why the others were left, when there are any. */
  readonly failure?: unknown
}

const inFlight = 512
/** So many failures in one batch, and the broker is away: nothing more is tried. */
const giveUpAfter = 8

/**
 * Publishes rows in their order. Keys run side by side; of one key only one is under way, and the first that fails stops the
 * ones after it, so a key's events are never stored out of order. `goOn` is asked before each one.
 */
export function publishRows<Row extends OutboxRow>(
  connection: NatsConnection,
  service: string,
  rows: readonly Row[],
  goOn: () => boolean,
): Promise<Published<Row>> {
  const publish = publisherTo(connection, service)
  const keys = [...Map.groupBy(rows, ({ tenant, key }) => `${tenant} ${key}`).values()]
  const confirmed: Row[] = []
  const failures: unknown[] = []
  const ended = Promise.withResolvers<Published<Row>>()
  let nextKey = 0
  let underWay = 0

  const send = (ofKey: readonly Row[], at: number): boolean => {
    const row = ofKey[at]
    if (row === undefined || failures.length >= giveUpAfter || !goOn()) return false
    underWay++
    publish(row, (error) => {
      underWay--
      if (error === undefined) {
        confirmed.push(row)
        send(ofKey, at + 1)
      } else failures.push(error)
      fill()
    })
    return true
  }
  // Also called by what a failed send settles at once, in the middle of a turn: the inner call leaves the rest to the outer one.
  let filling = false
  const fill = (): void => {
    if (filling) return
    filling = true
    while (underWay < inFlight && nextKey < keys.length) {
      if (!send(keys[nextKey++] ?? [], 0)) nextKey = keys.length
    }
    filling = false
    if (underWay === 0) ended.resolve(failures.length === 0 ? { confirmed } : { confirmed, failure: failures[0] })
  }
  fill()
  return ended.promise
}

function publisherTo(connection: NatsConnection, service: string): (row: OutboxRow, settle: Settle) => void {
  const inbox = ackInboxOf(connection)
  return (row, settle) => {
    const { id, tenant, type, key, version, create_time: time } = row
    try {
      const { traceparent, settled } = traced(row, settle)
      const headers = toHeaders({ id, tenant, type, key, version, time, ...(traceparent !== null && { traceparent }) }, service)
      inbox.publish(row.subject, row.payload, headers, settled)
    } catch (error) {
      settle(error)
    }
  }
}

/** With a span under the call that wrote the event, where that call is recorded. */
function traced(row: OutboxRow, settle: Settle): { readonly traceparent: string | null; readonly settled: Settle } {
  if (row.traceparent?.endsWith(RECORDED) !== true) return { traceparent: row.traceparent, settled: settle }
  const { span, traceparent } = publishSpan(row, row.traceparent)
  return {
    traceparent,
    settled(error) {
      endSpan(span, error)
      settle(error)
    },
  }
}

/** How a `traceparent` of ours ends when its trace is recorded. */
const RECORDED = '-01'
