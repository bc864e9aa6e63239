import type { ColumnType, Generated } from 'kysely'

/** Set at insert, never changed. */
type Fixed<T> = ColumnType<T, T, never>

export interface ServiceAccountsTable {
  tenant: Fixed<string>
  id: Fixed<string>
  name: Fixed<string>
  create_time: Generated<Date>
  description: Generated<string>
  /** Since when none of its keys is good; null while it is enabled. */
  disable_time: ColumnType<Date | null, Date | null | undefined, Date | null>
}

export interface ApiKeysTable {
  tenant: Fixed<string>
  id: Fixed<string>
  account_id: Fixed<string>
  name: Fixed<string>
  /** SHA-256 of the whole key. */
  key_hash: Fixed<Uint8Array>
  scopes: Fixed<string[]>
  limit_count: Fixed<number | null>
  limit_window_seconds: Fixed<number | null>
  create_time: Fixed<Date>
  /** For how long it was made; a successor is made for as long. */
  lifetime_seconds: Fixed<number>
  expire_time: Date
  last_use_time: Date | null
  revoke_time: Date | null
}

/** Keys that are not what they were, for whoever remembers them. */
export interface ApiKeyChangesTable {
  tenant: Fixed<string>
  key_id: Fixed<string>
  /** Counts the changes, so that two of one moment are two. */
  version: Generated<number>
  /** Of the database's clock: every replica's watch reads by it. */
  change_time: Generated<Date>
  forget_time: Date
}

export interface WorkloadsTable {
  name: Fixed<string>
  issuer: string
  subject: string
  audience: string
  calls: string[]
  create_time: Fixed<Date>
  update_time: Date
}

/** One row, which counts the changes of the registry. */
export interface WorkloadRegistryTable {
  singleton: Generated<boolean>
  version: ColumnType<string, number, number>
}

/** The tables of service accounts, API keys and workloads. */
export interface MachineTables {
  service_accounts: ServiceAccountsTable
  api_keys: ApiKeysTable
  api_key_changes: ApiKeyChangesTable
  workloads: WorkloadsTable
  workload_registry: WorkloadRegistryTable
}
