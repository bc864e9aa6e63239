import { setTimeout as delay } from 'node:timers/promises'
import { type ConsumerMessages, type JsMsg, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { type NatsConnection, nanos } from '@nats-io/nats-core'
import { ackWaitMs, consumerSettings } from './consumer-settings.ts'
import { drainMessages, saidAll } from './drain-messages.ts'
import { Lanes } from './lanes.ts'
import type { Log } from './log.ts'
import type { Nats } from './nats.ts'
import { catchUpOf, streamOf } from './nats-names.ts'
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

/** Two that do not come are silence: the broker tells so often that it is there while nothing else is to be told. */
const heartbeatMs = 1_000
/** A server that answers at all does so in milliseconds; while a leader is chosen none does. */
const answerMs = 2_000

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
    const name = await ensureConsumer(connection, options)
    const consumer = await jetstream(connection, { timeout: answerMs }).consumers.get(streamOf(source), name)
    const messages = await consumer.consume({
      max_messages: Math.max(2 * concurrency, 2 * batchSize, 32),
      expires: 10_000,
      idle_heartbeat: heartbeatMs,
      abort_on_missing_resource: true,
    })
    onceFound()
    const over = new AbortController()
    const end = (): void => over.abort()
    const ending = AbortSignal.any([stop.signal, over.signal])
    const drain = (): void => void drainMessages(messages)
    ending.addEventListener('abort', drain, { once: true })
    if (ending.aborted) drain()
    void whenSilent(messages, end)
    // What the client asked for before comes on top of what it asks for now, and it asks late where a leader is still to be chosen.
    const forget = nats.onConnect(end)
    try {
      const parts = [takeAll(messages).finally(end), catchUp(connection, ending)]
      for (const part of parts) part.catch(end)
      // None is left behind when the other fails.
      await Promise.allSettled(parts)
      await Promise.all(parts)
    } finally {
      forget()
      ending.removeEventListener('abort', drain)
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
  const catchUp = async (connection: NatsConnection, signal: AbortSignal): Promise<void> => {
    const { durable, subjects } = options
    if (durable === undefined) return
    const stream = streamOf(source)
    const { consumers } = await managerOf(connection)
    while (!signal.aborted && (await widenConsumer(consumers, { stream, durable, subjects })))
      await takeUntilThrough(connection, { stream, name: catchUpOf(durable), batchSize, signal, take })
  }

  const run = async (): Promise<void> => {
    for (let failures = 0; !stop.signal.aborted; ) {
      try {
        await consume(await nats.connected(stop.signal), () => {
          if (failures > 1) log.info({ source }, 'takes events again')
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

/**
 * A server that leads the consumer from now on knows of none who waits for its messages, and tells nobody so. The client would ask it too, but after half
 * a minute at the worst, and what it had asked for before would come on top: we begin anew.
 */
async function whenSilent(messages: ConsumerMessages, act: () => void): Promise<void> {
  for await (const { type } of messages.status()) if (type === 'heartbeats_missed') return act()
}

const managerOf = (connection: NatsConnection) => jetstreamManager(connection, { checkAPI: false, timeout: answerMs })

async function ensureConsumer(connection: NatsConnection, { source, subjects, durable, from }: StreamConsumption): Promise<string> {
  const { consumers } = await managerOf(connection)
  const stream = streamOf(source)
  const wanted = consumerSettings({ subjects, from })
  if (durable === undefined) return (await consumers.add(stream, { ...wanted, inactive_threshold: nanos(60_000) })).name
  const found = await findConsumer(consumers, stream, durable)
  return found === undefined ? (await consumers.add(stream, { ...wanted, durable_name: durable })).name : durable
}
