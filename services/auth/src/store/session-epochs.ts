import type { Db } from './schema.ts'

/** How often all sessions of a person were ended. */
export async function readSessionEpoch(db: Db, key: { tenant: string; userId: string }): Promise<number> {
  const row = await db
    .selectFrom('session_epochs')
    .select('epoch')
    .where('tenant', '=', key.tenant)
    .where('user_id', '=', key.userId)
    .executeTakeFirst()
  return row?.epoch ?? 0
}

/** Reads the epoch and keeps it until the transaction ends: sessions are opened before the next end of all sessions, or after it. */
export async function holdSessionEpoch(tx: Db, key: { tenant: string; userId: string }): Promise<number> {
  const row = await tx
    .insertInto('session_epochs')
    .values({ tenant: key.tenant, user_id: key.userId, epoch: 0 })
    .onConflict((conflict) => conflict.columns(['tenant', 'user_id']).doUpdateSet((eb) => ({ epoch: eb.ref('session_epochs.epoch') })))
    .returning('epoch')
    .executeTakeFirstOrThrow()
  return row.epoch
}

export async function nextSessionEpoch(tx: Db, key: { tenant: string; userId: string }): Promise<void> {
  await tx
    .insertInto('session_epochs')
    .values({ tenant: key.tenant, user_id: key.userId, epoch: 1 })
    .onConflict((conflict) => conflict.columns(['tenant', 'user_id']).doUpdateSet((eb) => ({ epoch: eb('session_epochs.epoch', '+', 1) })))
    .execute()
}
