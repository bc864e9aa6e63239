import { limitFor } from '../store/limit.ts'
import { listUsers as loadPage } from '../store/users.ts'
import type { Deps } from './deps.ts'
import { type Page, page } from './page.ts'

export type ListUsers = { tenant: string; newestFirst: boolean; pageSize: number; pageToken: string }

/** A page of the tenant's people in the order of their creation, without the deleted ones. */
export const listUsers = (deps: Deps, { tenant, newestFirst, pageSize, pageToken }: ListUsers): Promise<Page> =>
  page({ scope: ['ListUsers', tenant, String(newestFirst)], size: pageSize, token: pageToken }, (after, limit) =>
    loadPage(deps.db, { tenant, newestFirst, after, limit: limitFor(limit) }),
  )
