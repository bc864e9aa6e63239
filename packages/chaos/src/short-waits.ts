import { setTimeout as delay } from 'node:timers/promises'
import { jetstreamManager } from '@nats-io/jetstream'
import { nanos } from '@nats-io/nats-core'
import { connectBroker, type Servers } from './servers.ts'

/** What a killed consumer had taken comes again after this, and not after half a minute: what holds for one wait holds for the other. */
const ackWaitMs = 4_000

const durables = [
  ['gatehouse-user', 'auth'],
  ['gatehouse-user', 'notification'],
  ['gatehouse-auth', 'notification'],
] as const

/** Shortens the time after which the streams give unacknowledged events again, once the services have made their durables. */
export async function shortenAckWait(servers: Servers): Promise<void> {
  const connection = await connectBroker(servers)
  try {
    const { consumers } = await jetstreamManager(connection)
    for (const [stream, durable] of durables) {
      for (const end = performance.now() + 30_000; ; await delay(50)) {
        try {
          await consumers.update(stream, durable, { ack_wait: nanos(ackWaitMs) })
          break
        } catch (error) {
          if (performance.now() > end) throw new Error(`${durable} does not consume ${stream}`, { cause: error })
        }
      }
    }
  } finally {
    await connection.close()
  }
}
