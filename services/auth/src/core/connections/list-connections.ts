import { decodePageToken, encodePageToken, PageTokenInvalid } from '@gatehouse/postgres'
import {
  type ConnectionKey,
  type ConnectionRow,
  findConnection,
  listConnections as readConnections,
} from '../../store/connections/connections.ts'
import type { Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { connectionsOf, domainOf } from './known-connections.ts'
import { inWords } from './redeem.ts'
import type { UpstreamPlaces, Upstreams } from './upstreams.ts'

const defaultPageSize = 50

export async function getConnection({ db }: Pick<Deps, 'db'>, key: ConnectionKey): Promise<ConnectionRow> {
  const row = await findConnection(db, key)
  if (row === undefined) throw refuse(ErrorReason.CONNECTION_NOT_FOUND)
  return row
}

/** A page of the tenant's connections, by their ids. */
export async function listConnections(
  { db }: Pick<Deps, 'db'>,
  { tenant, pageSize, pageToken }: { tenant: string; pageSize: number; pageToken: string },
): Promise<{ connections: ConnectionRow[]; nextPageToken: string }> {
  const scope = `connections/${tenant}`
  const limit = pageSize === 0 ? defaultPageSize : pageSize
  const [after = '', ...more] = decodePageToken(scope, pageToken) ?? []
  if (pageToken !== '' && (more.length > 0 || !/^[a-z0-9-]{1,63}$/.test(after))) throw new PageTokenInvalid('not a place in the list')
  const found = await readConnections(db, { tenant, after, limit: limit + 1 })
  const connections = found.slice(0, limit)
  const last = found.length > limit ? connections.at(-1) : undefined
  return { connections, nextPageToken: last ? encodePageToken(scope, [last.connection_id]) : '' }
}

/** Asks the provider where it is, past everything that is remembered. */
export async function testConnection(
  deps: Pick<Deps, 'db' | 'log'> & { readonly upstreams: Upstreams },
  key: ConnectionKey,
): Promise<UpstreamPlaces> {
  const row = await getConnection(deps, key)
  return await inWords(deps, row, () => deps.upstreams(row.kind).places(row))
}

/** What a sign-in page offers: nothing that depends on who has the address. */
export async function signInConnections(
  deps: Pick<Deps, 'db'>,
  { tenant, email }: { tenant: string; email: string },
): Promise<{ shown: ConnectionRow[]; ofDomain: ConnectionRow | undefined }> {
  const { all, byDomain } = await connectionsOf(deps, tenant)
  return { shown: all.filter(({ hidden }) => !hidden), ofDomain: email === '' ? undefined : byDomain.get(domainOf(email)) }
}
