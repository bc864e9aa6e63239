import type { Strength } from '@gatehouse/identity'
import type { ColumnType, Generated } from 'kysely'

/** Set at insert, never changed. */
type Fixed<T> = ColumnType<T, T, never>

/** Counts the changes of a person's factors: the version of their events. */
export interface FactorVersionsTable {
  tenant: Fixed<string>
  user_id: Fixed<string>
  version: number
}

export interface PasskeysTable {
  tenant: Fixed<string>
  id: Fixed<string>
  user_id: Fixed<string>
  credential_id: Fixed<Uint8Array>
  /** COSE_Key (RFC 9052). */
  public_key: Fixed<Uint8Array>
  sign_count: ColumnType<bigint, number, number>
  transports: string[]
  backup_eligible: Fixed<boolean>
  backed_up: boolean
  name: string
  /** Added just before its person locked the account down: alone it signs nobody in until it was shown beside something else. */
  held_back: Generated<boolean>
  create_time: Fixed<Date>
  last_use_time: Date | null
}

export interface TotpFactorsTable {
  tenant: Fixed<string>
  user_id: Fixed<string>
  /** Sealed with the key that encrypts keys. */
  secret: Uint8Array
  create_time: Date
  /** When the person showed a first code of it; null while it does not count yet. */
  confirm_time: Date | null
  /** Until when it can be confirmed. */
  expire_time: Date
  /** The last time step of which a code was taken (RFC 6238). */
  last_step: ColumnType<bigint, number, number>
  last_use_time: Date | null
}

/** Codes that were not used yet. */
export interface RecoveryCodesTable {
  tenant: Fixed<string>
  user_id: Fixed<string>
  code_hash: Fixed<Uint8Array>
  create_time: Fixed<Date>
}

/** A sign-in or a step-up that needs another factor; found by the hash of its continuation. */
export interface PendingSignInsTable {
  tenant: Fixed<string>
  token_hash: Fixed<Uint8Array>
  user_id: Fixed<string>
  /** The session that is to be raised; null where one is to be opened. */
  session_id: Fixed<string | null>
  client_id: Fixed<string>
  /** What was shown so far (RFC 8176). */
  methods: Fixed<string[]>
  /** What has to be reached. */
  strength: Fixed<Strength>
  /** Of the person's sessions when it began. */
  epoch: Fixed<number>
  wrong_count: Generated<number>
  passkey_challenge: Fixed<Uint8Array | null>
  create_time: Fixed<Date>
  expire_time: Fixed<Date>
}

/** A ceremony of WebAuthn that has begun: a registration where somebody is named, else a sign-in. */
export interface PasskeyAttemptsTable {
  tenant: Fixed<string>
  id: Fixed<string>
  user_id: Fixed<string | null>
  session_id: Fixed<string | null>
  challenge: Fixed<Uint8Array>
  create_time: Fixed<Date>
  expire_time: Fixed<Date>
}

/** The tables of factors. */
export interface FactorTables {
  factor_versions: FactorVersionsTable
  passkeys: PasskeysTable
  totp_factors: TotpFactorsTable
  recovery_codes: RecoveryCodesTable
  pending_sign_ins: PendingSignInsTable
  passkey_attempts: PasskeyAttemptsTable
}
