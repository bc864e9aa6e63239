import { type Db, pruneRequests } from '@gatehouse/postgres'
import type { Logger } from '@gatehouse/telemetry'

const everyMs = 600_000
const atOnce = 1000

/** Forgets request ids whose time is over, every ten minutes, in pieces that hold nobody up. Replicas may do it side by side. */
export function startPruningRequests<DB>(
  db: Db<DB>,
  { log, keptSeconds }: { readonly log: Logger; readonly keptSeconds: number },
): AsyncDisposable {
  let stopped = false

  async function prune(): Promise<void> {
    try {
      while (!stopped && (await pruneRequests(db, { limit: atOnce, keptSeconds })) === atOnce);
    } catch (error) {
      if (!stopped) log.debug({ err: error }, 'old request ids stay until the next time')
    }
  }

  let running = Promise.resolve()
  const timer = setInterval(() => {
    running = running.then(prune)
  }, everyMs).unref()
  return {
    async [Symbol.asyncDispose]() {
      stopped = true
      clearInterval(timer)
      await running
    },
  }
}
