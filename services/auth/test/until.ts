import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'

/** Waits for something to happen, within a bound. */
export async function until(condition: () => boolean | Promise<boolean>, withinMs = 15_000): Promise<void> {
  for (const end = performance.now() + withinMs; !(await condition()); await delay(5)) {
    if (performance.now() > end) assert.fail(`it did not happen within ${withinMs} ms`)
  }
}
