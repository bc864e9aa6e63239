import type { ColumnType, Generated, Kysely } from 'kysely'
import type { AccessTables } from './access-tables.ts'
import type { AccountTables } from './account-tables.ts'
import type { AuditTables } from './audit-tables.ts'
import type { ConnectionTables } from './connections/connection-tables.ts'
import type { FactorTables } from './factor-tables.ts'
import type { MachineTables } from './machine-tables.ts'
import type { OidcTables } from './oidc/oidc-tables.ts'
import type { PoliciesTable } from './policies.ts'
import type { SuspicionTables } from './suspicion-tables.ts'

/** Set at insert, never changed. */
type Fixed<T> = ColumnType<T, T, never>

export interface TenantsTable {
  id: Fixed<string>
  origin: string
  create_time: Generated<Date>
}

export interface TenantHostsTable {
  host: Fixed<string>
  tenant: Fixed<string>
}

export interface SigningKeysTable {
  tenant: Fixed<string>
  kid: Fixed<string>
  public_jwk: ColumnType<Record<string, unknown>, string, never>
  private_key: Uint8Array
  create_time: Fixed<Date>
  /** From when the key signs; verifiers know it before. */
  sign_time: Date
  /** When its last token has ended and the key is no longer published; null while it or nobody signs. */
  retire_time: Date | null
}

export interface RefreshKeysTable {
  tenant: Fixed<string>
  version: Fixed<number>
  secret: Uint8Array
  create_time: Fixed<Date>
}

export interface SessionsTable {
  tenant: Fixed<string>
  id: Fixed<string>
  user_id: Fixed<string>
  client_id: Fixed<string>
  create_time: Fixed<Date>
  last_use_time: Date
  idle_expire_time: Date
  expire_time: Date
  auth_time: Date
  amr: string[]
  user_agent: string
  network: string
  version: number
  /** How often it was raised: tokens of an earlier generation are dead. */
  generation: number
  end_time: Date | null
  end_cause: EndCause | null
}

/** Why a session ended before its time. */
export type EndCause = 'signed_out' | 'revoked' | 'token_reused' | 'password_changed' | 'user_suspended' | 'user_deleted' | 'locked_down'

export interface SessionEpochsTable {
  tenant: Fixed<string>
  user_id: Fixed<string>
  epoch: number
  /** Where the person signed in from, the newest first. */
  networks: Generated<string[]>
}

export interface RefreshTokensTable {
  tenant: Fixed<string>
  token_hash: Fixed<Uint8Array>
  session_id: Fixed<string>
  create_time: Fixed<Date>
  /** When it was used up. */
  use_time: Date | null
  /** Which refresh key its successor is derived with. */
  key_version: number | null
  successor_hash: Uint8Array | null
}

export interface RevocationsTable {
  tenant: Fixed<string>
  session_id: Fixed<string>
  /** Of the database's clock: every replica's watch reads by it. */
  revoke_time: Generated<Date>
  forget_time: Fixed<Date>
}

/** The last raise of each session of which older tokens may be alive. */
export interface SessionRaisesTable {
  tenant: Fixed<string>
  session_id: Fixed<string>
  generation: number
  /** Of the database's clock, like `revoke_time`. */
  raise_time: Generated<Date>
  forget_time: Date
}

export interface AudiencesTable {
  tenant: Fixed<string>
  audience: Fixed<string>
  create_time: Generated<Date>
}

/** The tables of the auth service. */
export interface Schema
  extends AccessTables,
    AccountTables,
    AuditTables,
    ConnectionTables,
    FactorTables,
    MachineTables,
    OidcTables,
    SuspicionTables {
  tenants: TenantsTable
  tenant_hosts: TenantHostsTable
  signing_keys: SigningKeysTable
  refresh_keys: RefreshKeysTable
  sessions: SessionsTable
  session_epochs: SessionEpochsTable
  refresh_tokens: RefreshTokensTable
  revocations: RevocationsTable
  session_raises: SessionRaisesTable
  audiences: AudiencesTable
  policies: PoliciesTable
}

/** A database or a transaction of it. */
export type Db = Kysely<Schema>
