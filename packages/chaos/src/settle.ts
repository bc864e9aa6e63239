import { setTimeout as delay } from 'node:timers/promises'
import { roleOf, serviceNames } from '@gatehouse/local'
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream'
import type { Constellation } from './constellation.ts'
import { connectBroker } from './servers.ts'

const boundMs = 60_000

/** What still has to happen before the dust has settled: one sentence for each thing that waits. */
async function unsettled(sql: Constellation['sql'], manager: JetStreamManager): Promise<string[]> {
  const count = async (what: string, from: string) => {
    const rows = await sql<{ n: string }>(`select count(*) as n from ${from}`)
    return Number(rows[0]?.n) === 0 ? [] : [`${rows[0]?.n} ${what}`]
  }
  const waiting = [
    ...(await Promise.all(
      serviceNames.map((name) => count(`events wait in the outbox of ${name}`, `${roleOf(name)}.outbox where published_time is null`)),
    )),
    await count('mails are not settled', `${roleOf('notification')}.deliveries where state in ('pending', 'sending')`),
    await count('sessions are not ended', `${roleOf('user')}.pending_revocations`),
  ].flat()
  for (const name of serviceNames) {
    const consumers = await manager.consumers.list(`gatehouse-${name}`).next()
    for (const { durable_name: durable, num_pending, num_ack_pending } of consumers.map(({ config, ...info }) => ({ ...info, ...config })))
      if (durable !== undefined && num_pending + num_ack_pending > 0)
        waiting.push(`${num_pending} events of ${name} are not delivered to ${durable}, ${num_ack_pending} not acknowledged`)
  }
  return waiting
}

/**
 * Waits until nothing waits any more: outboxes empty, events consumed, mails sent. Answers what still waits after a minute, which is a violation:
 * everything works again by then.
 */
export async function settle({ sql, servers }: Constellation, patienceMs = boundMs): Promise<readonly string[]> {
  const connection = await connectBroker(servers)
  // Whoever died with one of these holds it for half a minute: asking auth again is harmless, and what holds after a short wait holds after a long one.
  await sql(`update ${roleOf('user')}.pending_revocations set due_time = least(due_time, now() + interval '4 seconds')`)
  try {
    const manager = await jetstreamManager(connection)
    for (const end = performance.now() + patienceMs; ; await delay(100)) {
      const waiting = await unsettled(sql, manager)
      // An effect may be the cause of another event, which is not there before its commit.
      if (waiting.length === 0) {
        await delay(200)
        if ((await unsettled(sql, manager)).length === 0) return []
      } else if (performance.now() > end) return waiting
    }
  } finally {
    await connection.close()
  }
}
