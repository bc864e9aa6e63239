import type { Executor } from '@gatehouse/postgres'
import { jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/nats-core'
import { inboxDays } from './inbox.ts'
import type { Nats } from './nats.ts'
import { streamOf } from './nats-names.ts'
import { keptRows } from './outbox.ts'
import { publishRows } from './publish.ts'
import { requireStream } from './stream.ts'

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
export async function replay({ since, ...options }: ReplayOptions): Promise<{ published: number }> {
  if (Date.now() - since.getTime() > inboxDays * 86_400_000)
    throw new RangeError(`consumers remember ${inboxDays} days: a replay reaches no further back`)
  return await publishKept(options, since, new Set())
}

export type FillOptions = Omit<ReplayOptions, 'since'> & { /** Whose stream. */ readonly service: string }

/** Publishes those kept events that the stream of the service has not: for one that was emptied, or set back to an old copy. */
export async function fillStream({ service, ...options }: FillOptions): Promise<{ published: number }> {
  const connection = await options.nats.connected(options.signal)
  await requireStream(connection, service)
  return await publishKept(options, new Date(Date.now() - inboxDays * 86_400_000), await idsIn(connection, service, options.signal))
}

async function publishKept(
  { db, nats, signal }: Omit<ReplayOptions, 'since'>,
  since: Date,
  present: ReadonlySet<string>,
): Promise<{ published: number }> {
  let published = 0
  for (let after = 0n; ; ) {
    const rows = await keptRows(db, since, after, batchSize)
    const last = rows.at(-1)
    if (last === undefined) return { published }
    const service = serviceOf(last.type)
    const connection = await nats.connected(signal)
    await requireStream(connection, service)
    const missing = rows.filter(({ id }) => !present.has(id))
    const { confirmed, failure } = await publishRows(connection, service, missing, () => signal?.aborted !== true)
    published += confirmed.length
    if (failure !== undefined) throw new Error(`the replay stopped after ${published} events`, { cause: failure })
    signal?.throwIfAborted()
    after = last.position
  }
}

const asked = 128

/**
 * Ids of all events that a stream holds, read from their headers one by one. Not by a consumer: whoever may have a stream's messages sent may say where to,
 * and a server that sends them asks nobody whether that is allowed.
 */
async function idsIn(connection: NatsConnection, service: string, signal?: AbortSignal): Promise<ReadonlySet<string>> {
  const ids = new Set<string>()
  const { streams } = await jetstreamManager(connection, { checkAPI: false })
  const stream = streamOf(service)
  const { state } = await streams.info(stream)
  let next = state.first_seq
  const lane = async (): Promise<void> => {
    while (next <= state.last_seq) {
      signal?.throwIfAborted()
      // None where it has become too old meanwhile.
      const message = await streams.getMessage(stream, { seq: next++ })
      if (message !== null) ids.add(message.header.get('ce-id'))
    }
  }
  if (state.messages > 0) await Promise.all(Array.from({ length: asked }, lane))
  return ids
}

const serviceOf = (type: string): string => type.split('.')[1] ?? ''
