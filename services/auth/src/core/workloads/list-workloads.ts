import { decodePageToken, encodePageToken } from '@gatehouse/postgres'
import { listWorkloads as readWorkloads, registryVersion, type WorkloadRow } from '../../store/workloads.ts'
import type { Deps } from '../deps.ts'
import type { PageInput } from '../service-accounts/list-service-accounts.ts'

const scope = 'workloads'
const defaultPageSize = 50

/** A page of the registered workloads. */
export async function listWorkloads(
  deps: Pick<Deps, 'db'>,
  { pageSize, pageToken }: PageInput,
): Promise<{ rows: WorkloadRow[]; nextPageToken: string }> {
  const limit = pageSize === 0 ? defaultPageSize : pageSize
  const [after = ''] = decodePageToken(scope, pageToken) ?? []
  const found = await readWorkloads(deps.db, { after, limit: limit + 1 })
  const rows = found.slice(0, limit)
  const last = found.length > limit ? rows.at(-1) : undefined
  return { rows, nextPageToken: last ? encodePageToken(scope, [last.name]) : '' }
}

/** The whole registry, or nothing where it is still the one of that version. What is read can be newer than its version, which the next look mends. */
export async function readRegistry(
  deps: Pick<Deps, 'db'>,
  known: string,
): Promise<{ version: string; unchanged: boolean; rows: readonly WorkloadRow[] }> {
  const version = await registryVersion(deps.db)
  if (version === known) return { version, unchanged: true, rows: [] }
  return { version, unchanged: false, rows: await readWorkloads(deps.db) }
}
