import { decodePageToken, encodePageToken, PageTokenInvalid } from '@gatehouse/postgres'
import { validate as isUuid } from 'uuid'
import { listServiceAccounts as readServiceAccounts, type ServiceAccountRow } from '../../store/service-accounts.ts'
import type { Deps } from '../deps.ts'

const defaultPageSize = 50

/** What a list is asked with. */
export interface PageInput {
  readonly pageSize: number
  readonly pageToken: string
}

/** A page of the tenant's accounts. */
export async function listServiceAccounts(
  deps: Pick<Deps, 'db'>,
  input: PageInput & { readonly tenant: string },
): Promise<{ rows: ServiceAccountRow[]; nextPageToken: string }> {
  const { tenant } = input
  return await pageById(`service-accounts/${tenant}`, input, (after, limit) => readServiceAccounts(deps.db, { tenant, after, limit }))
}

/** A page of a list that goes by UUIDs. */
export async function pageById<Row extends { readonly id: string }>(
  scope: string,
  { pageSize, pageToken }: PageInput,
  read: (after: string, limit: number) => Promise<Row[]>,
): Promise<{ rows: Row[]; nextPageToken: string }> {
  const limit = pageSize === 0 ? defaultPageSize : pageSize
  const [after = ''] = decodePageToken(scope, pageToken) ?? []
  if (pageToken !== '' && !isUuid(after)) throw new PageTokenInvalid('not a place in the list')
  const found = await read(after, limit + 1)
  const rows = found.slice(0, limit)
  const last = found.length > limit ? rows.at(-1) : undefined
  return { rows, nextPageToken: last ? encodePageToken(scope, [last.id]) : '' }
}
