import { isUnavailable, transact } from '@gatehouse/postgres'
import type { JsMsg } from '@nats-io/jetstream'
import { context, metrics, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import type { Kysely } from 'kysely'
import { consumeStream } from './consume-stream.ts'
import { type Consumer, PermanentFailure, TransientFailure } from './consumer.ts'
import { buryEvent, countDeadLetters } from './dead-letters.ts'
import { type Envelope, fromMessage } from './envelope.ts'
import { eventContract } from './event-contract.ts'
import { pruneInbox, rememberEvent } from './inbox.ts'
import { observeLag } from './lag.ts'
import { type Log, silent } from './log.ts'
import type { Nats } from './nats.ts'

export type ConsumersOptions<DB> = {
  readonly nats: Nats
  readonly db: Kysely<DB>
  /** Who consumes: its durable on every source stream is called so. */
  readonly service: string
  /** A second group of consumers of the same service gets a name of its own. Default: the service's. */
  readonly name?: string
  /** At most one for each event. */
  readonly consumers: readonly Consumer<DB>[]
  readonly log?: Log
  /** Runs after each commit of a handler: the place to nudge the relay. */
  readonly onCommit?: () => void
  /** Events handled at once of each source. Default 8. */
  readonly concurrency?: number
  /** How often an event may fail before it becomes a dead letter, away peers and databases apart. Default 10. */
  readonly maxAttempts?: number
  /** The first wait before a repetition; it doubles each time. Default 250. */
  readonly retryDelayMs?: number
  /** Tells errors of things that are away from errors of the event. What this package and gRPC call so is known already. */
  readonly isTransient?: (error: unknown) => boolean
}

const maxRetryDelayMs = 60_000
const maxTransientDelayMs = 5000
const unknownDeliveries = 70
const pruneEveryMs = 60_000

/**
 * Handles the events of other services, each with one effect: the handler's transaction remembers the event, and the
 * acknowledgement follows the commit. Events of one key come in order while nothing fails; a repetition may come late,
 * which is why handlers compare versions.
 */
export function startConsumers<DB>(options: ConsumersOptions<DB>): AsyncDisposable {
  const { nats, db, service, name = service, consumers, log = silent, onCommit, concurrency = 8 } = options
  const byType = new Map(consumers.map((consumer) => [consumer.event.typeName, consumer]))
  if (byType.size < consumers.length) throw new TypeError('an event has one handler in a service')
  const failuresOf = new Map<string, number>()
  const tracer = trace.getTracer('gatehouse.events')
  const handled = metrics.getMeter('gatehouse.events').createCounter('gatehouse.events.handled', { description: 'Events by outcome' })

  const handle = async (message: JsMsg): Promise<void> => {
    const envelope = fromMessage(message)
    const consumer = byType.get(envelope.type)
    if (consumer === undefined) return leaveToOthers(message, envelope)
    const parent = propagation.extract(context.active(), { traceparent: envelope.traceparent })
    const attributes = { 'messaging.system': 'nats', 'messaging.destination.name': envelope.type, 'messaging.message.id': envelope.id }
    await tracer.startActiveSpan(`process ${envelope.type}`, { kind: SpanKind.CONSUMER, attributes }, parent, async (span) => {
      try {
        const act = await consumer.prepare(message.data, envelope)
        await transact(db, async (tx) => {
          if (await rememberEvent(tx, name, envelope.tenant, envelope.id)) await act(tx)
        })
        message.ack()
        tellCommitted(consumer, message, envelope)
        failuresOf.delete(envelope.id)
        handled.add(1, { consumer: name, type: envelope.type, outcome: 'done' })
      } catch (error) {
        span.setStatus({ code: SpanStatusCode.ERROR })
        await fail(message, envelope, error)
      } finally {
        span.end()
      }
    })
  }

  /** The event is done by now: whatever goes wrong here is no reason to do it again. */
  const tellCommitted = (consumer: Consumer<DB>, message: JsMsg, envelope: Envelope): void => {
    try {
      consumer.committed(message.data, envelope)
      onCommit?.()
    } catch (error) {
      log.error({ err: error, type: envelope.type, id: envelope.id }, 'what follows an event failed')
    }
  }

  /** While versions of the service run side by side, a newer replica may know the event; after an hour nobody does. */
  const leaveToOthers = async (message: JsMsg, envelope: Envelope): Promise<void> => {
    const { deliveryCount } = message.info
    if (deliveryCount < unknownDeliveries) return message.nak(Math.min(maxRetryDelayMs, 100 * 2 ** Math.min(deliveryCount - 1, 20)))
    await bury(message, envelope, 'nothing handles this event any more')
  }

  const bury = async (message: JsMsg, envelope: Envelope, reason: string): Promise<void> => {
    try {
      await buryEvent(db, name, envelope, message.data, reason)
      message.ack()
      failuresOf.delete(envelope.id)
      log.error({ type: envelope.type, id: envelope.id, tenant: envelope.tenant, reason }, 'an event became a dead letter')
      handled.add(1, { consumer: name, type: envelope.type, outcome: 'dead' })
    } catch {
      again(message, maxTransientDelayMs)
    }
  }

  const fail = async (message: JsMsg, envelope: Envelope, error: unknown): Promise<void> => {
    if (isAway(error) || options.isTransient?.(error)) return again(message, maxTransientDelayMs)
    if (error instanceof PermanentFailure) return bury(message, envelope, error.message)
    const attempts = (failuresOf.get(envelope.id) ?? 0) + 1
    const { maxAttempts = 10 } = options
    log.warn({ err: error, type: envelope.type, id: envelope.id, tenant: envelope.tenant, attempts }, 'an event could not be handled')
    if (attempts >= maxAttempts) return bury(message, envelope, `after ${attempts} attempts: ${String(error)}`)
    if (failuresOf.size >= 10_000) failuresOf.clear()
    failuresOf.set(envelope.id, attempts)
    again(message, maxRetryDelayMs, attempts)
  }

  const again = (message: JsMsg, maxMs: number, attempt = message.info.deliveryCount): void => {
    const { retryDelayMs = 250 } = options
    const ms = Math.min(maxMs, retryDelayMs * 2 ** Math.min(attempt - 1, 20))
    message.nak(Math.ceil(ms * (0.5 + Math.random() / 2)))
    handled.add(1, { consumer: name, outcome: 'again' })
  }

  const sources = [...Map.groupBy(consumers, ({ event }) => eventContract(event).service)]
  const loops = sources.map(([source, ofSource]) =>
    consumeStream({
      nats,
      source,
      subjects: ofSource.map(({ event }) => `${eventContract(event).subject}.*`),
      durable: name,
      from: 'start',
      createStream: true,
      concurrency,
      keyOf: (message) => `${message.subject.slice(message.subject.lastIndexOf('.'))} ${message.headers?.get('ce-subject') ?? ''}`,
      onMessage: handle,
      log,
    }),
  )
  const pruning = setInterval(() => void pruneInbox(db, 10_000).catch(() => {}), pruneEveryMs)
  const unobserve = observeLag({ nats, name, sources: sources.map(([source]) => source), deadLetters: () => countDeadLetters(db) })

  return {
    async [Symbol.asyncDispose]() {
      clearInterval(pruning)
      unobserve()
      await Promise.all(loops.map((loop) => loop[Symbol.asyncDispose]()))
    },
  }
}

/** Errors that say nothing about the event. gRPC's are known by name and code: 4 deadline, 8 exhausted, 10 aborted, 14 unavailable. */
function isAway(error: unknown): boolean {
  if (error instanceof TransientFailure || isUnavailable(error)) return true
  return error instanceof Error && error.name === 'ConnectError' && 'code' in error && [4, 8, 10, 14].includes(Number(error.code))
}
