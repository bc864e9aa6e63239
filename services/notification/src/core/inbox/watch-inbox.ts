import type { InboxItemRow, InboxKey } from '../../store/inbox.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import type { InboxHub } from './inbox-hub.ts'

export interface WatchInboxInput {
  readonly key: InboxKey
  readonly cursor: string
  /** Aborts with the caller, their token and their session. */
  readonly signal: AbortSignal
}

/** Items after the cursor and then each as it comes, with an empty message after each silence. */
export async function* watchInbox(
  { hub }: { hub: InboxHub },
  { key, cursor, signal }: WatchInboxInput,
): AsyncGenerator<{ items: readonly InboxItemRow[]; cursor: string }> {
  for await (const { items, sequence } of hub.watch(key, decodeCursor(key, cursor), signal)) {
    yield { items, cursor: encodeCursor(key, sequence) }
  }
}
