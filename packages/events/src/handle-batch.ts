import { isConflict, isUnavailable, transact } from '@gatehouse/postgres'
import type { JsMsg } from '@nats-io/jetstream'
import type { Kysely } from 'kysely'
import type { Consumer } from './consumer.ts'
import { type Delivery, openDelivery, type Prepared, prepare } from './delivery.ts'
import { fromMessage } from './envelope.ts'
import { forgetEvents, rememberEvents } from './inbox.ts'
import type { Outcomes } from './outcomes.ts'

export type BatchOptions<DB> = {
  readonly db: Kysely<DB>
  /** Under which name events are remembered. */
  readonly name: string
  readonly byType: ReadonlyMap<string, Consumer<DB>>
  readonly outcomes: Outcomes<DB>
}

/** A transaction that has taken this long is committed with what it has: slow handlers share nothing but their commit. */
const batchMs = 20

/**
 * Handles messages, those of one key in their order, as many as possible in one transaction: one commit is what most of an event's time goes into. When
 * one of them fails nothing of the transaction stays, and each is handled in one of its own; so is whatever has failed before. Gives the messages that
 * it did not come to.
 */
export async function handleBatch<DB>(options: BatchOptions<DB>, messages: readonly JsMsg[]): Promise<readonly JsMsg[]> {
  const fresh: Delivery<DB>[] = []
  for (const message of messages) {
    const envelope = fromMessage(message)
    const consumer = options.byType.get(envelope.type)
    if (consumer === undefined) await options.outcomes.unknown(message, envelope)
    else {
      const about = { consumer: options.name, previous: options.outcomes.attemptBefore(envelope.id) }
      const delivery = openDelivery(message, envelope, consumer, about)
      if (message.info.deliveryCount > 1) await handleOne(options, delivery)
      else fresh.push(delivery)
    }
  }
  const prepared = await prepareAll(options, inKeyOrder(fresh))
  if (prepared.length === 0) return []
  let left: readonly Prepared<DB>[]
  try {
    left = await handleTogether(options, prepared)
  } catch (error) {
    await handleApart(options, prepared, error)
    return []
  }
  for (const { delivery } of prepared.slice(0, prepared.length - left.length)) options.outcomes.done(delivery)
  return left.map(({ delivery }) => delivery.message)
}

/** Two batches that touch the same aggregates, perhaps for two sources, lock them in one order. */
const inKeyOrder = <DB>(deliveries: Delivery<DB>[]): Delivery<DB>[] => {
  const place = ({ envelope }: Delivery<DB>): string => `${envelope.tenant} ${envelope.key}`
  return deliveries.sort((a, b) => (place(a) < place(b) ? -1 : place(a) > place(b) ? 1 : 0))
}

async function prepareAll<DB>({ outcomes }: BatchOptions<DB>, deliveries: readonly Delivery<DB>[]): Promise<readonly Prepared<DB>[]> {
  const each = deliveries.map(async (delivery) => {
    try {
      return await prepare(delivery)
    } catch (error) {
      await outcomes.failed(delivery, error)
      return undefined
    }
  })
  return (await Promise.all(each)).filter((prepared) => prepared !== undefined)
}

/** Gives those that are left because the transaction has taken long enough. */
function handleTogether<DB>({ db, name }: BatchOptions<DB>, prepared: readonly Prepared<DB>[]): Promise<readonly Prepared<DB>[]> {
  return transact(db, async (tx) => {
    const envelopes = prepared.map(({ delivery }) => delivery.envelope)
    const remembered = await rememberEvents(tx, name, envelopes)
    const end = performance.now() + batchMs
    for (const [at, { delivery, act }] of prepared.entries()) {
      if (at > 0 && performance.now() > end) {
        await forgetEvents(
          tx,
          name,
          envelopes.slice(at).filter((envelope) => remembered.has(envelope)),
        )
        return prepared.slice(at)
      }
      if (remembered.has(delivery.envelope)) await act(tx)
    }
    return []
  })
}

/** The last attempt of each counts, not the one that they had together. When the database is away, one says it for all. */
async function handleApart<DB>(options: BatchOptions<DB>, prepared: readonly Prepared<DB>[], cause: unknown): Promise<void> {
  let away = prepared.length === 1 ? cause : undefined
  for (const each of prepared) {
    try {
      if (away !== undefined) throw away
      await handleTogether(options, [each])
      options.outcomes.done(each.delivery)
    } catch (error) {
      // A conflict was between this event and a rival: the next has rivals of its own.
      if (isUnavailable(error) && !isConflict(error)) away = error
      await options.outcomes.failed(each.delivery, error)
    }
  }
}

async function handleOne<DB>(options: BatchOptions<DB>, delivery: Delivery<DB>): Promise<void> {
  try {
    await handleTogether(options, [await prepare(delivery)])
    options.outcomes.done(delivery)
  } catch (error) {
    await options.outcomes.failed(delivery, error)
  }
}
