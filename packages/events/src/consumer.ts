import { type DescMessage, fromBinary, type MessageShape } from '@bufbuild/protobuf'
import type { Transaction } from 'kysely'
import type { Envelope } from './envelope.ts'
import { eventContract } from './event-contract.ts'

/** No repetition can help: the event goes to the dead letters at once, with this reason. */
export class PermanentFailure extends Error {
  override readonly name = 'PermanentFailure'
}

/** What a handler waits for is away (a peer, a mail server): the event comes again, however often it takes. */
export class TransientFailure extends Error {
  override readonly name = 'TransientFailure'
}

export type ConsumerOptions<Desc extends DescMessage, DB, Prepared> = {
  readonly event: Desc
  /** Runs before the transaction is opened, perhaps for a repetition too: the place to ask a peer. */
  readonly prepare?: (message: MessageShape<Desc>, envelope: Envelope) => Promise<Prepared>
  /**
   * The event's effect, in the transaction that also remembers it: it happens once, however often the event comes. Events that come together share a
   * transaction, so this runs again when another one fails: it has no effect outside.
   * Ignores what is not newer than the version it holds (isNewer). Throws PermanentFailure when it can never succeed.
   */
  readonly handle: (tx: Transaction<DB>, message: MessageShape<Desc>, envelope: Envelope, prepared: Prepared) => Promise<void>
  /** Runs after the commit, for a repetition too: the place to wake whoever acts on what `handle` wrote. Not promised: a crash leaves it out. */
  readonly committed?: (message: MessageShape<Desc>, envelope: Envelope) => void
}

/** A handler for one event, for startConsumers(). */
export type Consumer<DB> = {
  readonly event: DescMessage
  /** Decodes and prepares; gives what is left to do in the transaction. Throws PermanentFailure when the body does not decode. */
  readonly prepare: (payload: Uint8Array, envelope: Envelope) => Promise<(tx: Transaction<DB>) => Promise<void>>
  /** To be called after the commit. */
  readonly committed: (payload: Uint8Array, envelope: Envelope) => void
}

/** Ties a handler to an event of the contract; its message is typed. Throws TypeError when the message is no event. */
export function defineConsumer<Desc extends DescMessage, DB, Prepared = undefined>(
  options: ConsumerOptions<Desc, DB, Prepared>,
): Consumer<DB> {
  const { event, prepare, handle, committed } = options
  eventContract(event)
  return {
    event,
    async prepare(payload, envelope) {
      const message = decode(event, payload)
      const prepared = (await prepare?.(message, envelope)) as Prepared
      return (tx) => handle(tx, message, envelope, prepared)
    },
    committed: (payload, envelope) => committed?.(decode(event, payload), envelope),
  }
}

/** True when an event tells something newer than what is held; nothing held is older than everything. */
export const isNewer = (envelope: Envelope, heldVersion: bigint | undefined): boolean =>
  heldVersion === undefined || envelope.version > heldVersion

/** Throws PermanentFailure when the bytes are not such a message. */
export function decode<Desc extends DescMessage>(event: Desc, payload: Uint8Array): MessageShape<Desc> {
  try {
    return fromBinary(event, payload)
  } catch (error) {
    throw new PermanentFailure(`the body is no ${event.typeName}`, { cause: error })
  }
}
