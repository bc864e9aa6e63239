import type { ColumnType } from 'kysely'

/** Set at insert, never changed. */
type Fixed<T> = ColumnType<T, T, never>

/** How a provider is spoken to. `saml` is kept free. */
export type ConnectionKind = 'oidc' | 'github' | 'saml'

/** Whether somebody unknown gets an account by signing in. */
export type Jit = 'off' | 'invited' | 'on'

/** What is made of what the provider says, each in CEL. */
export interface Mapping {
  /** The name of an account that is made; the provider's where it is empty. */
  readonly name: string
  /** Who is in which group of ours. */
  readonly groups: readonly { readonly groupId: string; readonly condition: string }[]
}

export interface ConnectionsTable {
  tenant: Fixed<string>
  connection_id: Fixed<string>
  kind: Fixed<ConnectionKind>
  name: string
  issuer: Fixed<string>
  client_id: string
  /** A sealed box; null where there is none. */
  secret: Uint8Array | null
  scopes: string[]
  jit: Jit
  trusted_email: boolean
  enforce: boolean
  hidden: boolean
  mapping: ColumnType<Mapping, string, string>
  version: number
  create_time: Fixed<Date>
  update_time: Date
  disable_time: Date | null
  /** Its identities are on their way out. */
  delete_time: Date | null
}

export interface ConnectionDomainsTable {
  tenant: Fixed<string>
  domain: Fixed<string>
  connection_id: Fixed<string>
}

export interface ConnectionAttemptsTable {
  tenant: Fixed<string>
  /** SHA-256 of the state, and of what the browser keeps. */
  state_hash: Fixed<Uint8Array>
  browser_hash: Fixed<Uint8Array>
  connection_id: Fixed<string>
  /** Who links, in which session; null where somebody signs in. */
  user_id: Fixed<string | null>
  session_id: Fixed<string | null>
  create_time: Fixed<Date>
  expire_time: Fixed<Date>
}

export interface LinkedIdentitiesTable {
  tenant: Fixed<string>
  issuer: Fixed<string>
  subject: Fixed<string>
  id: Fixed<string>
  user_id: Fixed<string>
  connection_id: Fixed<string>
  /** What the provider said when it was linked, for the person to recognise it. */
  email: Fixed<string>
  /** The account was made by it, so it is no other way in that somebody added. */
  made_account: Fixed<boolean>
  create_time: Fixed<Date>
  /** Null while the account is being made. */
  link_time: Date | null
  last_use_time: Date | null
}

export interface ConnectionTables {
  connections: ConnectionsTable
  connection_domains: ConnectionDomainsTable
  connection_attempts: ConnectionAttemptsTable
  linked_identities: LinkedIdentitiesTable
}
