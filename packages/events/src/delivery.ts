import type { JsMsg } from '@nats-io/jetstream'
import { type Context, context, type Span } from '@opentelemetry/api'
import type { Transaction } from 'kysely'
import { type Consumer, PermanentFailure } from './consumer.ts'
import { type Envelope, isEvent } from './envelope.ts'
import { type ProcessOptions, processSpan } from './event-spans.ts'

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

export function openDelivery<DB>(
  message: JsMsg,
  envelope: Envelope,
  consumer: Consumer<DB>,
  about: Omit<ProcessOptions, 'attempt'>,
): Delivery<DB> {
  return { message, envelope, consumer, ...processSpan(envelope, { ...about, attempt: message.info.deliveryCount }) }
}

/** Runs the handler's part before the transaction. */
export async function prepare<DB>(delivery: Delivery<DB>): Promise<Prepared<DB>> {
  const { message, envelope, consumer } = delivery
  if (!isEvent(message)) throw new PermanentFailure(`it has no envelope of a ${envelope.type}`)
  const act = await context.with(delivery.context, () => consumer.prepare(message.data, envelope))
  return { delivery, act: (tx) => context.with(delivery.context, () => act(tx)) }
}
