import type { ColumnType } from 'kysely'

/** Set at insert, never changed. */
type Fixed<T> = ColumnType<T, T, never>

/** Set at insert or left out, never changed. */
type FixedOptional<T> = ColumnType<T | null, T | null | undefined, never>

/** A person's password. Whoever has none cannot sign in with one. */
export interface CredentialsTable {
  tenant: Fixed<string>
  user_id: Fixed<string>
  password_hash: string
  /** Of the password that a lock-down took away, until there is another. */
  closed_hash: string | null
  version: number
  create_time: Fixed<Date>
  update_time: Date
}

/** What a challenge was opened for. What its mail says is decided when the mail is rendered. */
export type ChallengeKind = 'sign_up' | 'reset' | 'invitation' | 'email_change' | 'email_changed' | 'email_sign_in' | 'lock_down'

export interface ChallengesTable {
  tenant: Fixed<string>
  id: Fixed<string>
  kind: Fixed<ChallengeKind>
  /** Where the mail goes; null where the person's address at that moment is meant. */
  address: FixedOptional<string>
  address_key: FixedOptional<string>
  /** Whose it is, from the first day or from when the mailbox was proven. */
  user_id: ColumnType<string | null, string | null | undefined, string>
  /** Of a change of address: the address that it replaces, noted before it is replaced. */
  previous_address: string | null
  /** How many mails were asked for; the version of its events. */
  mail_count: number
  wrong_codes: ColumnType<number, number | undefined, number>
  create_time: Fixed<Date>
  /** When the last mail was asked for. */
  request_time: Date
  /** Used, or overtaken by another of the same address. */
  end_time: Date | null
}

/** What a sign-up asks for; gone as soon as its challenge ends. */
export interface SignUpsTable {
  tenant: Fixed<string>
  challenge_id: Fixed<string>
  /** The id that the person will have: chosen now, so that a retry after a crash registers the same one. */
  user_id: Fixed<string>
  name: Fixed<string>
  locale: Fixed<string>
  password_hash: Fixed<string>
}

/** What the secret of a mail is good for. */
export type SecretPurpose = 'verify_email' | 'reset_password' | 'accept_invitation' | 'change_email' | 'email_sign_in' | 'lock_down'

/** One row for each mail whose secret was revealed. Code and token are derived from a key outside the database. */
export interface ChallengeSecretsTable {
  tenant: Fixed<string>
  challenge_id: Fixed<string>
  delivery_id: Fixed<string>
  purpose: Fixed<SecretPurpose>
  address: Fixed<string>
  locale: Fixed<string>
  name: Fixed<string>
  /** The person whom the address named when the mail was rendered. */
  user_id: FixedOptional<string>
  token_hash: Fixed<Uint8Array>
  code_expire_time: FixedOptional<Date>
  token_expire_time: Fixed<Date>
}

/** Wrong codes for an address on a day. */
export interface CodeFailuresTable {
  tenant: Fixed<string>
  address_hash: Fixed<Uint8Array>
  /** Days since 1970, UTC. */
  day: Fixed<number>
  wrong_codes: number
}

/** Wrong passwords in a row, by what they are counted by. */
export interface PasswordFailuresTable {
  /** Empty for sources, which have none. */
  tenant: Fixed<string>
  /** An HMAC of what is counted by. */
  key: Fixed<Uint8Array>
  /** Whose password was tried, where that is known. */
  user_id: string | null
  /** Since it was last quiet for long. */
  failures: number
  /** Since the last right one. */
  total: number
  /** Of a source: a bit for each account that it failed at, by a hash, and has not got into since. */
  accounts: ColumnType<string, string | undefined, string>
  last_time: Date
}

/** Kinds of hashes that may be about: algorithm with parameters. */
export interface PasswordKindsTable {
  kind: Fixed<string>
  /** When it was last seen, or looked for. */
  check_time: Date
}

/** The tables of accounts: credentials, sign-ups, challenges. */
export interface AccountTables {
  credentials: CredentialsTable
  challenges: ChallengesTable
  sign_ups: SignUpsTable
  challenge_secrets: ChallengeSecretsTable
  code_failures: CodeFailuresTable
  password_failures: PasswordFailuresTable
  password_kinds: PasswordKindsTable
}
