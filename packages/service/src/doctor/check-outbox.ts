import { deadLetters, type OutboxStatus } from '@gatehouse/events'
import type { Db } from '@gatehouse/postgres'
import { events, seconds, time } from '../in-words.ts'
import type { PeerName } from '../peers.ts'
import { either, type Finding, note, ok, wrong } from './findings.ts'

const lateSeconds = 30

/** Who publishes, and what waits. */
export function judgeOutbox(name: PeerName, { depth, oldestSeconds, lease }: OutboxStatus): Finding[] {
  return [
    lease.isHeld
      ? ok(`the relay runs: ${lease.holder} (epoch ${lease.epoch})`)
      : wrong(
          lease.epoch === 0n
            ? `nobody has published for ${name} yet`
            : `nobody has published for ${name} for ${seconds(lease.endedSeconds)}; the last was ${lease.holder}`,
          `start ${name}; when it runs, its log says why it has no lease (look for "the relay cannot work")`,
        ),
    either(
      depth === 0 || oldestSeconds < lateSeconds,
      depth === 0 ? 'nothing waits in the outbox' : `${events(depth)} wait in the outbox, none for longer than ${seconds(oldestSeconds)}`,
      `${depth >= 10_000 ? '10,000 events or more' : events(depth)} wait in the outbox, the oldest for ${seconds(oldestSeconds)}`,
      'nothing is lost. NATS is away, refuses or is full: see below, and "the relay cannot work" in the log',
    ),
  ]
}

/** What was put aside. */
export async function checkDeadLetters(name: PeerName, db: Db<unknown>): Promise<Finding> {
  const letters = await deadLetters(db, 1000)
  const [first] = letters
  if (first === undefined) return ok('there are no dead letters')
  const count = letters.length === 1 ? 'an event was' : `${letters.length}${letters.length === 1000 ? ' or more' : ''} events were`
  return letters.every(({ isAsked }) => isAsked)
    ? note(`${count} put aside, and asked for again`)
    : wrong(`${count} put aside, the first at ${time(first.createTime)}: ${first.reason}`, `gatehouse dead-letters list ${name}`)
}
