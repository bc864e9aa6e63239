/** Wakes one sleeper. A ring that nobody sleeps through is remembered, so none is lost between looking and lying down. */
export interface Bell {
  ring(): void
  /** Resolves at the next ring, or after `ms`; at once where it rang since the last sleep. */
  sleep(ms: number): Promise<void>
}

export function createBell(): Bell {
  let rung = false
  let wake: (() => void) | undefined
  return {
    ring() {
      rung = true
      wake?.()
    },
    sleep(ms) {
      return new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer)
          wake = undefined
          rung = false
          resolve()
        }
        const timer = setTimeout(done, rung ? 0 : ms)
        wake = done
      })
    },
  }
}
