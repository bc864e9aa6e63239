import { type RawBuilder, sql } from 'kysely'
import type { SubjectKindName } from './access-tables.ts'
import type { RowAfter } from './groups.ts'
import type { Db } from './schema.ts'

/** A binding of either table. */
export interface BindingRow {
  readonly tenant: string
  readonly id: string
  readonly role: string
  readonly subject_kind: SubjectKindName
  readonly subject_id: string
  readonly resource: string
  readonly condition: string
  readonly expire_time: Date | null
  readonly create_time: Date
  readonly creator_id: string | null
}

/** Rows of an earlier release do not say whom they are for. */
const plain = sql`
  select b.tenant, b.id, b.role, coalesce(b.subject_kind, case when exists (
    select from service_accounts s where s.tenant = b.tenant and s.id = b.subject_id) then 'service_account' else 'person' end) as subject_kind,
    b.subject_id, '' as resource, '' as condition, null::timestamptz as expire_time, b.create_time, b.creator_id
  from role_bindings b`
const conditional = sql`
  select b.tenant, b.id, b.role, b.subject_kind, b.subject_id, b.resource, b.condition, b.expire_time, b.create_time, b.creator_id
  from conditional_bindings b`

async function read(db: Db, where: RawBuilder<unknown>, limit?: number): Promise<BindingRow[]> {
  const bounded = limit === undefined ? sql`` : sql`order by create_time, id limit ${limit}::integer`
  const { rows } = await sql<BindingRow>`
    select * from ((${plain} where ${where} ${bounded}) union all (${conditional} where ${where} ${bounded})) b ${bounded}`.execute(db)
  return rows
}

export async function findBinding(db: Db, key: { tenant: string; id: string }): Promise<BindingRow | undefined> {
  const [binding] = await read(db, sql`b.tenant = ${key.tenant} and b.id = ${key.id}`)
  return binding
}

/** What is bound to these subjects. */
export async function listBindingsOf(db: Db, tenant: string, subjectIds: readonly string[]): Promise<BindingRow[]> {
  return await read(db, sql`b.tenant = ${tenant} and b.subject_id = any(${subjectIds}::uuid[])`)
}

/** Bindings of those ids, in any tenant. */
export async function findBindings(db: Db, keys: readonly { tenant: string; id: string }[]): Promise<BindingRow[]> {
  const ids = keys.map(({ id }) => id)
  const tenants = keys.map(({ tenant }) => tenant)
  return await read(db, sql`(b.tenant, b.id) in (select * from unnest(${tenants}::text[], ${ids}::uuid[]))`)
}

export async function listBindings(
  db: Db,
  which: { tenant: string; role?: string; subjectId?: string; after: RowAfter | undefined; limit: number },
): Promise<BindingRow[]> {
  const { tenant, role, subjectId, after } = which
  const wheres = [
    sql`b.tenant = ${tenant}`,
    ...(role === undefined ? [] : [sql`b.role = ${role}`]),
    ...(subjectId === undefined ? [] : [sql`b.subject_id = ${subjectId}`]),
    ...(after === undefined ? [] : [sql`(b.create_time, b.id) > (${after.time}, ${after.id}::uuid)`]),
  ]
  return await read(db, sql.join(wheres, sql` and `), which.limit)
}

/** Pages of everything that is bound, in the order of the keys. */
export async function listAllBindings(db: Db, after: { tenant: string; id: string } | undefined, limit: number): Promise<BindingRow[]> {
  const where = after === undefined ? sql`true` : sql`(b.tenant, b.id) > (${after.tenant}, ${after.id}::uuid)`
  const bounded = sql`order by tenant, id limit ${limit}::integer`
  const { rows } = await sql<BindingRow>`
    select * from ((${plain} where ${where} ${bounded}) union all (${conditional} where ${where} ${bounded})) b ${bounded}`.execute(db)
  return rows
}

export async function isRoleBound(db: Db, key: { tenant: string; role: string }): Promise<boolean> {
  return (await read(db, sql`b.tenant = ${key.tenant} and b.role = ${key.role}`, 1)).length > 0
}

/** People who hold a role on everything and always, themselves. */
export async function listPeopleWith(db: Db, key: { tenant: string; role: string }): Promise<string[]> {
  const rows = await read(db, sql`b.tenant = ${key.tenant} and b.role = ${key.role}`)
  return rows.filter((row) => row.subject_kind === 'person' && isPlain(row)).map((row) => row.subject_id)
}

/** The service accounts of which this is so, and whose keys are good. */
export async function listAccountsWith(db: Db, key: { tenant: string; role: string }): Promise<string[]> {
  const rows = await read(
    db,
    sql`b.tenant = ${key.tenant} and b.role = ${key.role} and exists (
    select from service_accounts s where s.tenant = b.tenant and s.id = b.subject_id and s.disable_time is null)`,
  )
  return rows.filter((row) => row.subject_kind === 'service_account' && isPlain(row)).map((row) => row.subject_id)
}

/** Holds on everything and always. */
export function isPlain(row: Pick<BindingRow, 'resource' | 'condition' | 'expire_time'>): boolean {
  return row.resource === '' && row.condition === '' && row.expire_time === null
}

export type NewBinding = Omit<BindingRow, 'create_time'>

/** Answers whether the binding is new: the same one is there once. */
export async function insertBinding(tx: Db, binding: NewBinding): Promise<boolean> {
  if (isPlain(binding)) {
    const { tenant, id, role, subject_kind, subject_id, creator_id } = binding
    const row = await tx
      .insertInto('role_bindings')
      .values({ tenant, id, role, subject_kind, subject_id, creator_id })
      .onConflict((conflict) => conflict.columns(['tenant', 'subject_id', 'role']).doNothing())
      .returning('id')
      .executeTakeFirst()
    return row !== undefined
  }
  const same = await tx
    .selectFrom('conditional_bindings')
    .select('id')
    .where('tenant', '=', binding.tenant)
    .where('subject_id', '=', binding.subject_id)
    .where('role', '=', binding.role)
    .where('resource', '=', binding.resource)
    .where('condition', '=', binding.condition)
    .where('expire_time', 'is not distinct from', binding.expire_time)
    .executeTakeFirst()
  if (same) return false
  await tx.insertInto('conditional_bindings').values(binding).execute()
  return true
}

export async function deleteBinding(tx: Db, key: { tenant: string; id: string }): Promise<void> {
  await tx.deleteFrom('role_bindings').where('tenant', '=', key.tenant).where('id', '=', key.id).execute()
  await tx.deleteFrom('conditional_bindings').where('tenant', '=', key.tenant).where('id', '=', key.id).execute()
}

/** Takes everything from a subject; answers the ids of what was bound. */
export async function deleteBindingsOf(tx: Db, subject: { tenant: string; id: string }): Promise<string[]> {
  const ids: string[] = []
  for (const table of ['role_bindings', 'conditional_bindings'] as const) {
    const rows = await tx
      .deleteFrom(table)
      .where('tenant', '=', subject.tenant)
      .where('subject_id', '=', subject.id)
      .returning('id')
      .execute()
    ids.push(...rows.map(({ id }) => id))
  }
  return ids
}

/** Deletes bindings that have expired before, in a bounded number. */
export async function deleteExpiredBindings(tx: Db, before: Date, limit: number): Promise<{ tenant: string; id: string }[]> {
  const { rows } = await sql<{ tenant: string; id: string }>`
    delete from conditional_bindings where (tenant, id) in (
      select tenant, id from conditional_bindings where expire_time < ${before} order by expire_time limit ${limit}::integer for update skip locked)
    returning tenant, id`.execute(tx)
  return rows
}
