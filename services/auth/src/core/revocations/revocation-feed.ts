import { setTimeout as delay } from 'node:timers/promises'
import { createRevocationList, type RevocationList } from '@gatehouse/identity'
import type { Logger } from '@gatehouse/telemetry'
import { listRevocations, type RevocationRow, readRecentRevocations } from '../../store/revocations.ts'
import type { Db } from '../deps.ts'
import { Watcher } from './watcher.ts'

/** Every watch of the process is fed by one poll of the database. */
export interface RevocationFeed extends AsyncDisposable {
  /** Settles with the first successful poll, or with the end. */
  readonly ready: Promise<void>
  /** What this process itself refuses. */
  readonly list: RevocationList
  /** Whether the last poll succeeded: what this process remembers is as new as the list. */
  readonly connected: boolean
  /** Feeds a new watcher from now on; end it with {@link RevocationFeed.leave}. */
  join(): Watcher<RevocationRow>
  leave(watcher: Watcher<RevocationRow>): void
}

export interface RevocationFeedOptions {
  readonly db: Db
  readonly log: Logger
  /** Longest life of a token after its session ended. */
  readonly tokenLifeSeconds: number
  readonly pollMs?: number
  readonly heartbeatMs?: number
  /** How many sessions a reader may be behind. */
  readonly maxPending?: number
}

/** A revocation becomes visible when its transaction commits, up to this long after its time: every poll looks that far back. */
export const overlapMs = 30_000

const pageSize = 1_000

/** Starts to poll. While Postgres is away nothing is told, not even a heartbeat, so that readers know. */
export function startRevocationFeed(options: RevocationFeedOptions): RevocationFeed {
  const { db, log, tokenLifeSeconds, pollMs = 200, heartbeatMs = 5_000, maxPending = 10_000 } = options
  const stop = new AbortController()
  const watchers = new Set<Watcher<RevocationRow>>()
  const list = createRevocationList()
  const { promise: ready, resolve: beReady } = Promise.withResolvers<void>()
  const seen = new Map<string, number>()
  let failing = false
  let first = true

  async function poll(): Promise<void> {
    const lookBackMs = first ? tokenLifeSeconds * 1000 + overlapMs : overlapMs
    const { time: now, rows } = await readRecentRevocations(db, { lookBackMs, limit: pageSize })
    const fresh: RevocationRow[] = []
    const see = (row: RevocationRow) => {
      const key = `${row.tenant}/${row.session_id}/${row.generation ?? ''}`
      if (!seen.has(key)) fresh.push(row)
      seen.set(key, row.revoke_time.getTime())
    }
    rows.forEach(see)
    // Hardly ever: a thousand sessions and more that ended within the time looked back.
    if (rows.length === pageSize) for await (const page of pagesOfRevocations(db, new Date(now.getTime() - lookBackMs))) page.forEach(see)
    for (const [key, time] of seen) if (time < now.getTime() - 2 * lookBackMs) seen.delete(key)
    for (const { session_id: id, generation, forget_time: time, is_key: isKey } of fresh) {
      if (isKey) list.changeKey(id)
      else if (generation === null) list.add(id, time.getTime())
      else list.raise(id, generation, time.getTime())
    }
    for (const watcher of watchers) watcher.tell(fresh, cursorOf(now), heartbeatMs)
    first = false
    beReady()
  }

  const run = (async () => {
    while (!stop.signal.aborted) {
      try {
        await poll()
        if (failing) log.info('revocations are read again')
        failing = false
      } catch (error) {
        if (!failing) log.error({ problem: error instanceof Error ? error.message : String(error) }, 'revocations cannot be read')
        failing = true
      }
      await delay(pollMs, undefined, { signal: stop.signal }).catch(() => {})
    }
  })()

  return {
    ready,
    list,
    get connected() {
      return !first && !failing
    },
    join() {
      const watcher = new Watcher<RevocationRow>(maxPending)
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
      for (const watcher of watchers) watcher.close()
      await run
    },
  }
}

/** All revocations from a time on, in pages. */
export async function* pagesOfRevocations(db: Db, from: Date): AsyncGenerator<readonly RevocationRow[]> {
  let after: RevocationRow | undefined
  do {
    const page = await listRevocations(db, { from, limit: pageSize, ...(after ? { after } : {}) })
    if (page.length > 0) yield page
    after = page.length === pageSize ? page.at(-1) : undefined
  } while (after)
}

/** A time of the database's clock. */
export function cursorOf(time: Date): string {
  return `r1.${time.getTime().toString(36)}`
}

/** The time that a cursor names; undefined when it is none of ours. */
export function timeOfCursor(cursor: string): number | undefined {
  const match = /^r1\.([0-9a-z]{1,10})$/.exec(cursor)
  return match?.[1] === undefined ? undefined : Number.parseInt(match[1], 36)
}
