import { decodePageToken, encodePageToken, PageTokenInvalid } from '@gatehouse/postgres'
import type { UserRow } from '../store/users.ts'

export type Page = { users: UserRow[]; nextPageToken: string }

/** People of a page when nobody says how many. */
export const defaultSize = 50
/** Whether a text is an id as the database writes it. */
export const isId = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)
const isTime = (text: string): boolean => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text) && !Number.isNaN(Date.parse(text))

/** Where a page begins: behind this person, or at the start. */
export type Position = { create_time: Date; id: string } | undefined

/**
 * One keyset page. `scope` names everything that the walk depends on: a token of another scope is refused (PageTokenInvalid).
 * `load` is asked for one row more than fit, which tells whether another page follows, and may give more.
 */
export async function page(
  { scope, size, token }: { scope: readonly string[]; size: number; token: string },
  load: (after: Position, limit: number) => Promise<UserRow[]>,
): Promise<Page> {
  const boundTo = JSON.stringify(scope)
  const fitting = size || defaultSize
  const rows = await load(positionOf(boundTo, token), fitting + 1)
  const users = rows.slice(0, fitting)
  const last = users.at(-1)
  const nextPageToken = rows.length > fitting && last ? encodePageToken(boundTo, [last.create_time.toISOString(), last.id]) : ''
  return { users, nextPageToken }
}

function positionOf(scope: string, token: string): Position {
  const key = decodePageToken(scope, token)
  if (key === undefined) return undefined
  const [time = '', id = ''] = key
  // A token can be made up by whoever knows its form: what reaches the database has the right one.
  if (key.length !== 2 || !isTime(time) || !isId(id)) throw new PageTokenInvalid('the page token names no place')
  return { create_time: new Date(time), id }
}
