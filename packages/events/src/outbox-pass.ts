import type { Executor } from '@gatehouse/postgres'
import type { NatsConnection } from '@nats-io/nats-core'
import { Marks } from './marks.ts'
import { type OutboxRow, waitingRows } from './outbox.ts'
import { publishRows } from './publish.ts'

export type OutboxPassOptions = {
  readonly db: Executor
  readonly service: string
  readonly epoch: bigint
  readonly batchSize: number
  /** Asked before each publication. */
  readonly goOn: () => boolean
  /** Told when the database says that the epoch is over. */
  readonly onFenced: () => void
}

/**
 * Takes a holder over its outbox, again and again, from the first waiting row to the last. While one batch is with the broker the next is read, and the
 * one before is marked: the broker is never waited for by the database, nor the other way round. A batch is published when all of the one before is
 * settled, so that keys keep their order across batches too; after a failure nothing that was read before it is used.
 */
export class OutboxPass {
  readonly epoch: bigint
  readonly #options: OutboxPassOptions
  readonly #marks: Marks

  constructor(options: OutboxPassOptions) {
    this.epoch = options.epoch
    this.#options = options
    this.#marks = new Marks(options)
  }

  /** One pass. Rejects with what went wrong; then this is of no more use. */
  async run(connection: NatsConnection): Promise<void> {
    const { service, goOn } = this.#options
    for (let read: Promise<Batch> | undefined = this.#first(); read !== undefined; ) {
      const { rows, last }: Batch = await read
      read = last === undefined ? undefined : this.#next(last)
      const { confirmed, failure } = await publishRows(connection, service, rows, goOn)
      this.#marks.add(confirmed)
      if (failure !== undefined) throw failure
      if (!goOn()) return
      await this.#marks.room()
    }
  }

  /** Marks what is confirmed, as far as that can be had. */
  end(): Promise<void> {
    return this.#marks.end()
  }

  /** Of what waits from the beginning, a part may be confirmed already and its mark on the way. */
  async #first(): Promise<Batch> {
    const confirmed = this.#marks.unmarked()
    const limit = this.#options.batchSize + confirmed.size
    const rows = await waitingRows(this.#options.db, undefined, limit)
    const last = rows.length < limit ? undefined : rows.at(-1)
    return { rows: oldestKeysFirst(confirmed.size === 0 ? rows : rows.filter(({ id }) => !confirmed.has(id))), last }
  }

  #next(after: OutboxRow): Promise<Batch> {
    const { db, batchSize } = this.#options
    const batch = waitingRows(db, after, batchSize).then((rows) => ({
      rows: oldestKeysFirst(rows),
      last: rows.length < batchSize ? undefined : rows.at(-1),
    }))
    // Its error is met when it is awaited, which a failure of the batch before may prevent.
    batch.catch(() => {})
    return batch
  }
}

type Batch = { readonly rows: readonly OutboxRow[] /** Where to go on, unless this was the end. */; readonly last: OutboxRow | undefined }

/** Keys go in the order in which they began to wait; of one key nothing changes its place. */
function oldestKeysFirst(rows: readonly OutboxRow[]): readonly OutboxRow[] {
  if (rows.length < 2) return rows
  const keys = [...Map.groupBy(rows, ({ tenant, key }) => `${tenant} ${key}`).values()]
  return keys.sort(([a], [b]) => (a?.create_time.getTime() ?? 0) - (b?.create_time.getTime() ?? 0)).flat()
}
