import { suppressDeliveriesOf } from '../store/deliveries.ts'
import { closeInbox, type InboxKey } from '../store/inbox.ts'
import type { Deps } from './deps.ts'

/** Stops the mail of a person who is gone and empties their inbox, for good: an event that comes late adds nothing. */
export async function forgetPerson(tx: Deps['db'], key: InboxKey): Promise<void> {
  await closeInbox(tx, key)
  await suppressDeliveriesOf(tx, key.tenant, key.userId)
}
