import type { Executor } from '@gatehouse/postgres'
import { inboxDays } from './inbox.ts'
import type { Nats } from './nats.ts'
import { keptRows } from './outbox.ts'
import { publishRows } from './publish.ts'
import { ensureStream } from './stream.ts'

export type ReplayOptions = {
  readonly db: Executor
  readonly nats: Nats
  /** Events written at this time or later; not further back than consumers remember (30 days). */
  readonly since: Date
  readonly signal?: AbortSignal
}

const batchSize = 1000

/**
 * Publishes kept events again under their ids, in order: for a broker that lost them. Consumers that have had an event ignore it.
 * Gives how many there were; throws at the first one that cannot be published.
 */
export async function replay({ db, nats, since, signal }: ReplayOptions): Promise<{ published: number }> {
  if (Date.now() - since.getTime() > inboxDays * 86_400_000)
    throw new RangeError(`consumers remember ${inboxDays} days: a replay reaches no further back`)
  let published = 0
  for (let after = 0n; ; ) {
    const rows = await keptRows(db, since, after, batchSize)
    const last = rows.at(-1)
    if (last === undefined) return { published }
    const service = serviceOf(last.type)
    const connection = await nats.connected(signal)
    await ensureStream(connection, service, { owner: false })
    const { confirmed, failure } = await publishRows(connection, service, rows, () => signal?.aborted !== true)
    published += confirmed.length
    if (failure !== undefined) throw new Error(`the replay stopped after ${published} events`, { cause: failure })
    signal?.throwIfAborted()
    after = last.position
  }
}

const serviceOf = (type: string): string => type.split('.')[1] ?? ''
