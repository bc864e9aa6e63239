import type { Db } from '@gatehouse/postgres'
import {
  deletePendingRevocation,
  type PendingRevocation,
  postponePendingRevocation,
  takePendingRevocations,
} from '../store/pending-revocations.ts'
import type { Schema } from '../store/schema.ts'

export type EndSessionsOptions = {
  readonly db: Db<Schema>
  /** Asks auth to end a person's sessions; asking again is harmless. */
  readonly revoke: (person: { tenant: string; userId: string; openedUntil?: Date }, signal: AbortSignal) => Promise<void>
  readonly log: { warn(fields: object, message: string): void; info(message: string): void }
  readonly pollMs?: number
  /** Longer than `revoke` can take. */
  readonly leaseMs?: number
  readonly maxBackoffMs?: number
}

export type EndSessions = AsyncDisposable & {
  /** There is something to do: do not wait for the next poll. */
  nudge(): void
}

/** Asks auth to end the sessions of people who were suspended or deleted, until it has answered. Replicas share the work through the table. */
export function endSessions({ db, revoke, log, pollMs = 500, leaseMs = 30_000, maxBackoffMs = 10_000 }: EndSessionsOptions): EndSessions {
  const stop = new AbortController()
  const underWay = new Set<Promise<void>>()
  const failed = new Map<string, number>()
  let failing = false
  let nudged = false
  let wake = (): void => {}

  const attempt = async (pending: PendingRevocation): Promise<void> => {
    try {
      const { tenant, user_id: userId, opened_until: openedUntil } = pending
      await revoke({ tenant, userId, ...(openedUntil && { openedUntil }) }, stop.signal)
    } catch (error) {
      await postponePendingRevocation(db, pending, stop.signal.aborted ? 0 : backoff(pending.attempts, maxBackoffMs))
      throw error
    }
    await deletePendingRevocation(db, pending)
  }

  /** One that auth takes its time for holds up nobody else's. */
  const start = (pending: PendingRevocation): void => {
    const who = `${pending.tenant} ${pending.user_id}`
    const work = attempt(pending)
      .then(
        () => recovered(who),
        (error: unknown) => {
          failed.set(who, performance.now())
          complain(error)
        },
      )
      .finally(() => {
        const wasFull = underWay.size === atOnce
        underWay.delete(work)
        if (wasFull) nudge()
      })
    underWay.add(work)
  }

  /** All is well when nobody is left for whom it failed; one whom another replica has taken over does not come back here. */
  const recovered = (who: string): void => {
    failed.delete(who)
    for (const [other, time] of failed) if (performance.now() - time > 3 * maxBackoffMs) failed.delete(other)
    if (failing && failed.size === 0) {
      failing = false
      log.info('sessions of suspended and deleted people are ended again')
    }
  }

  const complain = (error: unknown): void => {
    if (!failing && !stop.signal.aborted) log.warn({ err: error }, 'sessions of suspended or deleted people cannot be ended; trying on')
    failing = true
  }

  const takeWhatIsDue = async (): Promise<void> => {
    while (underWay.size < atOnce && !stop.signal.aborted) {
      const room = atOnce - underWay.size
      const due = await takePendingRevocations(db, { limit: room, leaseMs })
      due.forEach(start)
      if (due.length < room) return
    }
  }

  const pause = (): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, pollMs)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  const nudge = (): void => {
    nudged = true
    wake()
  }

  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      nudged = false
      await takeWhatIsDue().catch(complain)
      if (!nudged && !stop.signal.aborted) await pause()
    }
    await Promise.all(underWay)
  }

  const running = run()
  return {
    nudge,
    async [Symbol.asyncDispose]() {
      stop.abort()
      wake()
      await running
    },
  }
}

const atOnce = 20

/** Doubles from a quarter of a second; spread, so that replicas do not march in step. */
const backoff = (attempts: number, maxMs: number): number =>
  Math.min(maxMs, 250 * 2 ** Math.min(attempts - 1, 20)) * (0.5 + Math.random() / 2)
