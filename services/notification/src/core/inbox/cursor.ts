import { decodePageToken, encodePageToken, PageTokenInvalid } from '@gatehouse/postgres'
import type { InboxKey } from '../../store/inbox.ts'
import { ErrorReason, refuse } from '../refuse.ts'

const scopeOf = (use: string, { tenant, userId }: InboxKey) => JSON.stringify([use, tenant, userId])

/** Writes down how far a person was told: good for this person's inbox only. */
export const encodeCursor = (key: InboxKey, sequence: number): string => encodePageToken(scopeOf('inbox cursor', key), [String(sequence)])

/** The sequence of a cursor; 0 for an empty one. Refuses what was not made for this inbox. */
export function decodeCursor(key: InboxKey, cursor: string): number {
  try {
    return decodeNumber('inbox cursor', key, cursor) ?? 0
  } catch (error) {
    if (error instanceof PageTokenInvalid) throw refuse(ErrorReason.CURSOR_INVALID)
    throw error
  }
}

export const encodeInboxPage = (key: InboxKey, sequence: number): string => encodePageToken(scopeOf('inbox page', key), [String(sequence)])

/** The sequence that the page before ended with. */
export const decodeInboxPage = (key: InboxKey, token: string): number | undefined => decodeNumber('inbox page', key, token)

function decodeNumber(use: string, key: InboxKey, token: string): number | undefined {
  const parts = decodePageToken(scopeOf(use, key), token)
  if (parts === undefined) return undefined
  const [text] = parts
  // Nine digits fit the column, so that a forged number is refused here and not by the database.
  if (parts.length !== 1 || text === undefined || !/^\d{1,9}$/.test(text)) throw new PageTokenInvalid('not a sequence')
  return Number(text)
}
