import { setTimeout as delay } from 'node:timers/promises'
import { roleOf, serviceNames } from '@gatehouse/local'
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream'
import type { Constellation } from './constellation.ts'
import { connectBroker } from './servers.ts'

const boundMs = 60_000
/** However slowly it settles, it is to do so at some time. */
const longestMs = 10 * boundMs

/** Something of which so much waits, and how that is said. */
type Waiting = { readonly much: number; readonly sentence: string }

/** What still has to happen before the dust has settled. */
async function unsettled(sql: Constellation['sql'], manager: JetStreamManager): Promise<Waiting[]> {
  const count = async (what: string, from: string): Promise<Waiting[]> => {
    const rows = await sql<{ n: string }>(`select count(*) as n from ${from}`)
    const much = Number(rows[0]?.n)
    return much === 0 ? [] : [{ much, sentence: `${much} ${what}` }]
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
        waiting.push({
          much: num_pending + num_ack_pending,
          sentence: `${num_pending} events of ${name} are not delivered to ${durable}, ${num_ack_pending} not acknowledged`,
        })
  }
  return waiting
}

/**
 * Waits until nothing waits any more: outboxes empty, events consumed, mails sent. Answers what still waits, which is a violation, when it has not become
 * less for a minute: everything works again by then, and on a busy machine what was left behind in the storm is much, and not lost.
 */
export async function settle({ sql, servers }: Constellation, patienceMs = boundMs): Promise<readonly string[]> {
  const connection = await connectBroker(servers)
  // Whoever died with one of these holds it for half a minute: asking auth again is harmless, and what holds after a short wait holds after a long one.
  await sql(`update ${roleOf('user')}.pending_revocations set due_time = least(due_time, now() + interval '4 seconds')`)
  try {
    const manager = await jetstreamManager(connection)
    const patience = new Patience(patienceMs)
    for (;;) {
      const waiting = await unsettled(sql, manager)
      // An effect may be the cause of another event, which is not there before its commit.
      if (waiting.length === 0) {
        await delay(200)
        if ((await unsettled(sql, manager)).length === 0) return []
      } else if (patience.isOver(waiting.reduce((sum, { much }) => sum + much, 0))) return waiting.map(({ sentence }) => sentence)
      await delay(100)
    }
  } finally {
    await connection.close()
  }
}

/** Lasts as long as ever less waits. */
export class Patience {
  readonly #ms: number
  readonly #now: () => number
  readonly #began: number
  #least = Number.POSITIVE_INFINITY
  #lessSince: number

  constructor(ms: number, now = () => performance.now()) {
    this.#ms = ms
    this.#now = now
    this.#began = now()
    this.#lessSince = this.#began
  }

  /** Told what waits now. */
  isOver(much: number): boolean {
    const now = this.#now()
    if (much < this.#least) {
      this.#least = much
      this.#lessSince = now
    }
    return now - this.#lessSince > this.#ms || now - this.#began > longestMs
  }
}
