import { type ColumnType, type Generated, type Selectable, sql } from 'kysely'
import type { Db } from './schema.ts'
import { lockTenant } from './tenants.ts'

/** A policy as it is stored: the JSON form of `gatehouse.auth.v1.Policy` without etag and time. */
export interface PoliciesTable {
  tenant: ColumnType<string, string, never>
  /** Counts the changes from 1. */
  version: number
  policy: ColumnType<Record<string, unknown>, string, string>
  /** Of the database's clock: every replica's feed reads by it. */
  update_time: Generated<Date>
}

export type PolicyRow = Selectable<PoliciesTable>

const columns = ['tenant', 'version', 'policy', 'update_time'] as const

/** The policies of a tenant, by its id: none where it never set one. For a read that calls of one moment share. */
export async function findPolicies(db: Db, tenant: string): Promise<ReadonlyMap<string, PolicyRow>> {
  const row = await db.selectFrom('policies').select(columns).where('tenant', '=', tenant).executeTakeFirst()
  return new Map(row ? [[tenant, row]] : [])
}

/** Holds the tenant: whoever does is the only one who changes its policy, also the first time, when there is no row of it to lock. */
export async function lockPolicy(tx: Db, tenant: string): Promise<PolicyRow | undefined> {
  await lockTenant(tx, tenant)
  return await tx.selectFrom('policies').select(columns).where('tenant', '=', tenant).executeTakeFirst()
}

/** Stores what the tenant asks for from now on. */
export async function putPolicy(tx: Db, row: { tenant: string; version: number; policy: string }): Promise<PolicyRow> {
  return await tx
    .insertInto('policies')
    .values(row)
    .onConflict((conflict) =>
      conflict.column('tenant').doUpdateSet({ version: row.version, policy: row.policy, update_time: sql<Date>`clock_timestamp()` }),
    )
    .returning(columns)
    .executeTakeFirstOrThrow()
}

/** The database's time, and the policies that changed since, all of them where no time is given. */
export async function listChangedPolicies(db: Db, since: Date | undefined): Promise<{ time: Date; rows: PolicyRow[] }> {
  const { rows } = await sql<{ time: Date } & { [K in keyof PolicyRow]: PolicyRow[K] | null }>`
    select clock.time, changed.*
    from (select clock_timestamp()::timestamptz(3) as time) clock
    left join lateral (
      select tenant, version, policy, update_time from policies
      where update_time >= ${since ?? new Date(0)}::timestamptz) changed on true`.execute(db)
  const [first] = rows
  if (first === undefined) throw new TypeError('a left join of one row answered none')
  return { time: first.time, rows: rows.filter((row): row is PolicyRow & { time: Date } => row.tenant !== null) }
}
