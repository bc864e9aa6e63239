import type { Db } from './schema.ts'

export async function listRoles(db: Db, subject: { tenant: string; id: string }): Promise<string[]> {
  const rows = await db
    .selectFrom('role_bindings')
    .select('role')
    .where('tenant', '=', subject.tenant)
    .where('subject_id', '=', subject.id)
    .orderBy('role')
    .execute()
  return rows.map((row) => row.role)
}

/** Answers whether the binding is new. */
export async function bindRole(db: Db, binding: { tenant: string; subject_id: string; role: string }): Promise<boolean> {
  const row = await db
    .insertInto('role_bindings')
    .values(binding)
    .onConflict((conflict) => conflict.columns(['tenant', 'subject_id', 'role']).doNothing())
    .returning('role')
    .executeTakeFirst()
  return row !== undefined
}

export async function deleteBindings(tx: Db, subject: { tenant: string; id: string }): Promise<void> {
  await tx.deleteFrom('role_bindings').where('tenant', '=', subject.tenant).where('subject_id', '=', subject.id).execute()
}
