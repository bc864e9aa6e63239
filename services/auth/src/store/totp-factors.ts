import type { Selectable } from 'kysely'
import type { TotpFactorsTable } from './factor-tables.ts'
import type { Db } from './schema.ts'

export type TotpFactorRow = Selectable<TotpFactorsTable>

interface Person {
  readonly tenant: string
  readonly userId: string
}

export async function findTotp(db: Db, key: Person): Promise<TotpFactorRow | undefined> {
  return await db
    .selectFrom('totp_factors')
    .selectAll()
    .where('tenant', '=', key.tenant)
    .where('user_id', '=', key.userId)
    .executeTakeFirst()
}

/** A secret that does not count yet takes the place of one that does not either; `false` where one counts. */
export async function putUnconfirmedTotp(
  db: Db,
  row: Person & { secret: Uint8Array; createTime: Date; expireTime: Date },
): Promise<boolean> {
  const values = { secret: row.secret, create_time: row.createTime, expire_time: row.expireTime, last_step: 0 }
  const put = await db
    .insertInto('totp_factors')
    .values({ tenant: row.tenant, user_id: row.userId, ...values })
    .onConflict((conflict) => conflict.columns(['tenant', 'user_id']).doUpdateSet(values).where('totp_factors.confirm_time', 'is', null))
    .returning('user_id')
    .executeTakeFirst()
  return put !== undefined
}

/** It counts from now on; `false` where another secret took its place, or it counts already. */
export async function confirmTotp(tx: Db, row: Person & { secret: Uint8Array; step: number; time: Date }): Promise<boolean> {
  const confirmed = await tx
    .updateTable('totp_factors')
    .set({ confirm_time: row.time, last_use_time: row.time, last_step: row.step })
    .where('tenant', '=', row.tenant)
    .where('user_id', '=', row.userId)
    .where('secret', '=', row.secret)
    .where('confirm_time', 'is', null)
    .returning('user_id')
    .executeTakeFirst()
  return confirmed !== undefined
}

/** Takes the code of a time step, once and for all: of many at once exactly one gets `true`. */
export async function takeStep(tx: Db, row: Person & { secret: Uint8Array; step: number; time: Date }): Promise<boolean> {
  const taken = await tx
    .updateTable('totp_factors')
    .set({ last_step: row.step, last_use_time: row.time })
    .where('tenant', '=', row.tenant)
    .where('user_id', '=', row.userId)
    .where('secret', '=', row.secret)
    .where('confirm_time', 'is not', null)
    .where('last_step', '<', BigInt(row.step))
    .returning('user_id')
    .executeTakeFirst()
  return taken !== undefined
}

/** Answers whether there was one that counted. */
export async function deleteTotp(tx: Db, key: Person): Promise<boolean> {
  const deleted = await tx
    .deleteFrom('totp_factors')
    .where('tenant', '=', key.tenant)
    .where('user_id', '=', key.userId)
    .returning('confirm_time')
    .executeTakeFirst()
  return deleted !== undefined && deleted.confirm_time !== null
}

/** Every sealed secret of a tenant, for whoever encrypts them anew. */
export async function listSealedTotps(tx: Db, tenant: string): Promise<Pick<TotpFactorRow, 'user_id' | 'secret'>[]> {
  return await tx
    .selectFrom('totp_factors')
    .select(['user_id', 'secret'])
    .where('tenant', '=', tenant)
    .orderBy('user_id')
    .forUpdate()
    .execute()
}

export async function replaceSealedTotp(tx: Db, key: Person, secret: Uint8Array): Promise<void> {
  await tx.updateTable('totp_factors').set({ secret }).where('tenant', '=', key.tenant).where('user_id', '=', key.userId).execute()
}
