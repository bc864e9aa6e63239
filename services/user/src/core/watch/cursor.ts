import { ErrorReason } from '@gatehouse/contracts/gatehouse/user/v1/error_reason_pb'
import type { LogPlace } from '@gatehouse/events'
import { decodePageToken, encodePageToken, PageTokenInvalid } from '@gatehouse/postgres'
import { isId } from '../page.ts'
import { refuse } from '../refuse.ts'

/** How far a reader was told. */
export type Cursor = {
  /** Every change up to here is told, or will be with everybody. */
  readonly place: LogPlace
  /** While everybody is told: who came last, empty at the beginning. */
  readonly after?: string
}

const scopeOf = (tenant: string): string => JSON.stringify(['WatchUsers', tenant])

/** Writes down how far a reader was told; good for this tenant only. */
export function encodeCursor(tenant: string, { place, after }: Cursor): string {
  const told = [String(place.position), place.mark]
  return encodePageToken(scopeOf(tenant), after === undefined ? told : [...told, after])
}

/** What a cursor names; undefined for an empty one. Refuses what was not made for this tenant. */
export function decodeCursor(tenant: string, cursor: string): Cursor | undefined {
  try {
    const parts = decodePageToken(scopeOf(tenant), cursor)
    return parts && cursorOf(parts)
  } catch (error) {
    if (error instanceof PageTokenInvalid) throw refuse(ErrorReason.CURSOR_INVALID)
    throw error
  }
}

/** A cursor can be made up by whoever knows its form: what reaches the database has the right one. */
function cursorOf(parts: readonly string[]): Cursor {
  const [position = '', mark = '', after] = parts
  const wellFormed = /^\d{1,18}$/.test(position) && /^([0-9a-f]{12})?$/.test(mark) && (after === undefined || isId(after))
  if (!wellFormed || parts.length < 2 || parts.length > 3) throw new PageTokenInvalid('the cursor names no place')
  const place = { position: BigInt(position), mark }
  return after === undefined ? { place } : { place, after }
}
