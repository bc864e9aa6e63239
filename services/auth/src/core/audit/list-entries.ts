import { createHash } from 'node:crypto'
import { decodePageToken, encodePageToken, PageTokenInvalid } from '@gatehouse/postgres'
import { validate as isUuid } from 'uuid'
import { listCheckpoints } from '../../store/audit-checkpoints.ts'
import { type AuditFilter, listAuditEntries, type PlacedEntry } from '../../store/audit-entries.ts'
import type { Deps } from '../deps.ts'

export type { AuditFilter, PlacedEntry }

const defaultPageSize = 50

interface Page {
  readonly tenant: string
  readonly pageSize: number
  readonly pageToken: string
}

/** A page of the tenant's entries, the latest first. */
export async function listEntries(
  deps: Pick<Deps, 'db'>,
  { tenant, filter, pageSize, pageToken }: Page & { readonly filter: AuditFilter },
): Promise<{ entries: PlacedEntry[]; nextPageToken: string }> {
  const scope = `audit/${tenant}/${hashOf(filter)}`
  const limit = pageSize === 0 ? defaultPageSize : pageSize
  const before = placeOf(decodePageToken(scope, pageToken))
  const rows = await listAuditEntries(deps.db, { tenant, filter, limit: limit + 1, ...(before && { before }) })
  const entries = rows.slice(0, limit)
  const last = rows.length > limit ? entries.at(-1) : undefined
  return { entries, nextPageToken: last ? encodePageToken(scope, [String(last.time.getTime()), last.id]) : '' }
}

/** A page of the tenant's checkpoints as they travel, the latest first. */
export async function pageOfCheckpoints(
  deps: Pick<Deps, 'db'>,
  { tenant, pageSize, pageToken }: Page,
): Promise<{ checkpoints: string[]; nextPageToken: string }> {
  const scope = `audit checkpoints/${tenant}`
  const limit = pageSize === 0 ? defaultPageSize : pageSize
  const [position] = decodePageToken(scope, pageToken) ?? []
  if (position !== undefined && !/^\d{1,18}$/.test(position)) throw new PageTokenInvalid('not a place in the list')
  const rows = await listCheckpoints(deps.db, { tenant, limit: limit + 1, ...(position !== undefined && { before: BigInt(position) }) })
  const page = rows.slice(0, limit)
  const last = rows.length > limit ? page.at(-1) : undefined
  return { checkpoints: page.map(({ jws }) => jws), nextPageToken: last ? encodePageToken(scope, [String(last.position)]) : '' }
}

/** A token or a cursor is good for its filter only. */
export function hashOf(filter: AuditFilter): string {
  return createHash('sha256').update(JSON.stringify(filter)).digest('base64url')
}

function placeOf(key: readonly string[] | undefined): { time: Date; id: string } | undefined {
  if (key === undefined) return undefined
  const [timeMs = '', id = ''] = key
  if (!/^\d{1,15}$/.test(timeMs) || !isUuid(id)) throw new PageTokenInvalid('not a place in the list')
  return { time: new Date(Number(timeMs)), id }
}
