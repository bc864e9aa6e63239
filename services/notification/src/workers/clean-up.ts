import { setTimeout as delay } from 'node:timers/promises'
import type { Db } from '@gatehouse/postgres'
import type { Logger } from '@gatehouse/telemetry'
import { deleteOldItems } from '../store/inbox.ts'
import { deleteOldNotifications } from '../store/notifications.ts'
import type { Schema } from '../store/schema.ts'

export interface CleanUpOptions {
  readonly db: Db<Schema>
  readonly log: Pick<Logger, 'warn'>
  readonly notificationsKeptSeconds: number
  readonly inboxKeptSeconds: number
  readonly everyMs?: number
}

const batch = 1000

/** Removes what is too old for anybody, a little at a time. Replicas that do the same at once do it together. */
export function startCleanUp({ db, log, notificationsKeptSeconds, inboxKeptSeconds, everyMs = 600_000 }: CleanUpOptions): AsyncDisposable {
  const stop = new AbortController()
  const run = (async () => {
    while (!stop.signal.aborted) {
      try {
        while (!stop.signal.aborted && (await deleteOldNotifications(db, notificationsKeptSeconds, batch)) === batch);
        while (!stop.signal.aborted && (await deleteOldItems(db, inboxKeptSeconds, batch)) === batch);
      } catch (error) {
        log.warn({ err: error }, 'old notifications cannot be removed')
      }
      await delay(everyMs, undefined, { signal: stop.signal }).catch(() => {})
    }
  })()
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await run
    },
  }
}
