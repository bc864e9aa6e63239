import { type ColumnTypes, compiledOnce, rowsAsTable, type Value } from '@gatehouse/postgres'
import { sql } from 'kysely'
import { insertAuditEntries, type NewAuditEntry, waitForSeals } from '../audit-entries.ts'
import type { Db } from '../schema.ts'
import type { RecordKind } from './oidc-tables.ts'

export interface RecordKey {
  readonly tenant: string
  readonly hash: Uint8Array
  readonly kind: RecordKind
}

export interface NewRecord {
  readonly tenant: string
  readonly id_hash: Uint8Array
  readonly kind: RecordKind
  readonly client_id: string | null
  readonly grant_id: string | null
  /** Only of what ends with the session. */
  readonly session_id: string | null
  readonly user_code_hash: Uint8Array | null
  readonly payload: string
  readonly create_time: Date
  readonly expire_time: Date
}

/** A record, with the entry of the audit log that is written with it. */
export interface RecordToAdd {
  readonly record: NewRecord
  readonly entry?: NewAuditEntry
}

type Given = NewRecord & { readonly entry_session: string | null }

const types: ColumnTypes<Given> = {
  tenant: 'text',
  id_hash: 'bytea',
  kind: 'text',
  client_id: 'text',
  grant_id: 'uuid',
  session_id: 'uuid',
  user_code_hash: 'bytea',
  payload: 'text',
  create_time: 'timestamptz',
  expire_time: 'timestamptz',
  entry_session: 'text',
}
const columns = sql.raw(
  Object.keys(types)
    .filter((column) => column !== 'entry_session')
    .join(', '),
)

type Args = { readonly given: readonly Given[]; readonly entries: readonly NewAuditEntry[] }

/** One statement for records and entries. What is there already stays as it is: two that derive the same token add one. */
const add = compiledOnce(
  (_: Db, value: Value<Args>) => sql<object>`
    with given as (select * from ${rowsAsTable('given', types, (column) => value(({ given }) => given.map((each) => each[column])))}),
    added as (
      insert into oidc_records (${columns}) select ${columns} from given on conflict (tenant, id_hash) do nothing returning tenant, id_hash),
    audited as ${insertAuditEntries(
      (column) => value(({ entries }) => entries.map((entry) => entry[column])),
      sql<{ tenant: string; session: string }>`select given.tenant, given.entry_session as session from given
        join added on added.tenant = given.tenant and added.id_hash = given.id_hash where given.entry_session is not null`,
    )},
    waiting as ${waitForSeals(sql<{ tenant: string; id: string }>`select tenant, id from audited`)}
    select from added`,
)

export async function addRecords(db: Db, records: readonly RecordToAdd[]): Promise<void> {
  await add(db, {
    given: records.map(({ record, entry }) => ({ ...record, entry_session: entry?.session_id ?? null })),
    entries: records.flatMap(({ entry }) => (entry ? [entry] : [])),
  })
}

/** Adds a record or replaces what it says. */
export async function putRecord(db: Db, record: NewRecord): Promise<void> {
  await db
    .insertInto('oidc_records')
    .values(record)
    .onConflict((conflict) =>
      conflict
        .columns(['tenant', 'id_hash'])
        .doUpdateSet({ payload: record.payload, expire_time: record.expire_time })
        .where('oidc_records.kind', '=', record.kind),
    )
    .execute()
}

export interface FoundRecord {
  readonly payload: string
  readonly grant_id: string | null
  readonly expire_time: Date
  readonly consume_time: Date | null
  readonly key_version: number | null
  /** Whether somebody has used the refresh token that followed. */
  readonly successor_used: boolean
}

type FindArgs = { readonly tenant: string; readonly by: Uint8Array; readonly kind: RecordKind; readonly now: Date }

// Of a grant that has ended, and of a session, nothing is left.
const found = ({ value, by }: { value: Value<FindArgs>; by: 'id_hash' | 'user_code_hash' }) => sql<FoundRecord & { id_hash: Uint8Array }>`
  select r.id_hash, r.payload, r.grant_id, r.expire_time, r.consume_time, r.key_version,
    r.successor_hash is not null and exists (
      select from oidc_records s where s.tenant = r.tenant and s.id_hash = r.successor_hash and s.consume_time is not null) as successor_used
  from oidc_records r
  left join oidc_grants g on g.tenant = r.tenant and g.id = r.grant_id
  left join sessions s on s.tenant = r.tenant and s.id = r.session_id
  where r.tenant = ${value(({ tenant }) => tenant)} and ${sql.ref(`r.${by}`)} = ${value((args) => args.by)} and r.kind = ${value(({ kind }) => kind)}
    and (r.grant_id is null or (g.end_time is null and g.expire_time > ${value(({ now }) => now)}::timestamptz))
    and (r.session_id is null or (s.end_time is null and s.idle_expire_time > ${value(({ now }) => now)}::timestamptz
      and s.expire_time > ${value(({ now }) => now)}::timestamptz))`

const findByHash = compiledOnce((_: Db, value: Value<FindArgs>) => found({ value, by: 'id_hash' }))
const findByCode = compiledOnce((_: Db, value: Value<FindArgs>) => found({ value, by: 'user_code_hash' }))

export async function findRecord(db: Db, { hash, ...key }: RecordKey & { now: Date }): Promise<FoundRecord | undefined> {
  const [row] = await findByHash(db, { ...key, by: hash })
  return row
}

export async function findByUserCode(
  db: Db,
  key: { tenant: string; userCodeHash: Uint8Array; now: Date },
): Promise<(FoundRecord & { id_hash: Uint8Array }) | undefined> {
  const [row] = await findByCode(db, { tenant: key.tenant, now: key.now, kind: 'DeviceCode', by: key.userCodeHash })
  return row
}

export async function deleteRecord(db: Db, { tenant, hash, kind }: RecordKey): Promise<void> {
  await db.deleteFrom('oidc_records').where('tenant', '=', tenant).where('id_hash', '=', hash).where('kind', '=', kind).execute()
}
