import type { Kysely } from 'kysely'
import { consumeStream } from './consume-stream.ts'
import type { Consumer } from './consumer.ts'
import { countDeadLetters } from './dead-letters.ts'
import { eventContract } from './event-contract.ts'
import { handleBatch } from './handle-batch.ts'
import { pruneInbox } from './inbox.ts'
import { observeLag } from './lag.ts'
import { type Log, silent } from './log.ts'
import type { Nats } from './nats.ts'
import { Outcomes } from './outcomes.ts'
import { startRetrying } from './retry-dead-letters.ts'

export type ConsumersOptions<DB> = {
  readonly nats: Nats
  readonly db: Kysely<DB>
  /** Who consumes: its durable on every source stream is called so. */
  readonly service: string
  /** A second group of consumers of the same service gets a name of its own. Default: the service's. */
  readonly name?: string
  /** At most one for each event. */
  readonly consumers: readonly Consumer<DB>[]
  readonly log?: Log
  /** Runs after each commit of a handler: the place to nudge the relay. */
  readonly onCommit?: () => void
  /** Transactions at once for each source. Default 4. */
  readonly concurrency?: number
  /** Events that may share a transaction. Default 32. */
  readonly batchSize?: number
  /** How often an event may fail before it becomes a dead letter, away peers and databases apart. Default 10. */
  readonly maxAttempts?: number
  /** The first wait before a repetition; it doubles each time. Default 250. */
  readonly retryDelayMs?: number
  /** Tells errors of things that are away from errors of the event. What this package and gRPC call so is known already. */
  readonly isTransient?: (error: unknown) => boolean
}

const pruneEveryMs = 60_000
const pruneRows = 1000

/**
 * Handles the events of other services, each with one effect: the handler's transaction remembers the event, and the
 * acknowledgement follows the commit. What comes together shares a transaction; an event that fails in it costs the others a second attempt, each in a
 * transaction of its own, and no more. Events of one key come in order while nothing fails; a repetition may come late, which is why handlers compare
 * versions.
 */
export function startConsumers<DB>(options: ConsumersOptions<DB>): AsyncDisposable {
  const { nats, db, service, name = service, consumers, log = silent, concurrency = 4, batchSize = 32 } = options
  const byType = new Map(consumers.map((consumer) => [consumer.event.typeName, consumer]))
  if (byType.size < consumers.length) throw new TypeError('an event has one handler in a service')
  const outcomes = new Outcomes(options)
  const batches = { db, name, byType, outcomes }

  const sources = [...Map.groupBy(consumers, ({ event }) => eventContract(event).service)]
  const loops = sources.map(([source, ofSource]) =>
    consumeStream({
      nats,
      source,
      subjects: ofSource.map(({ event }) => `${eventContract(event).subject}.*`),
      durable: name,
      from: 'start',
      concurrency,
      batchSize,
      keyOf: (message) => `${message.subject.slice(message.subject.lastIndexOf('.'))} ${message.headers?.get('ce-subject') ?? ''}`,
      onMessages: (messages) => handleBatch(batches, messages),
      log,
    }),
  )
  const retrying = startRetrying({ db, name, byType, isAway: (error) => outcomes.isAway(error), onCommit: () => options.onCommit?.(), log })
  let ended = false
  let pruning = Promise.resolve()
  // All of it, or what is left would grow with every minute in which more than one piece comes; in pieces that hold nobody up.
  const prune = async (): Promise<void> => {
    while (!ended && (await pruneInbox(db, pruneRows)) === pruneRows);
  }
  const timer = setInterval(() => {
    pruning = pruning.then(prune).catch(() => {})
  }, pruneEveryMs)
  const unobserve = observeLag({ nats, name, sources: sources.map(([source]) => source), deadLetters: () => countDeadLetters(db) })

  return {
    async [Symbol.asyncDispose]() {
      ended = true
      clearInterval(timer)
      unobserve()
      await Promise.all([pruning, ...[retrying, ...loops].map((part) => part[Symbol.asyncDispose]())])
    },
  }
}
