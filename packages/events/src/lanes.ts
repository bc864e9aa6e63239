export type LanesOptions<Item> = {
  /** Batches under way at once. */
  readonly concurrency: number
  /** Items of one batch at most. */
  readonly batchSize: number
  readonly keyOf: (item: Item) => string
  /** Does what is to be done with the items, those of one key in their order; gives those it did not come to. Never rejects. */
  readonly handle: (items: readonly Item[]) => Promise<readonly Item[]>
}

type Held<Item> = { readonly key: string; readonly item: Item }

/**
 * Hands on what comes in, in batches side by side: at once while little comes, and the more comes the larger the batches. A key is in one batch at a
 * time, so its items stay in their order.
 */
export class Lanes<Item> {
  readonly #options: LanesOptions<Item>
  readonly #busyKeys = new Set<string>()
  readonly #running = new Map<Promise<void>, readonly Held<Item>[]>()
  readonly #closing = Promise.withResolvers<void>()
  #waiting: Held<Item>[] = []
  #start: NodeJS.Immediate | undefined
  /** Whether the last batch did not come to all of its items. */
  #isSlow = false
  #closed = false

  constructor(options: LanesOptions<Item>) {
    this.#options = options
  }

  add(item: Item): void {
    this.#waiting.push({ key: this.#options.keyOf(item), item })
    // What came in one piece from the network goes together.
    this.#start ??= setImmediate(() => {
      this.#start = undefined
      this.#fill()
    })
  }

  /** Resolves when so little waits that more may come, or none has to wait any more because it is closed. */
  async room(): Promise<void> {
    while (!this.#closed && this.#waiting.length >= this.#options.batchSize) {
      // What came in one piece is taken with the next turn of the event loop.
      if (this.#running.size === 0) await new Promise((resolve) => setImmediate(resolve))
      else await Promise.race([this.#closing.promise, ...this.#running.keys()])
    }
  }

  /** All that is neither handled nor given back. */
  held(): readonly Item[] {
    return [...this.#running.values(), this.#waiting].flat().map(({ item }) => item)
  }

  /** Lets nothing more begin; gives what did not. */
  close(): readonly Item[] {
    this.#closed = true
    this.#closing.resolve()
    return this.#waiting.splice(0).map(({ item }) => item)
  }

  /** Resolves, after close(), when nothing is under way any more; gives what had begun and was not come to. */
  async ended(): Promise<readonly Item[]> {
    await Promise.all(this.#running.keys())
    return this.#waiting.splice(0).map(({ item }) => item)
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

  async #run(batch: readonly Held<Item>[]): Promise<void> {
    const left = new Set(await this.#options.handle(batch.map(({ item }) => item)))
    this.#isSlow = left.size > 0
    this.#waiting.unshift(...batch.filter(({ item }) => left.has(item)))
    for (const { key } of batch) this.#busyKeys.delete(key)
  }

  /** All that waits of free keys, because a batch costs more than an item; while items take their time, one lane's share of these keys. */
  #take(): readonly Held<Item>[] {
    const { batchSize, concurrency } = this.#options
    const free = [...new Set(this.#waiting.map(({ key }) => key))].filter((key) => !this.#busyKeys.has(key))
    const share = this.#isSlow ? Math.ceil(free.length / (concurrency - this.#running.size)) : free.length
    const mine = new Set(free.slice(0, share))
    const taken: Held<Item>[] = []
    this.#waiting = this.#waiting.filter((held) => {
      if (taken.length >= batchSize || !mine.has(held.key)) return true
      taken.push(held)
      return false
    })
    for (const { key } of taken) this.#busyKeys.add(key)
    return taken
  }
}
