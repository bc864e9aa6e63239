import { type ColumnTypes, compiledOnce, rowsAsTable, type Value } from '@gatehouse/postgres'
import { type Expression, type RawBuilder, type Selectable, sql } from 'kysely'
import type { AuditEntriesTable, AuditResult } from './audit-tables.ts'
import type { Db } from './schema.ts'

export type AuditEntryRow = Selectable<AuditEntriesTable>

/** An entry before it is written: its time is the database's. */
export type NewAuditEntry = Omit<AuditEntryRow, 'time' | 'details'> & { /** JSON. */ readonly details: string }

const types: ColumnTypes<NewAuditEntry> = {
  tenant: 'text',
  id: 'uuid',
  kind: 'text',
  result: 'text',
  reason: 'text',
  actor_kind: 'text',
  actor_id: 'text',
  subject_id: 'text',
  session_id: 'text',
  network: 'text',
  trace_id: 'text',
  details: 'jsonb',
}
const columns = Object.keys(types) as (keyof NewAuditEntry)[]
const listed = sql.raw(columns.join(', '))
const ofEntry = sql.raw(columns.map((column) => `entry.${column}`).join(', '))

type ArrayOf = <Column extends keyof NewAuditEntry>(
  column: Column,
) => RawBuilder<readonly NewAuditEntry[Column][]> | readonly NewAuditEntry[Column][]

/**
 * The part of a statement that writes the entries of what the statement itself does, so that neither is there without the other. `facts` gives tenant and
 * session; entries of other sessions are left out, and a fact whose entry is missing fails the statement. What it answers goes to {@link waitForSeals}.
 */
export function insertAuditEntries(
  arrayOf: ArrayOf,
  facts: Expression<{ tenant: string; session: string }>,
): RawBuilder<{ tenant: string; id: string }> {
  return sql`(insert into audit_entries (${listed}) select ${ofEntry}
    from (${facts}) as fact left join ${rowsAsTable('entry', types, arrayOf)} on entry.tenant = fact.tenant and entry.session_id = fact.session
    returning tenant, id)`
}

/** The part of a statement that puts entries where the sealer finds them. */
export function waitForSeals(entries: Expression<{ tenant: string; id: string }>): RawBuilder<object> {
  return sql`(insert into audit_unsealed (tenant, id) ${entries})`
}

const insert = compiledOnce(
  (_: Db, value: Value<readonly NewAuditEntry[]>) =>
    sql<object>`with written as (
        insert into audit_entries (${listed}) select ${ofEntry}
        from ${rowsAsTable('entry', types, (column) => value((entries) => entries.map((entry) => entry[column])))} returning tenant, id)
      insert into audit_unsealed (tenant, id) select tenant, id from written`,
)

/** Writes entries, and has them sealed. */
export async function addAuditEntries(db: Db, entries: readonly NewAuditEntry[]): Promise<void> {
  if (entries.length > 0) await insert(db, entries)
}

/** Which entries are meant. */
export interface AuditFilter {
  readonly from?: Date
  readonly until?: Date
  readonly actorId: string
  readonly subjectId: string
  readonly kinds: readonly string[]
  readonly result?: AuditResult
  readonly sessionId: string
  readonly traceId: string
}

/** An entry with its place in the chain, null where it is not sealed yet. */
export type PlacedEntry = AuditEntryRow & { readonly position: bigint | null; readonly hash: Uint8Array | null }

const placed = [
  'entry.tenant',
  'entry.id',
  'entry.time',
  'entry.kind',
  'entry.result',
  'entry.reason',
  'entry.actor_kind',
  'entry.actor_id',
  'entry.subject_id',
  'entry.session_id',
  'entry.network',
  'entry.trace_id',
  'entry.details',
  'seal.position',
  'seal.hash',
] as const

/** The latest first. */
export async function listAuditEntries(
  db: Db,
  { tenant, filter, before, limit }: { tenant: string; filter: AuditFilter; before?: { time: Date; id: string }; limit: number },
): Promise<PlacedEntry[]> {
  let query = db
    .selectFrom('audit_entries as entry')
    .leftJoin('audit_seals as seal', (join) => join.onRef('seal.tenant', '=', 'entry.tenant').onRef('seal.entry_id', '=', 'entry.id'))
    .select(placed)
    .where('entry.tenant', '=', tenant)
    .where(matching(filter))
  if (before !== undefined) query = query.where(sql<boolean>`(entry.time, entry.id) < (${before.time}, ${before.id}::uuid)`)
  return await query.orderBy('entry.time', 'desc').orderBy('entry.id', 'desc').limit(limit).execute()
}

/** What stands after a position in the chain, in its order. Only entries that match are answered; `end` is how far was looked. */
export async function entriesAfter(
  db: Db,
  { tenant, filter, after, limit }: { tenant: string; filter: AuditFilter; after: bigint; limit: number },
): Promise<{ readonly entries: PlacedEntry[]; readonly end: bigint; readonly endHash: Uint8Array | null }> {
  const { rows } = await sql<PlacedEntry & { matches: boolean; position: bigint }>`
    select ${sql.join(placed.map((column) => sql.ref(column)))}, coalesce(${matching(filter)}, false) as matches
    from (select tenant, position, entry_id, hash from audit_seals
      where tenant = ${tenant} and position > ${after} order by position limit ${limit}::integer) seal
    left join audit_entries entry on entry.tenant = seal.tenant and entry.id = seal.entry_id
    order by seal.position`.execute(db)
  const last = rows.at(-1)
  return { entries: rows.filter(({ matches }) => matches), end: last?.position ?? after, endHash: last?.hash ?? null }
}

function matching(filter: AuditFilter): RawBuilder<boolean> {
  const { from, until, actorId, subjectId, kinds, result, sessionId, traceId } = filter
  const parts: RawBuilder<unknown>[] = [sql`true`]
  if (from !== undefined) parts.push(sql`entry.time >= ${from}`)
  if (until !== undefined) parts.push(sql`entry.time < ${until}`)
  // One index has those who act on others, the other everybody who is acted on.
  if (actorId !== '')
    parts.push(
      sql`((entry.actor_id = ${actorId} and entry.actor_id <> entry.subject_id) or (entry.subject_id = ${actorId} and entry.actor_id = entry.subject_id))`,
    )
  if (subjectId !== '') parts.push(sql`entry.subject_id = ${subjectId} and entry.subject_id <> ''`)
  if (kinds.length > 0) parts.push(sql`entry.kind = any(${[...kinds]}::text[])`)
  if (result !== undefined) parts.push(sql`entry.result = ${result}`)
  if (sessionId !== '') parts.push(sql`entry.session_id = ${sessionId}`)
  if (traceId !== '') parts.push(sql`entry.trace_id = ${traceId} and entry.trace_id <> ''`)
  return sql<boolean>`${sql.join(parts, sql` and `)}`
}
