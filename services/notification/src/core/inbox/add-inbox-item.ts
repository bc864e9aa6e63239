import { v7 as uuidv7 } from 'uuid'
import { type InboxKey, insertInboxItem, takeSequences } from '../../store/inbox.ts'
import type { Deps } from '../deps.ts'
import type { InboxKind } from './texts.ts'

/** Tells a person something in the application, within the caller's transaction; somebody who is gone is told nothing. */
export async function addInboxItem(tx: Deps['db'], { tenant, userId, kind }: InboxKey & { kind: InboxKind }): Promise<void> {
  const sequence = await takeSequences(tx, { tenant, userId }, 1)
  if (sequence !== undefined) await insertInboxItem(tx, { tenant, userId, id: uuidv7(), sequence, kind })
}
