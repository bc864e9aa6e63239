import { setTimeout as delay } from 'node:timers/promises'

/** Looks until it is so; false when it is not within the bound. */
export async function within(boundMs: number, look: () => boolean | Promise<boolean>, pauseMs = 50): Promise<boolean> {
  for (const end = performance.now() + boundMs; ; await delay(pauseMs)) {
    if (await look()) return true
    if (performance.now() > end) return false
  }
}
