import type { Selectable } from 'kysely'
import type { RolesTable } from './access-tables.ts'
import type { Db } from './schema.ts'

export type RoleRow = Selectable<RolesTable>

const columns = ['tenant', 'id', 'name', 'description', 'permissions', 'version', 'create_time', 'update_time'] as const

export async function findRole(db: Db, key: { tenant: string; name: string }): Promise<RoleRow | undefined> {
  return await db.selectFrom('roles').select(columns).where('tenant', '=', key.tenant).where('name', '=', key.name).executeTakeFirst()
}

/** Roles of those names. */
export async function findRoles(db: Db, tenant: string, names: readonly string[]): Promise<RoleRow[]> {
  return await db.selectFrom('roles').select(columns).where('tenant', '=', tenant).where('name', 'in', names).execute()
}

export async function listRoles(db: Db, which: { tenant: string; after: string; limit: number }): Promise<RoleRow[]> {
  return await db
    .selectFrom('roles')
    .select(columns)
    .where('tenant', '=', which.tenant)
    .where('name', '>', which.after)
    .orderBy('name')
    .limit(which.limit)
    .execute()
}

export async function countRoles(db: Db, tenant: string): Promise<number> {
  const { count } = await db
    .selectFrom('roles')
    .select(({ fn }) => fn.countAll<bigint>().as('count'))
    .where('tenant', '=', tenant)
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** Undefined where there is a role of that name. */
export async function insertRole(
  tx: Db,
  role: { tenant: string; id: string; name: string; description: string; permissions: string[]; version: bigint },
): Promise<RoleRow | undefined> {
  return await tx
    .insertInto('roles')
    .values(role)
    .onConflict((conflict) => conflict.columns(['tenant', 'name']).doNothing())
    .returning(columns)
    .executeTakeFirst()
}

export async function updateRole(
  tx: Db,
  key: { tenant: string; name: string },
  change: { description: string; permissions: string[]; version: bigint; update_time: Date },
): Promise<RoleRow> {
  return await tx
    .updateTable('roles')
    .set(change)
    .where('tenant', '=', key.tenant)
    .where('name', '=', key.name)
    .returning(columns)
    .executeTakeFirstOrThrow()
}

export async function deleteRole(tx: Db, key: { tenant: string; name: string }): Promise<void> {
  await tx.deleteFrom('roles').where('tenant', '=', key.tenant).where('name', '=', key.name).execute()
}
