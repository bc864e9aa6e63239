import type { Db } from './schema.ts'

export interface TenantRow {
  readonly id: string
  readonly origin: string
}

export async function findTenant(db: Db, id: string): Promise<TenantRow | undefined> {
  return await db.selectFrom('tenants').select(['id', 'origin']).where('id', '=', id).executeTakeFirst()
}

/** Whoever holds the lock is the only one who makes keys for the tenant, changes its policy or registers a client. It comes before all other locks of a transaction. */
export async function lockTenant(tx: Db, id: string): Promise<TenantRow | undefined> {
  return await tx.selectFrom('tenants').select(['id', 'origin']).where('id', '=', id).forUpdate().executeTakeFirst()
}

export async function listTenants(db: Db): Promise<TenantRow[]> {
  return await db.selectFrom('tenants').select(['id', 'origin']).orderBy('id').execute()
}

export async function listTenantHosts(db: Db): Promise<{ host: string; tenant: string }[]> {
  return await db.selectFrom('tenant_hosts').select(['host', 'tenant']).orderBy('host').execute()
}

/** Makes the tenant, and answers whether it is new; one that exists stays as it is. */
export async function insertTenant(tx: Db, row: TenantRow): Promise<boolean> {
  const made = await tx
    .insertInto('tenants')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('id')
    .executeTakeFirst()
  return made !== undefined
}

export async function moveTenant(tx: Db, row: TenantRow): Promise<void> {
  await tx.updateTable('tenants').set({ origin: row.origin }).where('id', '=', row.id).execute()
}

/** Gives the tenant exactly these hosts. Answers the first host that another tenant has, and then the transaction has to be given up. */
export async function putTenantHosts(tx: Db, tenant: string, hosts: readonly string[]): Promise<string | undefined> {
  await tx
    .deleteFrom('tenant_hosts')
    .where('tenant', '=', tenant)
    .where('host', 'not in', [...hosts])
    .execute()
  await tx
    .insertInto('tenant_hosts')
    .values(hosts.map((host) => ({ host, tenant })))
    .onConflict((conflict) => conflict.column('host').doNothing())
    .execute()
  const foreign = await tx
    .selectFrom('tenant_hosts')
    .select('host')
    .where('host', 'in', [...hosts])
    .where('tenant', '<>', tenant)
    .executeTakeFirst()
  return foreign?.host
}
