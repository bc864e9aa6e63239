import type { Db } from '../core/deps.ts'

export async function insertRevocations(
  tx: Db,
  rows: readonly { tenant: string; session_id: string; forget_time: Date }[],
): Promise<void> {
  if (rows.length === 0) return
  await tx
    .insertInto('revocations')
    .values([...rows])
    .onConflict((conflict) => conflict.columns(['tenant', 'session_id']).doNothing())
    .execute()
}
