import { setTimeout as delay } from 'node:timers/promises'
import type { AccessFact } from '@gatehouse/contracts/gatehouse/auth/v1/access_pb'
import { type AccessDirectory, AccessModel, createAccessDirectory, type FedDirectory, measureFresh } from '@gatehouse/identity'
import type { Logger } from '@gatehouse/telemetry'
import { readRecentChanges } from '../../store/access-changes.ts'
import type { Db } from '../deps.ts'
import { Watcher } from '../revocations/watcher.ts'
import { allFacts, factsOf } from './facts.ts'

/** What is bound, as one poll of the database tells every watch of the process and its own doors. */
export interface AccessFeed extends AsyncDisposable {
  /** Settles when everything was read once, or with the end. */
  readonly ready: Promise<void>
  /** Who may do what, as far as this process knows. */
  readonly directory: AccessDirectory & Pick<FedDirectory, 'model'>
  /** Reads now what changed: whoever changed something sees it in this replica at once. Never rejects. */
  refresh(): Promise<void>
  /** Feeds a new watcher from now on; end it with {@link AccessFeed.leave}. */
  join(): Watcher<AccessFact>
  leave(watcher: Watcher<AccessFact>): void
}

export interface AccessFeedOptions {
  readonly db: Db
  readonly log: Logger
  readonly now: () => number
  readonly pollMs?: number
  readonly heartbeatMs?: number
  /** How many facts a reader may be behind. */
  readonly maxPending?: number
}

/** A change becomes visible when its transaction commits, up to this long after its time: every poll looks that far back. */
export const overlapMs = 30_000

/** Now and then everything is read anew: what no change tells of, such as a restored database, stays wrong for no longer. */
const refillMs = 10 * 60_000

/** Starts to poll. While Postgres is away nothing is told, not even a heartbeat, so that readers know. */
export function startAccessFeed(options: AccessFeedOptions): AccessFeed {
  const { db, log, now, pollMs = 200, heartbeatMs = 1_000, maxPending = 20_000 } = options
  const stop = new AbortController()
  const watchers = new Set<Watcher<AccessFact>>()
  const directory = createAccessDirectory(now)
  const stopMeasuring = measureFresh(directory)
  const { promise: ready, resolve: beReady } = Promise.withResolvers<void>()
  const seen = new Map<string, number>()
  let filledAt = Number.NEGATIVE_INFINITY
  let failing = false
  let tail = Promise.resolve()

  async function poll(): Promise<void> {
    const { time, rows } = await readRecentChanges(db, overlapMs)
    const fresh = rows.filter((row) => !seen.has(keyOf(row)))
    const facts = await factsOf(db, fresh)
    if (performance.now() - filledAt >= refillMs) await fill()
    else directory.apply(facts)
    for (const watcher of watchers) watcher.tell(facts, cursorOf(time), heartbeatMs)
    directory.heard(time.getTime())
    for (const row of fresh) seen.set(keyOf(row), row.change_time.getTime())
    for (const [key, changeTime] of seen) if (changeTime < time.getTime() - 2 * overlapMs) seen.delete(key)
    beReady()
  }

  async function fill(): Promise<void> {
    const model = new AccessModel()
    for await (const page of allFacts(db)) for (const fact of page) model.apply(fact)
    directory.replace(model)
    filledAt = performance.now()
  }

  async function tryPoll(): Promise<void> {
    if (stop.signal.aborted) return
    try {
      await poll()
      if (failing) log.info('who may do what is read again')
      failing = false
    } catch (error) {
      if (!failing) log.error({ problem: error instanceof Error ? error.message : String(error) }, 'who may do what cannot be read')
      failing = true
    }
  }

  /** Two polls at once would tell the older state last. */
  const pollNext = (): Promise<void> => {
    tail = tail.then(tryPoll)
    return tail
  }

  const run = (async () => {
    while (!stop.signal.aborted) {
      await pollNext()
      await delay(pollMs, undefined, { signal: stop.signal }).catch(() => {})
    }
  })()

  return {
    ready,
    directory,
    refresh: pollNext,
    join() {
      const watcher = new Watcher<AccessFact>(maxPending)
      watchers.add(watcher)
      if (stop.signal.aborted) watcher.close()
      return watcher
    },
    leave(watcher) {
      watchers.delete(watcher)
      watcher.close()
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      beReady()
      stopMeasuring()
      for (const watcher of watchers) watcher.close()
      await run
      await tail
    },
  }
}

function keyOf({ tenant, version, kind, name }: { tenant: string; version: string; kind: string; name: string }): string {
  return `${tenant} ${version} ${kind} ${name}`
}

/** A time of the database's clock. */
export function cursorOf(time: Date): string {
  return `a1.${time.getTime().toString(36)}`
}

/** The time that a cursor names; undefined when it is none of ours. */
export function timeOfCursor(cursor: string): number | undefined {
  const match = /^a1\.([0-9a-z]{1,10})$/.exec(cursor)
  return match?.[1] === undefined ? undefined : Number.parseInt(match[1], 36)
}
