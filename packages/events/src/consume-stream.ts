import { setTimeout as delay } from 'node:timers/promises'
import { type ConsumerMessages, type JsMsg, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { type NatsConnection, nanos } from '@nats-io/nats-core'
import { ackWaitMs, consumerSettings } from './consumer-settings.ts'
import { drainMessages, saidAll } from './drain-messages.ts'
import { Lanes } from './lanes.ts'
import type { Log } from './log.ts'
import type { Nats } from './nats.ts'
import { catchUpOf, streamOf } from './nats-names.ts'
import { requireStream } from './stream.ts'
import { takeUntilThrough } from './take-until-through.ts'
import { findConsumer, widenConsumer } from './widen-consumer.ts'

export type StreamConsumption = {
  readonly nats: Nats
  /** Whose events. */
  readonly source: string
  /** Subjects with a wildcard for what may differ. */
  readonly subjects: readonly string[]
  /** The name under which the stream remembers how far we are; without one it forgets us when we leave. */
  readonly durable?: string
  readonly from: 'start' | 'now'
  /** Batches under way at once. */
  readonly concurrency: number
  /** Messages of one batch at most. */
  readonly batchSize: number
  readonly keyOf: (message: JsMsg) => string
  /** Handles and acknowledges, those of one key in their order; gives those it did not come to. Never rejects. */
  readonly onMessages: (messages: readonly JsMsg[]) => Promise<readonly JsMsg[]>
  readonly log: Log
}

/**
 * Takes messages from a service's stream until disposed, without a pause between them: those of one key one after the other,
 * different keys side by side. Waits for a stream that is not there yet, and finds stream and consumer again after the broker or the connection was away.
 */
export function consumeStream(options: StreamConsumption): AsyncDisposable {
  const { nats, source, log, concurrency, batchSize, keyOf, onMessages } = options
  const stop = new AbortController()
  const lanes = new Lanes<JsMsg>({ concurrency, batchSize, keyOf, handle: onMessages })
  // What takes long is kept ours: otherwise the stream would give it to somebody else meanwhile.
  const working = setInterval(() => {
    for (const message of lanes.held()) message.working()
  }, ackWaitMs / 3)

  const consume = async (connection: NatsConnection, onceFound: () => void): Promise<void> => {
    await requireStream(connection, source)
    const name = await ensureConsumer(connection, options)
    const consumer = await jetstream(connection).consumers.get(streamOf(source), name)
    const messages = await consumer.consume({
      max_messages: Math.max(2 * concurrency, 2 * batchSize, 32),
      expires: 10_000,
      abort_on_missing_resource: true,
    })
    onceFound()
    const drain = (): void => void drainMessages(messages)
    stop.signal.addEventListener('abort', drain, { once: true })
    if (stop.signal.aborted) drain()
    try {
      await Promise.all([takeAll(messages), catchUp(connection)])
    } finally {
      stop.signal.removeEventListener('abort', drain)
      void messages.close()
    }
  }

  const take = async (message: JsMsg): Promise<void> => {
    // Somebody else may have it at once.
    if (stop.signal.aborted) message.nak()
    else lanes.add(message)
    await lanes.room()
  }

  const takeAll = async (messages: ConsumerMessages): Promise<void> => {
    for await (const message of messages) await take(message)
  }

  /** Takes what was told of new kinds before anybody of us asked for them. */
  const catchUp = async (connection: NatsConnection): Promise<void> => {
    const { durable, subjects } = options
    if (durable === undefined) return
    const stream = streamOf(source)
    const { consumers } = await jetstreamManager(connection, { checkAPI: false })
    while (!stop.signal.aborted && (await widenConsumer(consumers, { stream, durable, subjects })))
      await takeUntilThrough(connection, { stream, name: catchUpOf(durable), batchSize, signal: stop.signal, take })
  }

  const run = async (): Promise<void> => {
    for (let failures = 0; !stop.signal.aborted; ) {
      try {
        await consume(await nats.connected(stop.signal), () => {
          failures = 0
        })
      } catch (error) {
        if (failures === 1 && !stop.signal.aborted) log.warn({ err: error, source }, 'cannot take events, trying on')
        failures++
      }
      await delay(Math.min(2000, 50 * 2 ** Math.min(failures, 6)), undefined, { signal: stop.signal }).catch(() => {})
    }
    for (const message of await lanes.ended()) message.nak()
    // Whoever ends us closes the connection next.
    await saidAll(nats.current())
    clearInterval(working)
  }
  const ended = run()

  return {
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the consumer ends'))
      for (const message of lanes.close()) message.nak()
      await ended
    },
  }
}

async function ensureConsumer(connection: NatsConnection, { source, subjects, durable, from }: StreamConsumption): Promise<string> {
  const { consumers } = await jetstreamManager(connection, { checkAPI: false })
  const stream = streamOf(source)
  const wanted = consumerSettings({ subjects, from })
  if (durable === undefined) return (await consumers.add(stream, { ...wanted, inactive_threshold: nanos(60_000) })).name
  const found = await findConsumer(consumers, stream, durable)
  return found === undefined ? (await consumers.add(stream, { ...wanted, durable_name: durable })).name : durable
}
