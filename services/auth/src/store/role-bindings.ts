import { type RawBuilder, sql } from 'kysely'
import type { Db } from './schema.ts'

/** Names of the roles that each subject holds on everything and always, itself or through a group, by its id. */
export async function listRolesOf(db: Db, tenant: string, subjectIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const { rows } = await sql<RoleOfSubject>`
    select b.subject_id, b.role from role_bindings b where b.tenant = ${tenant} and b.subject_id = any(${subjectIds}::uuid[])
    union
    select m.member_id, b.role from group_members m join role_bindings b on b.tenant = m.tenant and b.subject_id = m.group_id
    where m.tenant = ${tenant} and m.member_id = any(${subjectIds}::uuid[])
    order by role`.execute(db)
  return bySubject(rows)
}

/** The same with the roles that are held on one resource, for a time or under a condition. */
export async function listEveryRoleOf(
  db: Db,
  tenant: string,
  subjectIds: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const { rows } = await sql<RoleOfSubject>`
    with bound as (
      select subject_id, role from role_bindings where tenant = ${tenant}
      union select subject_id, role from conditional_bindings where tenant = ${tenant} and (expire_time is null or expire_time > now()))
    select subject_id, role from bound where subject_id = any(${subjectIds}::uuid[])
    union
    select m.member_id, b.role from group_members m join bound b on b.subject_id = m.group_id
    where m.tenant = ${tenant} and m.member_id = any(${subjectIds}::uuid[])
    order by role`.execute(db)
  return bySubject(rows)
}

interface RoleOfSubject {
  readonly subject_id: string
  readonly role: string
}

function bySubject(rows: readonly RoleOfSubject[]): ReadonlyMap<string, readonly string[]> {
  return new Map([...Map.groupBy(rows, (row) => row.subject_id)].map(([id, ofSubject]) => [id, ofSubject.map(({ role }) => role)]))
}

/** For the `select` of a statement that knows tenant and subject: the names of the roles that it holds on everything and always. */
export const rolesOf = (tenant: string, subjectId: string): RawBuilder<string[]> =>
  sql`(select coalesce(array_agg(distinct b.role order by b.role), '{}') from role_bindings b where b.tenant = ${sql.ref(tenant)} and b.subject_id = any (array(
    select ${sql.ref(subjectId)} union all
    select m.group_id from group_members m where m.tenant = ${sql.ref(tenant)} and m.member_id = ${sql.ref(subjectId)})))`
