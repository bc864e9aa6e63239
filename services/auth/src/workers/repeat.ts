import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '@gatehouse/telemetry'

export interface RepeatOptions {
  /** Names the work in the log. */
  readonly name: string
  readonly everyMs: number
  readonly log: Logger
  readonly act: (signal: AbortSignal) => Promise<void>
}

/** Does the work at once and then again and again, never twice at a time. A failure is logged and tried again at the next turn. */
export function repeat({ name, everyMs, log, act }: RepeatOptions): AsyncDisposable {
  const stop = new AbortController()
  const run = (async () => {
    while (!stop.signal.aborted) {
      await act(stop.signal).catch((error: unknown) => {
        if (!stop.signal.aborted)
          log.warn({ problem: error instanceof Error ? error.message : String(error), worker: name }, 'work failed and will be tried again')
      })
      // Replicas that started together drift apart.
      await delay(everyMs * (0.9 + 0.2 * Math.random()), undefined, { signal: stop.signal }).catch(() => {})
    }
  })()
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await run
    },
  }
}
