import { type Selectable, sql } from 'kysely'
import type { Db } from '../schema.ts'
import type { OidcResourcesTable } from './oidc-tables.ts'

export type ResourceRow = Selectable<OidcResourcesTable>

const columns = ['tenant', 'resource', 'audience', 'scopes', 'lifetime_seconds', 'create_time'] as const

/** False where the tenant has the resource, or its audience, already. */
export async function insertResource(tx: Db, row: ResourceRow): Promise<boolean> {
  const added = await tx
    .insertInto('oidc_resources')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .returning('resource')
    .executeTakeFirst()
  return added !== undefined
}

export async function findResource(db: Db, { tenant, resource }: { tenant: string; resource: string }): Promise<ResourceRow | undefined> {
  return await db
    .selectFrom('oidc_resources')
    .select(columns)
    .where('tenant', '=', tenant)
    .where('resource', '=', resource)
    .executeTakeFirst()
}

export async function resourceAudienceExists(db: Db, { tenant, audience }: { tenant: string; audience: string }): Promise<boolean> {
  const row = await db
    .selectFrom('oidc_resources')
    .select('resource')
    .where('tenant', '=', tenant)
    .where('audience', '=', audience)
    .executeTakeFirst()
  return row !== undefined
}

export async function listResources(db: Db, tenant: string): Promise<ResourceRow[]> {
  return await db.selectFrom('oidc_resources').select(columns).where('tenant', '=', tenant).orderBy('resource').execute()
}

/** What of these is registered: indicators and audiences, which a client names. */
export async function listNamed(
  db: Db,
  { tenant, resources, audiences }: { tenant: string; resources: readonly string[]; audiences: readonly string[] },
): Promise<ResourceRow[]> {
  return await db
    .selectFrom('oidc_resources')
    .select(columns)
    .where('tenant', '=', tenant)
    .where(sql<boolean>`(resource = any(${[...resources]}::text[]) or audience = any(${[...audiences]}::text[]))`)
    .execute()
}

export async function deleteResource(tx: Db, { tenant, resource }: { tenant: string; resource: string }): Promise<boolean> {
  const deleted = await tx
    .deleteFrom('oidc_resources')
    .where('tenant', '=', tenant)
    .where('resource', '=', resource)
    .returning('resource')
    .executeTakeFirst()
  return deleted !== undefined
}
