import { sql } from 'kysely'
import type { ChangeKind } from './access-tables.ts'
import type { Db } from './schema.ts'

export interface AccessChange {
  readonly kind: ChangeKind
  readonly name: string
}

export interface ChangeRow extends AccessChange {
  readonly tenant: string
  /** Of an insert by an earlier release: 0. */
  readonly version: string
  readonly change_time: Date
}

/** Counts a change of who may do what in the tenant. Whoever did is the only one who changes anything there until the commit. */
export async function raiseAccessVersion(tx: Db, tenant: string): Promise<bigint> {
  const { version } = await tx
    .insertInto('access_versions')
    .values({ tenant, version: 1n })
    .onConflict((conflict) => conflict.column('tenant').doUpdateSet({ version: sql`access_versions.version + 1` }))
    .returning('version')
    .executeTakeFirstOrThrow()
  return version
}

/** Has every feed look at these. */
export async function insertAccessChanges(tx: Db, tenant: string, version: bigint, changes: readonly AccessChange[]): Promise<void> {
  if (changes.length === 0) return
  await sql`
    insert into access_changes (tenant, version, kind, name)
    select ${tenant}, ${String(version)}::bigint, * from unnest(${changes.map(({ kind }) => kind)}::text[], ${changes.map(({ name }) => name)}::text[])
    on conflict do nothing`.execute(tx)
}

/** What changed from a time on. Bindings of an earlier release are told by their own time: it writes no changes. */
const changes = sql`(
  select tenant, version, kind, name, change_time from access_changes
  union all
  select tenant, 0, 'binding', id::text, create_time from role_bindings)`

/** The database's time from before it looked, and what changed in the last `lookBackMs` before it. */
export async function readRecentChanges(db: Db, lookBackMs: number): Promise<{ time: Date; rows: ChangeRow[] }> {
  const { rows } = await sql<{ time: Date } & { [K in keyof ChangeRow]: ChangeRow[K] | null }>`
    select clock.time, recent.tenant, recent.version::text, recent.kind, recent.name, recent.change_time
    from (select date_trunc('milliseconds', statement_timestamp()) as time) clock
    left join lateral (
      select * from ${changes} c where c.change_time >= clock.time - ${lookBackMs}::integer * interval '1 millisecond'
    ) recent on true`.execute(db)
  const [first] = rows
  if (first === undefined) throw new TypeError('a left join of one row answered none')
  return { time: first.time, rows: rows.filter((row): row is ChangeRow & { time: Date } => row.name !== null) }
}

/** Everything that changed from a time on. */
export async function listChanges(db: Db, from: Date): Promise<ChangeRow[]> {
  const { rows } = await sql<ChangeRow>`
    select tenant, version::text, kind, name, change_time from ${changes} c where change_time >= ${from}`.execute(db)
  return rows
}

/** Forgets changes that no watch looks back to. */
export async function pruneAccessChanges(db: Db, before: Date, limit: number): Promise<number> {
  const pruned = await sql`
    delete from access_changes where (tenant, version, kind, name) in (
      select tenant, version, kind, name from access_changes where change_time < ${before} order by change_time
      limit ${limit}::integer for update skip locked)`.execute(db)
  return Number(pruned.numAffectedRows ?? 0n)
}
