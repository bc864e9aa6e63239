import type { DescMessage, MessageShape } from '@bufbuild/protobuf'
import type { JsMsg } from '@nats-io/jetstream'
import { consumeStream } from './consume-stream.ts'
import { decode } from './consumer.ts'
import { type Envelope, fromMessage, isEvent } from './envelope.ts'
import { eventContract, subjectOf } from './event-contract.ts'
import { type Log, silent } from './log.ts'
import type { Nats } from './nats.ts'
import { subscriberOf } from './nats-names.ts'

export type SubscribeOptions<Desc extends DescMessage> = {
  readonly nats: Nats
  /** Under a name the broker remembers how far we are, and replicas of one name share the events; without one we get what comes from now on. */
  readonly name?: string
  /** Only events of this tenant. */
  readonly tenant?: string
  readonly events: readonly Desc[]
  /**
   * Told of every event at least once: `switch (message.$typeName)` narrows the message. It is told again when this rejects.
   * Whoever acts on it remembers `envelope.id`, and compares `envelope.version`.
   */
  readonly onEvent: (message: MessageShape<Desc>, envelope: Envelope) => Promise<void> | void
  /** Events told at once. Default 8. */
  readonly concurrency?: number
  readonly log?: Log
}

const maxRetryDelayMs = 60_000

/** Tells somebody outside the three services what they tell the world. A message that cannot be decoded is logged and left out. */
export function subscribe<const Desc extends DescMessage>(options: SubscribeOptions<Desc>): AsyncDisposable {
  const { nats, name, tenant, events, onEvent, concurrency = 8, log = silent } = options
  const byType = new Map(events.map((event) => [event.typeName, event]))

  const tell = async (message: JsMsg): Promise<void> => {
    const envelope = fromMessage(message)
    const event = byType.get(envelope.type)
    // A durable keeps the subjects of all who ever used its name.
    if (event === undefined || (tenant !== undefined && envelope.tenant !== tenant)) return message.ack()
    const body = isEvent(message) ? decodeOrUndefined(event, message.data) : undefined
    if (body === undefined) {
      log.error({ type: envelope.type, id: envelope.id }, 'an event cannot be decoded and is left out')
      return message.ack()
    }
    try {
      await onEvent(body, envelope)
      message.ack()
    } catch (error) {
      const ms = Math.min(maxRetryDelayMs, 250 * 2 ** Math.min(message.info.deliveryCount - 1, 10))
      log.warn({ err: error, type: envelope.type, id: envelope.id }, 'an event could not be handled, and will come again')
      message.nak(Math.ceil(ms * (0.5 + Math.random() / 2)))
    }
  }

  const bySource = Map.groupBy(events, (event) => eventContract(event).service)
  const loops = [...bySource].map(([source, ofSource]) =>
    consumeStream({
      nats,
      source,
      subjects: ofSource.map((event) =>
        tenant === undefined ? `${eventContract(event).subject}.*` : subjectOf(eventContract(event).subject, tenant),
      ),
      ...(name !== undefined && { durable: subscriberOf(name) }),
      from: name === undefined ? 'now' : 'start',
      concurrency,
      batchSize: 1,
      keyOf: (message) => `${message.subject.slice(message.subject.lastIndexOf('.'))} ${message.headers?.get('ce-subject') ?? ''}`,
      onMessages: async (messages) => {
        for (const message of messages) await tell(message)
        return []
      },
      log,
    }),
  )
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(loops.map((loop) => loop[Symbol.asyncDispose]()))
    },
  }
}

function decodeOrUndefined<Desc extends DescMessage>(event: Desc, data: Uint8Array): MessageShape<Desc> | undefined {
  try {
    return decode(event, data)
  } catch {
    return undefined
  }
}
