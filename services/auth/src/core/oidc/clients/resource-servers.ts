import { decodePageToken, encodePageToken, PageTokenInvalid, transact } from '@gatehouse/postgres'
import { Refusal } from '@gatehouse/rpc'
import { changeResource, deleteResource, findResource, listResources, type ResourceRow } from '../../../store/oidc/resources.ts'
import { audit } from '../../audit/audit.ts'
import type { Deps } from '../../deps.ts'
import { ErrorReason, refuse } from '../../refuse.ts'
import type { Resource } from '../oidc-parts.ts'
import { addResource } from './resources.ts'

const defaultPageSize = 50

interface Named {
  readonly tenant: string
  readonly resource: string
}

/** Registers a service, and answers the one that is there to whoever says the same again. */
export async function registerResourceServer(deps: Pick<Deps, 'db' | 'now' | 'audiences'>, wanted: Resource & Named): Promise<ResourceRow> {
  try {
    return await addResource(deps, wanted)
  } catch (error) {
    if (!(error instanceof Refusal) || error.reason !== 'RESOURCE_EXISTS') throw error
    const row = await findResource(deps.db, wanted)
    if (row !== undefined && row.audience === wanted.audience && isSame(row, wanted)) return row
    throw error
  }
}

/** A page of the tenant's services, by their indicators. */
export async function listResourceServers(
  deps: Pick<Deps, 'db'>,
  { tenant, pageSize, pageToken }: { tenant: string; pageSize: number; pageToken: string },
): Promise<{ rows: ResourceRow[]; nextPageToken: string }> {
  const scope = `oidc-resources/${tenant}`
  const limit = pageSize === 0 ? defaultPageSize : pageSize
  const [after = '', ...more] = decodePageToken(scope, pageToken) ?? []
  if (pageToken !== '' && (more.length > 0 || !/^[!-~]{1,200}$/.test(after))) throw new PageTokenInvalid('not a place in the list')
  const found = await listResources(deps.db, { tenant, after, limit: limit + 1 })
  const rows = found.slice(0, limit)
  const last = found.length > limit ? rows.at(-1) : undefined
  return { rows, nextPageToken: last ? encodePageToken(scope, [last.resource]) : '' }
}

/** Replaces what can be done there. Its audience stays: verifiers go by it. */
export async function updateResourceServer(deps: Pick<Deps, 'db'>, wanted: Omit<Resource, 'audience'> & Named): Promise<ResourceRow> {
  const { tenant, resource, scopes, lifetimeSeconds } = wanted
  return await transact(deps.db, async (tx) => {
    const changed = await changeResource(tx, { tenant, resource, scopes: [...scopes], lifetime_seconds: lifetimeSeconds })
    const row = changed ?? (await findResource(tx, wanted))
    if (row === undefined) throw refuse(ErrorReason.RESOURCE_NOT_FOUND, { resource })
    if (changed) await audit(tx, { tenant, kind: 'resource_update', subjectId: resource, details: { scopes: scopes.join(' ') } })
    return row
  })
}

/** Gives no more tokens for it; answers whether it was there. */
export async function removeResourceServer(deps: Pick<Deps, 'db'>, key: Named): Promise<boolean> {
  return await transact(deps.db, async (tx) => {
    const removed = await deleteResource(tx, key)
    if (removed) await audit(tx, { tenant: key.tenant, kind: 'resource_remove', subjectId: key.resource })
    return removed
  })
}

function isSame(row: ResourceRow, { scopes, lifetimeSeconds }: Omit<Resource, 'audience' | 'resource'>): boolean {
  return (
    row.lifetime_seconds === lifetimeSeconds && row.scopes.length === scopes.length && row.scopes.every((each) => scopes.includes(each))
  )
}
