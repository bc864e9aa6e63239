import type { Executor } from '@gatehouse/postgres'
import { markPublished, type OutboxRow } from './outbox.ts'
import { Wake } from './wake.ts'

export type MarksOptions = {
  readonly db: Executor
  readonly epoch: bigint
  /** So many rows are marked without a wait for more. */
  readonly batchSize: number
  /** Told when the database says that the epoch is over. */
  readonly onFenced: () => void
}

/** Nobody waits for a mark, and a commit for each few rows costs everybody some. */
const gatherMs = 20

/**
 * Tells the database what the broker has confirmed, behind the back of the publishing, one statement after the other. Marks that are lost, because the
 * process ends, have their rows published again under the same ids, and the stream drops them.
 */
export class Marks {
  readonly #options: MarksOptions
  readonly #ending = new AbortController()
  readonly #full = new Wake()
  #gathered: OutboxRow[] = []
  #beingMarked: readonly OutboxRow[] = []
  #running: Promise<void> | undefined
  #statement: Promise<unknown> | undefined
  #failure: { readonly error: unknown } | undefined

  constructor(options: MarksOptions) {
    this.#options = options
  }

  add(rows: readonly OutboxRow[]): void {
    if (rows.length === 0) return
    for (const row of rows) this.#gathered.push(row)
    if (this.#gathered.length >= this.#options.batchSize) this.#full.nudge()
    if (this.#failure === undefined) this.#running ??= this.#run()
  }

  /** Ids of what is confirmed and perhaps not marked. */
  unmarked(): ReadonlySet<string> {
    return new Set([...this.#beingMarked, ...this.#gathered].map(({ id }) => id))
  }

  /** Resolves when little enough is unmarked for publishing to go on. Rejects when marks cannot be made. */
  async room(): Promise<void> {
    while (this.#failure === undefined && this.#gathered.length >= 2 * this.#options.batchSize) await (this.#statement ?? this.#running)
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Marks what is left, as far as that can be had; never rejects. */
  async end(): Promise<void> {
    this.#ending.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    try {
      while (this.#gathered.length > 0) {
        await this.#full.wait(gatherMs, this.#ending.signal)
        this.#beingMarked = this.#gathered
        this.#gathered = []
        const statement = markPublished(this.#options.db, this.#options.epoch, this.#beingMarked)
        this.#statement = statement.catch(() => {})
        if ((await statement) === 0) this.#options.onFenced()
        this.#beingMarked = []
      }
    } catch (error) {
      this.#failure = { error }
    } finally {
      this.#running = undefined
      this.#statement = undefined
    }
  }
}
