import type { ColumnType, Generated } from 'kysely'

type Fixed<T> = ColumnType<T, T, never>

/** Insert-only: the service's role may neither change nor remove a row. */
export interface AuditEntriesTable {
  tenant: Fixed<string>
  id: Fixed<string>
  /** Of the database's clock. */
  time: ColumnType<Date, never, never>
  kind: Fixed<string>
  result: Fixed<AuditResult>
  reason: Fixed<string>
  actor_kind: Fixed<string>
  actor_id: Fixed<string>
  subject_id: Fixed<string>
  session_id: Fixed<string>
  network: Fixed<string>
  trace_id: Fixed<string>
  details: ColumnType<Readonly<Record<string, string>>, string, never>
}

export type AuditResult = 'done' | 'refused'

/** What waits for its seal; the sealer takes it out again. */
export interface AuditUnsealedTable {
  tenant: Fixed<string>
  id: Fixed<string>
}

/** Insert-only: the chain over the entries. */
export interface AuditSealsTable {
  tenant: Fixed<string>
  /** From 1 without a gap. */
  position: Fixed<bigint>
  entry_id: Fixed<string>
  hash: Fixed<Uint8Array>
  seal_time: Generated<Date>
}

/** Insert-only: places of the chain that were signed. */
export interface AuditCheckpointsTable {
  tenant: Fixed<string>
  position: Fixed<bigint>
  time: Fixed<Date>
  jws: Fixed<string>
}

/** Keys that sign checkpoints; the newest signs, none is ever forgotten. */
export interface AuditKeysTable {
  tenant: Fixed<string>
  /** Thumbprint of the public key (RFC 7638). */
  kid: Fixed<string>
  public_jwk: ColumnType<Record<string, unknown>, string, never>
  private_key: Uint8Array
  create_time: Fixed<Date>
}

export interface AuditTables {
  audit_entries: AuditEntriesTable
  audit_unsealed: AuditUnsealedTable
  audit_seals: AuditSealsTable
  audit_checkpoints: AuditCheckpointsTable
  audit_keys: AuditKeysTable
}
