import { type RawBuilder, sql } from 'kysely'
import type { Db } from './schema.ts'

/** Names of the roles that are bound to each subject, by its id. */
export async function listRolesOf(db: Db, tenant: string, subjectIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await db
    .selectFrom('role_bindings')
    .select(['subject_id', 'role'])
    .where('tenant', '=', tenant)
    .where(sql<boolean>`subject_id = any(${subjectIds})`)
    .orderBy('role')
    .execute()
  return new Map([...Map.groupBy(rows, (row) => row.subject_id)].map(([id, ofSubject]) => [id, ofSubject.map(({ role }) => role)]))
}

/** For the `select` of a statement that knows tenant and subject: the names of the bound roles. */
export const rolesOf = (tenant: string, subjectId: string): RawBuilder<string[]> =>
  sql`(select coalesce(array_agg(role order by role), '{}') from role_bindings b where b.tenant = ${sql.ref(tenant)} and b.subject_id = ${sql.ref(subjectId)})`

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
