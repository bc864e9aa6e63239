/** What a watcher is told at once. */
export interface Told<Row> {
  readonly rows: readonly Row[]
  readonly cursor: string
}

/** The queue of one reader of the feed: bounded, so that a reader who does not read costs no memory. */
export class Watcher<Row> {
  readonly #maxPending: number
  #pending: Row[] = []
  #cursor = ''
  #heartbeatDue = false
  #lastTold = performance.now()
  #wake: (() => void) | undefined
  #state: 'open' | 'overrun' | 'closed' = 'open'

  constructor(maxPending: number) {
    this.#maxPending = maxPending
  }

  /** The reader was too slow and has missed something. */
  get overrun(): boolean {
    return this.#state === 'overrun'
  }

  tell(rows: readonly Row[], cursor: string, heartbeatMs: number): void {
    if (this.#state !== 'open') return
    this.#cursor = cursor
    if (this.#pending.length + rows.length > this.#maxPending) {
      this.#pending = []
      this.#state = 'overrun'
    } else this.#pending.push(...rows)
    if (performance.now() - this.#lastTold >= heartbeatMs) this.#heartbeatDue = true
    this.#wake?.()
  }

  close(): void {
    if (this.#state === 'open') this.#state = 'closed'
    this.#wake?.()
  }

  /** Waits for something to tell; undefined when there is nothing more to come. */
  async next(): Promise<Told<Row> | undefined> {
    while (this.#state === 'open' && this.#pending.length === 0 && !this.#heartbeatDue) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      await promise
    }
    if (this.#state !== 'open') return undefined
    const told = { rows: this.#pending, cursor: this.#cursor }
    this.#pending = []
    this.#heartbeatDue = false
    this.#lastTold = performance.now()
    return told
  }
}
