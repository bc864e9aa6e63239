import { isUnavailable } from '@gatehouse/postgres'
import type { JsMsg } from '@nats-io/jetstream'
import { type Attributes, metrics, type SpanContext } from '@opentelemetry/api'
import { PermanentFailure, TransientFailure } from './consumer.ts'
import { buryEvent, type Failure } from './dead-letters.ts'
import type { Delivery } from './delivery.ts'
import type { Envelope } from './envelope.ts'
import { endSpan } from './event-spans.ts'
import { silent } from './log.ts'
import { stackId } from './stack-id.ts'
import type { ConsumersOptions } from './start-consumers.ts'

const maxRetryDelayMs = 60_000
const maxTransientDelayMs = 5000
const unknownDeliveries = 70
/** A stream gives out a thousand that are not acknowledged, to all replicas together, and then nothing more. */
const mostUnknown = 200
/** Within about six seconds. */
const firstDeliveries = 6

/** What becomes of an event after its handler: done, again later, or aside for ever. */
export class Outcomes<DB> {
  readonly #options: ConsumersOptions<DB>
  readonly #name: string
  readonly #failuresOf = new Map<string, number>()
  /** When events that nothing here handles came last, in the order of that. */
  readonly #unknown = new Map<string, number>()
  /** The span of an event's last attempt, of those that failed and are recorded. */
  readonly #attempts = new Map<string, SpanContext>()
  readonly #handled = metrics.getMeter('gatehouse.events').createCounter('gatehouse.events.handled', { description: 'Events by outcome' })

  readonly #delay = metrics.getMeter('gatehouse.events').createHistogram('gatehouse.events.delay', {
    unit: 's',
    description: 'Time from the fact to the commit of its effect.',
    advice: { explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600] },
  })
  readonly #delayOf: Attributes

  constructor(options: ConsumersOptions<DB>) {
    this.#options = options
    this.#name = options.name ?? options.service
    this.#delayOf = { consumer: this.#name }
  }

  /** The last attempt to handle an event, where this process made it. */
  attemptBefore(id: string): SpanContext | undefined {
    return this.#attempts.get(id)
  }

  /** The event's effect is committed: whatever goes wrong here is no reason to do it again. */
  done(delivery: Delivery<DB>): void {
    const { message, envelope, consumer } = delivery
    tellStream(() => message.ack())
    try {
      consumer.committed(message.data, envelope)
      this.#options.onCommit?.()
    } catch (error) {
      this.#log.error({ err: error, type: envelope.type, id: envelope.id }, 'what follows an event failed')
    }
    this.#failuresOf.delete(envelope.id)
    this.#attempts.delete(envelope.id)
    this.#handled.add(1, { consumer: this.#name, type: envelope.type, outcome: 'done' })
    this.#delay.record(Math.max(0, (Date.now() - envelope.time.getTime()) / 1000), this.#delayOf)
    endSpan(delivery.span)
  }

  async failed(delivery: Delivery<DB>, error: unknown): Promise<void> {
    const { message, envelope } = delivery
    if (delivery.span.isRecording()) remember(this.#attempts, envelope.id, delivery.span.spanContext())
    endSpan(delivery.span, error)
    if (this.isAway(error)) return this.#again(message, maxTransientDelayMs)
    if (error instanceof PermanentFailure) return this.bury(message, envelope, { reason: error.message, stackId: stackId(error) }, error)
    const attempts = (this.#failuresOf.get(envelope.id) ?? 0) + 1
    const { maxAttempts = 10 } = this.#options
    this.#log.warn({ err: error, type: envelope.type, id: envelope.id, tenant: envelope.tenant, attempts }, 'an event could not be handled')
    if (attempts >= maxAttempts)
      return this.bury(message, envelope, { reason: `after ${attempts} attempts: ${String(error)}`, stackId: stackId(error) }, error)
    remember(this.#failuresOf, envelope.id, attempts)
    this.#again(message, maxRetryDelayMs, attempts)
  }

  /**
   * While versions of the service run side by side, a newer replica may know the event; after an hour nobody does. Where many wait, as after a newer
   * release was taken back, the rest is put aside at once: it can be tried again, and what is known goes on.
   */
  async unknown(message: JsMsg, envelope: Envelope): Promise<void> {
    const { deliveryCount } = message.info
    if (deliveryCount >= unknownDeliveries) return this.bury(message, envelope, { reason: 'nothing handles this event any more' })
    // What comes for the first times may be on its way to a newer replica: that takes it within seconds.
    if (deliveryCount > firstDeliveries && this.#unknownNow(envelope.id) > mostUnknown)
      return this.bury(message, envelope, { reason: 'nothing handles this event, and many like it wait for a newer release' })
    tellStream(() => message.nak(Math.min(maxRetryDelayMs, 100 * 2 ** Math.min(deliveryCount - 1, 20))))
  }

  /** How many wait that nothing here handles. What did not come again in time was given to another replica. */
  #unknownNow(id: string): number {
    const now = performance.now()
    this.#unknown.delete(id)
    this.#unknown.set(id, now)
    for (const [each, came] of this.#unknown) {
      if (now - came < 2 * maxRetryDelayMs) break
      this.#unknown.delete(each)
    }
    return this.#unknown.size
  }

  async bury(message: JsMsg, envelope: Envelope, failure: Failure, err?: unknown): Promise<void> {
    const { id, type, tenant, traceparent } = envelope
    try {
      await buryEvent(this.#options.db, this.#name, envelope, message.data, failure)
      tellStream(() => message.ack())
      this.#failuresOf.delete(envelope.id)
      this.#attempts.delete(envelope.id)
      this.#unknown.delete(envelope.id)
      const { reason, stackId: stack_id } = failure
      this.#log.error(
        { type, id, tenant, reason, stack_id, ...(traceparent !== undefined && { trace_id: traceparent.split('-')[1] }), err },
        'an event became a dead letter',
      )
      this.#handled.add(1, { consumer: this.#name, type: envelope.type, outcome: 'dead' })
    } catch {
      this.#again(message, maxTransientDelayMs)
    }
  }

  /** Errors that say nothing about the event. gRPC's are known by name and code: 4 deadline, 8 exhausted, 10 aborted, 14 unavailable. */
  isAway(error: unknown): boolean {
    if (error instanceof TransientFailure || isUnavailable(error) || this.#options.isTransient?.(error)) return true
    return error instanceof Error && error.name === 'ConnectError' && 'code' in error && [4, 8, 10, 14].includes(Number(error.code))
  }

  #again(message: JsMsg, maxMs: number, attempt = message.info.deliveryCount): void {
    const { retryDelayMs = 250 } = this.#options
    const ms = Math.min(maxMs, retryDelayMs * 2 ** Math.min(attempt - 1, 20))
    tellStream(() => message.nak(Math.ceil(ms * (0.5 + Math.random() / 2))))
    this.#handled.add(1, { consumer: this.#name, outcome: 'again' })
  }

  get #log() {
    return this.#options.log ?? silent
  }
}

/** What is remembered of events that fail is bounded: forgetting costs a count or a link. */
function remember<T>(of: Map<string, T>, id: string, value: T): void {
  if (of.size >= 10_000) of.clear()
  of.set(id, value)
}

/** A connection that is closed says nothing any more; the message comes again by itself. */
function tellStream(say: () => void): void {
  try {
    say()
  } catch {}
}
