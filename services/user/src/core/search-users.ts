import { decodePageToken, encodePageToken, PageTokenInvalid } from '@gatehouse/postgres'
import { limitFor } from '../store/limit.ts'
import { searchUsers as loadPlaces } from '../store/search-users.ts'
import type { UserRow } from '../store/users.ts'
import type { Deps } from './deps.ts'
import { nameKey, prefixRange } from './keys.ts'
import { defaultSize, isId, type Page } from './page.ts'

export type SearchUsers = { tenant: string; query: string; pageSize: number; pageToken: string }

type Place = { readonly key: string; readonly id: string }

/** How many more places one call looks at where people were found by the other key already. */
const moreLooks = 4
const placesOfALook = 501

/**
 * A page of the people whose name or address starts with the query, in the order of what was found, and each where it is found first. However many
 * match, a call walks a bounded way: where that holds few new people the page is short, and its token leads on.
 */
export async function searchUsers(deps: Deps, { tenant, query, pageSize, pageToken }: SearchUsers): Promise<Page> {
  const prefix = nameKey(query)
  const scope = JSON.stringify(['SearchUsers', tenant, prefix])
  const size = pageSize || defaultSize
  const users: UserRow[] = []
  let after = placeOf(scope, prefix, pageToken)
  for (let look = 0; look <= moreLooks; look++) {
    const limit = limitFor(look === 0 ? size + 1 : placesOfALook)
    const places = await loadPlaces(deps.db, { tenant, ...prefixRange(prefix), after, limit })
    for (const { key, seen, ...user } of places) {
      if (!seen && users.length === size) return { users, nextPageToken: encodePageToken(scope, [after.key, after.id]) }
      if (!seen) users.push(user)
      after = { key, id: user.id }
    }
    if (places.length < limit) return { users, nextPageToken: '' }
  }
  return { users, nextPageToken: encodePageToken(scope, [after.key, after.id]) }
}

/** Before every id. */
const noId = '00000000-0000-0000-0000-000000000000'

function placeOf(scope: string, prefix: string, token: string): Place {
  const place = decodePageToken(scope, token)
  if (place === undefined) return { key: prefix, id: noId }
  const [key = '', id = ''] = place
  // A token can be made up by whoever knows its form: what reaches the database has the right one.
  if (place.length !== 2 || !key.startsWith(prefix) || key.includes('\0') || !isId(id))
    throw new PageTokenInvalid('the page token names no place')
  return { key, id }
}
