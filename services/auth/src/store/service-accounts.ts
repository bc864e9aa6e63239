import type { Db } from './schema.ts'

/** The account of that name; the one with this id is made where there is none. */
export async function putServiceAccount(db: Db, account: { tenant: string; id: string; name: string }): Promise<{ id: string }> {
  await db
    .insertInto('service_accounts')
    .values(account)
    .onConflict((conflict) => conflict.columns(['tenant', 'name']).doNothing())
    .execute()
  return await db
    .selectFrom('service_accounts')
    .select('id')
    .where('tenant', '=', account.tenant)
    .where('name', '=', account.name)
    .executeTakeFirstOrThrow()
}

export async function serviceAccountExists(db: Db, key: { tenant: string; id: string }): Promise<boolean> {
  const row = await db
    .selectFrom('service_accounts')
    .select('id')
    .where('tenant', '=', key.tenant)
    .where('id', '=', key.id)
    .executeTakeFirst()
  return row !== undefined
}
