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

/** By their indicators, those after one; all of them without a limit. */
export async function listResources(
  db: Db,
  { tenant, after = '', limit }: { tenant: string; after?: string; limit?: number },
): Promise<ResourceRow[]> {
  return await db
    .selectFrom('oidc_resources')
    .select(columns)
    .where('tenant', '=', tenant)
    .where('resource', '>', after)
    .orderBy('resource')
    .$if(limit !== undefined, (query) => query.limit(limit ?? 0))
    .execute()
}

/** The row as it is then, and undefined where it is so already. */
export async function changeResource(
  tx: Db,
  { tenant, resource, scopes, lifetime_seconds }: Pick<ResourceRow, 'tenant' | 'resource' | 'scopes' | 'lifetime_seconds'>,
): Promise<ResourceRow | undefined> {
  return await tx
    .updateTable('oidc_resources')
    .set({ scopes, lifetime_seconds })
    .where('tenant', '=', tenant)
    .where('resource', '=', resource)
    .where(({ eb, or }) => or([eb('lifetime_seconds', '<>', lifetime_seconds), sql<boolean>`scopes <> ${scopes}::text[]`]))
    .returning(columns)
    .executeTakeFirst()
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
