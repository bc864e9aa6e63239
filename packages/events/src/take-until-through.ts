import { type JsMsg, jetstream, jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/nats-core'
import { findConsumer } from './widen-consumer.ts'

export type UntilThrough = {
  readonly stream: string
  readonly name: string
  readonly batchSize: number
  readonly signal: AbortSignal
  readonly take: (message: JsMsg) => Promise<void>
}

/** The client asks no server for less. */
const waitMs = 1_000

/**
 * Takes what a consumer has to give, together with whoever else does, until nothing of it is left or unacknowledged; then it goes. What is not through when
 * we leave is taken up by the next one who looks.
 */
export async function takeUntilThrough(connection: NatsConnection, { stream, name, batchSize, signal, take }: UntilThrough): Promise<void> {
  const { consumers } = await jetstreamManager(connection, { checkAPI: false })
  while (!signal.aborted) {
    const found = await findConsumer(consumers, stream, name)
    if (found === undefined) return
    if (found.num_pending + found.num_ack_pending === 0) {
      await consumers.delete(stream, name).catch(async (error) => {
        if ((await findConsumer(consumers, stream, name)) !== undefined) throw error
      })
      return
    }
    const consumer = await jetstream(connection).consumers.get(stream, name)
    for await (const message of await consumer.fetch({ max_messages: batchSize, expires: waitMs })) await take(message)
  }
}
