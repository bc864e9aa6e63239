import type { Msg, MsgHdrs, NatsConnection } from '@nats-io/nats-core'
import { createInbox } from '@nats-io/nats-core'

/** Told once: without an error when the stream has the message. */
export type Settle = (error?: unknown) => void

type Waiting = { readonly settle: Settle; readonly until: number }

const ackTimeoutMs = 2000

/**
 * Publishes to a stream with one subscription for all acknowledgements of a connection. What a request of the client library costs beside the message
 * (two errors with their stack traces, a timer and four promises, made in case that it fails) is more than the message itself.
 */
class AckInbox {
  readonly #connection: NatsConnection
  readonly #prefix: string
  /** In the order in which they run out. */
  readonly #waiting = new Map<string, Waiting>()
  #sent = 0
  #timer: NodeJS.Timeout | undefined

  constructor(connection: NatsConnection, prefix?: string) {
    this.#connection = connection
    this.#prefix = `${createInbox(prefix)}.`
    connection.subscribe(`${this.#prefix}*`, { callback: (error, message) => this.#receive(error, message) })
    void connection.closed().then(() => this.#giveUp(Number.POSITIVE_INFINITY))
  }

  publish(subject: string, payload: Uint8Array, headers: MsgHdrs, settle: Settle): void {
    const token = (this.#sent++).toString(36)
    this.#waiting.set(token, { settle, until: performance.now() + ackTimeoutMs })
    try {
      this.#connection.publish(subject, payload, { headers, reply: this.#prefix + token })
    } catch (error) {
      this.#waiting.delete(token)
      settle(error)
      return
    }
    this.#watch()
  }

  #receive(error: unknown, message: Msg): void {
    if (error) return
    const token = message.subject.slice(this.#prefix.length)
    const waiting = this.#waiting.get(token)
    this.#waiting.delete(token)
    waiting?.settle(refusalIn(message))
  }

  #watch(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#giveUp(performance.now())
      if (this.#waiting.size > 0) this.#watch()
    }, ackTimeoutMs / 4)
  }

  #giveUp(now: number): void {
    for (const [token, { settle, until }] of this.#waiting) {
      if (until > now) return
      this.#waiting.delete(token)
      settle(new Error(`the stream did not answer within ${ackTimeoutMs} ms`))
    }
  }
}

const inboxes = new WeakMap<NatsConnection, AckInbox>()
const prefixes = new WeakMap<NatsConnection, string>()

/** Where a connection's user may be answered, when that is not anywhere. */
export function ackInboxIn(connection: NatsConnection, prefix: string | undefined): void {
  if (prefix !== undefined) prefixes.set(connection, prefix)
}

/** The one of a connection: a connection that was mended keeps it. */
export function ackInboxOf(connection: NatsConnection): AckInbox {
  const inbox = inboxes.get(connection) ?? new AckInbox(connection, prefixes.get(connection))
  inboxes.set(connection, inbox)
  return inbox
}

/** Why the stream does not have the message, else undefined. */
function refusalIn(message: Msg): Error | undefined {
  if (message.data.length === 0)
    return new Error(
      `no stream took the message (status ${message.headers?.code ?? 'unknown'}); one that is missing is made by gatehouse migrate`,
    )
  try {
    const { seq, error, duplicate } = message.json<{
      seq?: number
      duplicate?: boolean
      error?: { description?: string; err_code?: number }
    }>()
    if (error !== undefined) return new Error(`the stream refused: ${error.description} (${error.err_code})`)
    if (seq) return undefined
    // A repetition of a message that is itself not stored yet (it may still fail).
    return new Error(duplicate ? 'the stream has not stored the first of two yet' : 'the answer names no place in the stream')
  } catch (error) {
    return error as Error
  }
}
