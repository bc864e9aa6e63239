import type { Db } from './schema.ts'

export async function audienceExists(db: Db, key: { tenant: string; audience: string }): Promise<boolean> {
  const row = await db
    .selectFrom('audiences')
    .select('audience')
    .where('tenant', '=', key.tenant)
    .where('audience', '=', key.audience)
    .executeTakeFirst()
  return row !== undefined
}

/** Answers whether the audience is new. */
export async function insertAudience(db: Db, row: { tenant: string; audience: string }): Promise<boolean> {
  const inserted = await db
    .insertInto('audiences')
    .values(row)
    .onConflict((conflict) => conflict.columns(['tenant', 'audience']).doNothing())
    .returning('audience')
    .executeTakeFirst()
  return inserted !== undefined
}
