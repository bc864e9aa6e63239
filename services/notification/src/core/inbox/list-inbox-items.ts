import { countUnread, headOf, type InboxItemRow, type InboxKey, listItems } from '../../store/inbox.ts'
import type { Deps } from '../deps.ts'
import { decodeInboxPage, encodeCursor, encodeInboxPage } from './cursor.ts'

export interface InboxPage {
  readonly items: readonly InboxItemRow[]
  readonly nextPageToken: string
  readonly unreadCount: number
  readonly cursor: string
}

const unreadLimit = 100

export async function listInboxItems(
  deps: Pick<Deps, 'db'>,
  { key, pageSize, pageToken }: { key: InboxKey; pageSize: number; pageToken: string },
): Promise<InboxPage> {
  const before = decodeInboxPage(key, pageToken)
  const limit = pageSize || 50
  // The head is read first: what comes between the two reads is told once more by a watch, and never lost.
  const head = (await headOf(deps.db, key)) ?? 0
  const [rows, unreadCount] = await Promise.all([
    listItems(deps.db, key, { limit: limit + 1, ...(before !== undefined && { before }) }),
    countUnread(deps.db, key, unreadLimit),
  ])
  const items = rows.slice(0, limit)
  const last = rows.length > limit ? items.at(-1) : undefined
  return { items, unreadCount, nextPageToken: last ? encodeInboxPage(key, last.sequence) : '', cursor: encodeCursor(key, head) }
}
