import type { JsMsg } from '@nats-io/jetstream'
import { type Context, context, propagation, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import type { Transaction } from 'kysely'
import type { Consumer } from './consumer.ts'
import type { Envelope } from './envelope.ts'

/** An event on its way through a handler. */
export type Delivery<DB> = {
  readonly message: JsMsg
  readonly envelope: Envelope
  readonly consumer: Consumer<DB>
  /** What it does stands under the call that wrote the event. */
  readonly context: Context
  readonly span: Span
}

/** A delivery with what is left to do in the transaction. */
export type Prepared<DB> = { readonly delivery: Delivery<DB>; readonly act: (tx: Transaction<DB>) => Promise<void> }

const tracer = trace.getTracer('gatehouse.events')

export function openDelivery<DB>(message: JsMsg, envelope: Envelope, consumer: Consumer<DB>): Delivery<DB> {
  const parent = propagation.extract(context.active(), { traceparent: envelope.traceparent })
  const attributes = { 'messaging.system': 'nats', 'messaging.destination.name': envelope.type, 'messaging.message.id': envelope.id }
  const span = tracer.startSpan(`process ${envelope.type}`, { kind: SpanKind.CONSUMER, attributes }, parent)
  return { message, envelope, consumer, span, context: trace.setSpan(parent, span) }
}

/** Runs the handler's part before the transaction. */
export async function prepare<DB>(delivery: Delivery<DB>): Promise<Prepared<DB>> {
  const { message, envelope, consumer } = delivery
  const act = await context.with(delivery.context, () => consumer.prepare(message.data, envelope))
  return { delivery, act: (tx) => context.with(delivery.context, () => act(tx)) }
}

export function endDelivery({ span }: { readonly span: Span }, error?: unknown): void {
  if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR })
  span.end()
}
