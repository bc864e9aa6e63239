import { create } from '@bufbuild/protobuf'
import { NotificationDeliveredSchema } from '@gatehouse/contracts/gatehouse/notification/v1/events_pb'
import { addEvent, eventRow, type NewEvent } from '@gatehouse/events'
import { joined, transact } from '@gatehouse/postgres'
import { type ClaimedDelivery, settleDelivery } from '../../store/deliveries.ts'
import { type SentDelivery, settleSent } from '../../store/settle-sent.ts'
import type { Deps } from '../deps.ts'
import { factOf } from './fact-of.ts'

/** Writes down that the mail server took a mail, and tells it. Does nothing where the lease was lost: whoever has it now writes it down. */
export type MarkDelivered = (delivery: ClaimedDelivery) => Promise<void>

/** Mails that were taken in one turn of the event loop are written down with one statement. */
export function createMarkDelivered({ db, committed }: Pick<Deps, 'db' | 'committed'>): MarkDelivered {
  const mark = joined<ClaimedDelivery, true>({
    async together(deliveries) {
      const sent = deliveries.map((delivery): SentDelivery => ({ delivery, event: eventRow(deliveredOf(delivery, delivery.version + 1)) }))
      const settled = await settleSent(db, sent)
      committed()
      return settled.map((done) => done || undefined)
    },
    // The lease was lost, or the person left meanwhile and the version is another.
    async alone(delivery) {
      await transact(db, async (tx) => {
        const version = await settleDelivery(tx, delivery, { state: 'delivered' })
        if (version !== undefined) await addEvent(tx, deliveredOf(delivery, version))
      })
      committed()
      return true
    },
  })
  return async (delivery) => void (await mark(delivery))
}

function deliveredOf(delivery: ClaimedDelivery, version: number): NewEvent<typeof NotificationDeliveredSchema> {
  return {
    schema: NotificationDeliveredSchema,
    message: create(NotificationDeliveredSchema, factOf(delivery, version)),
    tenant: delivery.tenant,
    version,
  }
}
