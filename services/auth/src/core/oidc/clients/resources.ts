import { transact } from '@gatehouse/postgres'
import { audienceExists } from '../../../store/audiences.ts'
import { deleteResource, insertResource, type ResourceRow } from '../../../store/oidc/resources.ts'
import { audit } from '../../audit/audit.ts'
import type { Deps } from '../../deps.ts'
import { ErrorReason, refuse } from '../../refuse.ts'
import type { Resource } from '../oidc-parts.ts'
import { refuseOwn } from './own-audiences.ts'

/**
 * Registers what tokens can be for. An audience of `IssueToken` is none: whoever serves it takes a person's whole word, and a client's token is less than that.
 */
export async function addResource(
  deps: Pick<Deps, 'db' | 'now' | 'audiences'>,
  { tenant, resource, audience, scopes, lifetimeSeconds }: Resource & { readonly tenant: string },
): Promise<ResourceRow> {
  return await transact(deps.db, async (tx) => {
    await refuseOwn(tx, [resource, audience])
    const isTaken = deps.audiences.includes(audience) || (await audienceExists(tx, { tenant, audience }))
    const row = { tenant, resource, audience, scopes: [...scopes], lifetime_seconds: lifetimeSeconds, create_time: new Date(deps.now()) }
    if (isTaken || !(await insertResource(tx, row))) throw refuse(ErrorReason.RESOURCE_EXISTS, { resource: isTaken ? audience : resource })
    await audit(tx, { tenant, kind: 'resource_add', subjectId: resource, details: { audience } })
    return row
  })
}

/** Nobody gets tokens for it any more, within a second. */
export async function removeResource(deps: Pick<Deps, 'db'>, key: { tenant: string; resource: string }): Promise<void> {
  await transact(deps.db, async (tx) => {
    if (!(await deleteResource(tx, key))) throw refuse(ErrorReason.RESOURCE_NOT_FOUND, { resource: key.resource })
    await audit(tx, { tenant: key.tenant, kind: 'resource_remove', subjectId: key.resource })
  })
}

export function resourceIn({ resource, audience, scopes, lifetime_seconds: lifetimeSeconds }: ResourceRow): Resource {
  return { resource, audience, scopes, lifetimeSeconds }
}
