import { decodePageToken, encodePageToken, PageTokenInvalid } from '@gatehouse/postgres'
import { listLivingSecrets } from '../../../store/oidc/client-secrets.ts'
import { type ClientKey, findClient, listClients as readClients } from '../../../store/oidc/clients.ts'
import type { Deps } from '../../deps.ts'
import { ErrorReason, refuse } from '../../refuse.ts'
import { type WholeClient, withSecrets } from './client-change.ts'

const defaultPageSize = 50

export async function getClient(deps: Pick<Deps, 'db' | 'now'>, key: ClientKey): Promise<WholeClient> {
  const row = await findClient(deps.db, key)
  if (row === undefined) throw refuse(ErrorReason.CLIENT_NOT_FOUND)
  return await withSecrets(deps.db, row, deps.now())
}

/** A page of the tenant's clients, by their ids. */
export async function listClients(
  deps: Pick<Deps, 'db' | 'now'>,
  { tenant, pageSize, pageToken }: { tenant: string; pageSize: number; pageToken: string },
): Promise<{ clients: WholeClient[]; nextPageToken: string }> {
  const scope = `oidc-clients/${tenant}`
  const limit = pageSize === 0 ? defaultPageSize : pageSize
  const [after = '', ...more] = decodePageToken(scope, pageToken) ?? []
  if (pageToken !== '' && (more.length > 0 || !/^[a-z0-9-]{1,63}$/.test(after))) throw new PageTokenInvalid('not a place in the list')
  const found = await readClients(deps.db, { tenant, after, limit: limit + 1 })
  const rows = found.slice(0, limit)
  const clientIds = rows.map(({ client_id }) => client_id)
  const secrets = await listLivingSecrets(deps.db, { tenant, clientIds, now: new Date(deps.now()) })
  const last = found.length > limit ? rows.at(-1) : undefined
  return {
    clients: rows.map((row) => ({ row, secrets: secrets.filter(({ client_id }) => client_id === row.client_id) })),
    nextPageToken: last ? encodePageToken(scope, [last.client_id]) : '',
  }
}
