/** A waiter that can be woken, also before it waits: a nudge during the work is not lost. */
export class Wake {
  #nudged = false
  #end: (() => void) | undefined

  nudge(): void {
    this.#nudged = true
    this.#end?.()
  }

  /** Resolves after `ms`, at a nudge, or when the signal is aborted; never rejects. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#nudged && !signal.aborted && ms > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms)
        this.#end = () => {
          clearTimeout(timer)
          resolve()
        }
        signal.addEventListener('abort', this.#end, { once: true })
      })
      if (this.#end !== undefined) signal.removeEventListener('abort', this.#end)
      this.#end = undefined
    }
    this.#nudged = false
  }
}
