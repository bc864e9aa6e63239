import { transact } from '@gatehouse/postgres'
import { findItems, type InboxItemRow, type InboxKey, markItemsRead, takeSequences } from '../../store/inbox.ts'
import type { Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'

/** Marks all of the items or none, and answers them in the order of the ids. Whoever watches the inbox is told of those that were unread. */
export async function markInboxItemsRead(
  deps: Pick<Deps, 'db' | 'inboxChanged'>,
  { key, ids }: { key: InboxKey; ids: readonly string[] },
): Promise<InboxItemRow[]> {
  const { items, changed } = await transact(deps.db, async (tx) => {
    // Taking no sequence takes the row lock: two marks of the same items follow each other.
    await takeSequences(tx, key, 0)
    const before = await itemsInOrder(tx, key, ids)
    const unread = [...new Set(before.filter((item) => item.read_time === null).map((item) => item.id))]
    if (unread.length > 0) {
      const last = await takeSequences(tx, key, unread.length)
      if (last !== undefined) await markItemsRead(tx, key, { ids: unread, last })
    }
    return { items: await itemsInOrder(tx, key, ids), changed: unread.length > 0 }
  })
  if (changed) deps.inboxChanged(key)
  return items
}

async function itemsInOrder(db: Deps['db'], key: InboxKey, ids: readonly string[]): Promise<InboxItemRow[]> {
  const found = new Map((await findItems(db, key, ids)).map((item) => [item.id, item]))
  return ids.map((id) => {
    const item = found.get(id.toLowerCase())
    if (!item) throw refuse(ErrorReason.INBOX_ITEM_NOT_FOUND)
    return item
  })
}
