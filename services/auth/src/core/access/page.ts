import { decodePageToken, encodePageToken, PageTokenInvalid } from '@gatehouse/postgres'
import { validate as isUuid } from 'uuid'
import type { RowAfter } from '../../store/groups.ts'

const defaultSize = 50

/** Which page of a list. */
export interface PageInput {
  /** Zero for the default. */
  readonly pageSize: number
  readonly pageToken: string
}

/**
 * One keyset page. `scope` names everything that the walk depends on: a token of another scope is refused. `load` is asked for one row more than fit, which
 * tells whether another page follows.
 */
export async function pageOf<Row>(
  scope: readonly string[],
  { pageSize, pageToken }: PageInput,
  load: (after: RowAfter | undefined, limit: number) => Promise<Row[]>,
  placeOf: (row: Row) => RowAfter,
): Promise<{ rows: Row[]; nextPageToken: string }> {
  const boundTo = JSON.stringify(scope)
  const size = pageSize || defaultSize
  const found = await load(startOf(boundTo, pageToken), size + 1)
  const rows = found.slice(0, size)
  const last = rows.at(-1)
  if (found.length <= size || last === undefined) return { rows, nextPageToken: '' }
  const { time, id } = placeOf(last)
  return { rows, nextPageToken: encodePageToken(boundTo, [String(time.getTime()), id]) }
}

function startOf(scope: string, token: string): RowAfter | undefined {
  const key = decodePageToken(scope, token)
  if (key === undefined) return undefined
  const [ms = '', id = ''] = key
  // A token can be made up by whoever knows its form: what reaches the database has the right one.
  if (key.length !== 2 || !/^\d{1,15}$/.test(ms) || !isUuid(id)) throw new PageTokenInvalid('the page token names no place')
  return { time: new Date(Number(ms)), id }
}
