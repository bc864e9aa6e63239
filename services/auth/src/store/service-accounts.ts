import { sql } from 'kysely'
import type { Db } from './schema.ts'

export interface AccountKey {
  readonly tenant: string
  readonly id: string
}

export interface ServiceAccountRow extends AccountKey {
  readonly name: string
  readonly description: string
  readonly create_time: Date
  readonly disable_time: Date | null
}

const columns = ['tenant', 'id', 'name', 'description', 'create_time', 'disable_time'] as const

export async function serviceAccountExists(db: Db, key: { tenant: string; id: string }): Promise<boolean> {
  const row = await db
    .selectFrom('service_accounts')
    .select('id')
    .where('tenant', '=', key.tenant)
    .where('id', '=', key.id)
    .executeTakeFirst()
  return row !== undefined
}

/** Undefined where the tenant has an account of that name. */
export async function insertServiceAccount(
  db: Db,
  account: { tenant: string; id: string; name: string; description?: string },
): Promise<ServiceAccountRow | undefined> {
  return await db
    .insertInto('service_accounts')
    .values(account)
    .onConflict((conflict) => conflict.columns(['tenant', 'name']).doNothing())
    .returning(columns)
    .executeTakeFirst()
}

export async function findServiceAccount(db: Db, { tenant, id }: AccountKey): Promise<ServiceAccountRow | undefined> {
  return await db.selectFrom('service_accounts').select(columns).where('tenant', '=', tenant).where('id', '=', id).executeTakeFirst()
}

export async function findServiceAccountByName(db: Db, key: { tenant: string; name: string }): Promise<ServiceAccountRow | undefined> {
  return await db
    .selectFrom('service_accounts')
    .select(columns)
    .where('tenant', '=', key.tenant)
    .where('name', '=', key.name)
    .executeTakeFirst()
}

/** Keeps the account as it is until the transaction ends: keys of one account are made one after the other, and none of a deleted one. */
export async function lockServiceAccount(tx: Db, { tenant, id }: AccountKey): Promise<ServiceAccountRow | undefined> {
  return await tx
    .selectFrom('service_accounts')
    .select(columns)
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
}

/** By their ids, from behind `after`. */
export async function listServiceAccounts(db: Db, which: { tenant: string; after: string; limit: number }): Promise<ServiceAccountRow[]> {
  return await db
    .selectFrom('service_accounts')
    .select(columns)
    .where('tenant', '=', which.tenant)
    .$if(which.after !== '', (query) => query.where('id', '>', which.after))
    .orderBy('id')
    .limit(which.limit)
    .execute()
}

/** An account that is disabled already stays so from when it was. */
export async function setDisabled(tx: Db, { tenant, id }: AccountKey, time: Date | null): Promise<ServiceAccountRow | undefined> {
  return await tx
    .updateTable('service_accounts')
    .set({ disable_time: time === null ? null : sql<Date>`coalesce(disable_time, ${time}::timestamptz)` })
    .where('tenant', '=', tenant)
    .where('id', '=', id)
    .returning(columns)
    .executeTakeFirst()
}

export async function deleteServiceAccount(tx: Db, { tenant, id }: AccountKey): Promise<void> {
  await tx.deleteFrom('service_accounts').where('tenant', '=', tenant).where('id', '=', id).execute()
}
