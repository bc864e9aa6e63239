export type LanesOptions<Item> = {
  /** Batches under way at once. */
  readonly concurrency: number
  /** Items of one batch at most. */
  readonly batchSize: number
  readonly keyOf: (item: Item) => string
  /** Does what is to be done with the items, those of one key in their order; gives those it did not come to. Never rejects. */
  readonly handle: (items: readonly Item[]) => Promise<readonly Item[]>
}

/**
 * Hands on what comes in, in batches side by side: at once while little comes, and the more comes the larger the batches. A key is in one batch at a
 * time, so its items stay in their order.
 */
export class Lanes<Item> {
  readonly #options: LanesOptions<Item>
  readonly #busyKeys = new Set<string>()
  readonly #running = new Map<Promise<void>, readonly Item[]>()
  #waiting: Item[] = []
  #start: NodeJS.Immediate | undefined
  #closed = false

  constructor(options: LanesOptions<Item>) {
    this.#options = options
  }

  add(item: Item): void {
    this.#waiting.push(item)
    // What came in one piece from the network goes together.
    this.#start ??= setImmediate(() => {
      this.#start = undefined
      this.#fill()
    })
  }

  /** Resolves when so little waits that more may come. */
  async room(): Promise<void> {
    while (this.#waiting.length >= this.#options.batchSize && this.#running.size > 0) await Promise.race(this.#running.keys())
  }

  /** All that is neither handled nor given back. */
  held(): readonly Item[] {
    return [...this.#running.values(), this.#waiting].flat()
  }

  /** Lets nothing more begin; gives what did not begin at once. */
  close(): readonly Item[] {
    this.#closed = true
    return this.#waiting.splice(0)
  }

  /** Resolves when nothing is under way. After close(): with what was begun and not come to. */
  async ended(): Promise<readonly Item[]> {
    while (this.#running.size > 0) await Promise.all(this.#running.keys())
    return this.#waiting.splice(0)
  }

  #fill(): void {
    while (!this.#closed && this.#running.size < this.#options.concurrency) {
      const batch = this.#take()
      if (batch.length === 0) return
      const run = this.#run(batch).then(() => {
        this.#running.delete(run)
        this.#fill()
      })
      this.#running.set(run, batch)
    }
  }

  async #run(batch: readonly Item[]): Promise<void> {
    const { handle, keyOf } = this.#options
    const left = await handle(batch)
    this.#waiting.unshift(...left)
    for (const item of batch) this.#busyKeys.delete(keyOf(item))
  }

  /** What comes first of each key that is free. */
  #take(): readonly Item[] {
    const { keyOf, batchSize } = this.#options
    const taken: Item[] = []
    this.#waiting = this.#waiting.filter((item) => {
      if (taken.length >= batchSize || this.#busyKeys.has(keyOf(item))) return true
      taken.push(item)
      return false
    })
    for (const item of taken) this.#busyKeys.add(keyOf(item))
    return taken
  }
}
