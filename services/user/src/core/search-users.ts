import { searchUsers as loadPage } from '../store/users.ts'
import type { Deps } from './deps.ts'
import { nameKey, prefixRange } from './keys.ts'
import { type Page, page } from './page.ts'

export type SearchUsers = { tenant: string; query: string; pageSize: number; pageToken: string }

/** A page of the people whose name or address starts with the query, in the order of their ids. */
export async function searchUsers(deps: Deps, { tenant, query, pageSize, pageToken }: SearchUsers): Promise<Page> {
  const prefix = nameKey(query)
  return page({ scope: ['SearchUsers', tenant, prefix], size: pageSize, token: pageToken }, (after, limit) =>
    loadPage(deps.db, { tenant, ...prefixRange(prefix), afterId: after?.id, limit }),
  )
}
