import { setTimeout as delay } from 'node:timers/promises'
import type { ConsumerMessages } from '@nats-io/jetstream'
import type { NatsConnection, Subscription } from '@nats-io/nats-core'

/** A server that is there answers in milliseconds; to and from one that is not nothing is on its way. */
const boundMs = 2_000

/**
 * Has no more messages come, and lets those that are on their way arrive: the iterator gives them all, and ends. Its own `close()` drops them, and the
 * stream would wait for their acknowledgement before it gives them to somebody else. The subscription is drained: the server answers what follows the
 * end of the subscription after all that it has sent; what it had for us and did not send it keeps, seeing that nobody is interested. Never rejects.
 */
export async function drainMessages(messages: ConsumerMessages): Promise<void> {
  // The client drains it too, with its whole connection, and ends the iterator then; there is no other way to it.
  const { sub } = messages as ConsumerMessages & { readonly sub?: Pick<Subscription, 'drain'> }
  await bounded(sub?.drain())
  await messages.close()
}

/** Waits until the server has all that was said. Never rejects. */
export async function saidAll(connection: NatsConnection | undefined): Promise<void> {
  await bounded(connection?.flush())
}

async function bounded(answer: Promise<void> | undefined): Promise<void> {
  const answered = new AbortController()
  await Promise.race([answer, delay(boundMs, undefined, { signal: answered.signal })]).catch(() => undefined)
  answered.abort()
}
