import type { Db } from '../src/store/schema.ts'

/** A role on everything and always, without a word to anybody: for tests that begin with somebody who has it. What the product gives is told and on record. */
export async function bindRole(db: Db, binding: { tenant: string; subject_id: string; role: string }): Promise<void> {
  await db
    .insertInto('role_bindings')
    .values(binding)
    .onConflict((conflict) => conflict.columns(['tenant', 'subject_id', 'role']).doNothing())
    .execute()
}
