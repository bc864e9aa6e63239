import { setTimeout as delay } from 'node:timers/promises'
import {
  type ConsumerConfig,
  type ConsumerMessages,
  JetStreamApiError,
  type JetStreamManager,
  type JsMsg,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream'
import { type NatsConnection, nanos } from '@nats-io/nats-core'
import { ackWaitMs, consumerNotFound, consumerSettings } from './consumer-settings.ts'
import { drainMessages, saidAll } from './drain-messages.ts'
import { Lanes } from './lanes.ts'
import type { Log } from './log.ts'
import type { Nats } from './nats.ts'
import { ensureStream, streamOf } from './stream.ts'

export type StreamConsumption = {
  readonly nats: Nats
  /** Whose events. */
  readonly source: string
  /** Subjects with a wildcard for what may differ. */
  readonly subjects: readonly string[]
  /** The name under which the stream remembers how far we are; without one it forgets us when we leave. */
  readonly durable?: string
  readonly from: 'start' | 'now'
  /** Whether to make a stream that is missing; who may not waits for it. */
  readonly createStream: boolean
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
 * different keys side by side. Finds stream and consumer again after the broker or the connection was away.
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
    if (options.createStream) await ensureStream(connection, source, { owner: false })
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
      await takeAll(messages)
    } finally {
      stop.signal.removeEventListener('abort', drain)
      void messages.close()
    }
  }

  const takeAll = async (messages: ConsumerMessages): Promise<void> => {
    for await (const message of messages) {
      // Somebody else may have it at once.
      if (stop.signal.aborted) message.nak()
      else lanes.add(message)
      await lanes.room()
    }
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
  const found = await infoOf(consumers, stream, durable)
  if (found === undefined) return (await consumers.add(stream, { ...wanted, durable_name: durable })).name
  const subscribed = found.filter_subjects ?? (found.filter_subject === undefined ? [] : [found.filter_subject])
  // Only ever more: while old and new replicas run side by side, the old ones' restart must not lose the new ones' events.
  const united = [...new Set([...subscribed, ...subjects])].sort()
  if (united.length > subscribed.length) await consumers.update(stream, durable, { filter_subjects: united })
  return durable
}

async function infoOf(consumers: JetStreamManager['consumers'], stream: string, name: string): Promise<ConsumerConfig | undefined> {
  try {
    return (await consumers.info(stream, name)).config
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === consumerNotFound) return undefined
    throw error
  }
}
