import { sql } from 'kysely'
import type { AuditEntryRow } from './audit-entries.ts'
import type { Db } from './schema.ts'

/** A place in a tenant's chain. */
export interface Seal {
  readonly tenant: string
  readonly position: bigint
  readonly hash: Uint8Array
}

export type NewSeal = Seal & { readonly entryId: string }

const entryColumns = sql.raw(
  [
    'tenant',
    'id',
    'time',
    'kind',
    'result',
    'reason',
    'actor_kind',
    'actor_id',
    'subject_id',
    'session_id',
    'network',
    'trace_id',
    'details',
  ]
    .map((column) => `entry.${column}`)
    .join(', '),
)

/** Entries that wait for their seal: whatever has committed by now, however late. */
export async function unsealedEntries(db: Db, limit: number): Promise<AuditEntryRow[]> {
  const { rows } = await sql<AuditEntryRow>`
    select ${entryColumns} from (select tenant, id from audit_unsealed order by tenant, id limit ${limit}::integer) waiting
    join audit_entries entry on entry.tenant = waiting.tenant and entry.id = waiting.id
    order by entry.tenant, entry.id`.execute(db)
  return rows
}

/** The end of each tenant's chain; of one without a chain, nothing. */
export async function lastSeals(db: Db, tenants: readonly string[]): Promise<Seal[]> {
  const { rows } = await sql<Seal>`
    select asked.tenant, seal.position, seal.hash from unnest(${[...tenants]}::text[]) as asked (tenant)
    cross join lateral (select position, hash from audit_seals where tenant = asked.tenant order by position desc limit 1) seal`.execute(db)
  return rows
}

/**
 * Writes seals while the lease is of this epoch; answers how many there were. A chain cannot fork even without the lease: a position is taken once,
 * and a sealer that was overtaken fails on it.
 */
export async function insertSeals(db: Db, epoch: bigint, seals: readonly NewSeal[]): Promise<number> {
  const { rows } = await sql<{ sealed: bigint }>`
    with lease as materialized (select 1 from audit_lease where name = 'sealer' and epoch = ${epoch} for update),
    sealed as (
      insert into audit_seals (tenant, position, entry_id, hash)
      select seal.tenant, seal.position, seal.entry_id, seal.hash
      from unnest(${seals.map(({ tenant }) => tenant)}::text[], ${seals.map(({ position }) => position)}::bigint[],
        ${seals.map(({ entryId }) => entryId)}::uuid[], ${seals.map(({ hash }) => hash)}::bytea[]) as seal (tenant, position, entry_id, hash), lease
      returning tenant, entry_id),
    gone as (
      delete from audit_unsealed waiting using sealed
      where waiting.tenant = sealed.tenant and waiting.id = sealed.entry_id
      returning 1)
    select count(*) as sealed from sealed`.execute(db)
  return Number(rows[0]?.sealed ?? 0)
}

/** A seal with its entry, null where the entry is gone. */
export type SealedEntry = Seal & { readonly entry_id: string; readonly entry: AuditEntryRow | null }

/** The chain from a position on. */
export async function chainAfter(
  db: Db,
  { tenant, after, limit }: { tenant: string; after: bigint; limit: number },
): Promise<SealedEntry[]> {
  const { rows } = await sql<Seal & { entry_id: string } & (AuditEntryRow | { id: null })>`
    select seal.position, seal.hash, seal.entry_id, ${entryColumns}
    from (select tenant, position, hash, entry_id from audit_seals
      where tenant = ${tenant} and position > ${after} order by position limit ${limit}::integer) seal
    left join audit_entries entry on entry.tenant = seal.tenant and entry.id = seal.entry_id
    order by seal.position`.execute(db)
  return rows.map((row) => {
    const { position, hash, entry_id } = row
    return { tenant, position, hash, entry_id, entry: row.id === null ? null : (row as AuditEntryRow) }
  })
}

/** Entries that neither have a seal nor wait for one: nobody but us writes entries, and we have them wait. */
export async function strayEntries(
  db: Db,
  tenant: string,
  { after = null, upTo = null, limit }: { after?: Date | null; upTo?: Date | null; limit: number },
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select entry.id from audit_entries entry
    where entry.tenant = ${tenant}
      and entry.time > coalesce(${after}::timestamptz, '-infinity') and entry.time <= coalesce(${upTo}::timestamptz, 'infinity')
      and not exists (select from audit_seals seal where seal.tenant = entry.tenant and seal.entry_id = entry.id)
      and not exists (select from audit_unsealed waiting where waiting.tenant = entry.tenant and waiting.id = entry.id)
    order by entry.time, entry.id limit ${limit}::integer`.execute(db)
  return rows.map(({ id }) => id)
}

/** How many entries wait (counted up to 10,000), and for how long the oldest has. */
export async function sealBacklog(db: Db): Promise<{ readonly entries: number; readonly oldestSeconds: number }> {
  const { rows } = await sql<{ entries: bigint; seconds: number | null }>`
    select count(*) as entries, extract(epoch from clock_timestamp() - min(entry.time))::float8 as seconds
    from (select tenant, id from audit_unsealed limit 10000) waiting
    join audit_entries entry on entry.tenant = waiting.tenant and entry.id = waiting.id`.execute(db)
  return { entries: Number(rows[0]?.entries ?? 0), oldestSeconds: Math.max(0, rows[0]?.seconds ?? 0) }
}

/** After which position the tenant's kept entries begin: 0 where nothing was pruned, else that of the checkpoint up to which was. */
export async function chainStart(db: Db, tenant: string): Promise<bigint> {
  const { rows } = await sql<{ position: bigint }>`
    select position from audit_seals where tenant = ${tenant} order by position limit 1`.execute(db)
  const first = rows[0]?.position ?? 1n
  return first === 1n ? 0n : first
}

export async function sealAt(db: Db, { tenant, position }: { tenant: string; position: bigint }): Promise<Seal | undefined> {
  const { rows } = await sql<Seal>`
    select tenant, position, hash from audit_seals where tenant = ${tenant} and position = ${position}`.execute(db)
  return rows[0]
}
