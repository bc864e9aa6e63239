import type { ColumnType, Generated } from 'kysely'

/** Set at insert, never changed. */
type Fixed<T> = ColumnType<T, T, never>

/** JSON, which goes in as text. */
type Json<T> = ColumnType<T, string, string>

export interface OidcClientsTable {
  tenant: Fixed<string>
  client_id: Fixed<string>
  name: string
  /** As the library knows it (RFC 7591), without a secret. */
  metadata: Json<Readonly<Record<string, unknown>>>
  first_party: boolean
  /** Resource indicators that it may ask tokens for. */
  resources: string[]
  /** Audiences whose tokens it may look at. */
  introspects: string[]
  backchannel_logout_uri: string | null
  version: number
  create_time: Fixed<Date>
  update_time: Date
  disable_time: Date | null
  /** Its id is never given again. */
  delete_time: Date | null
}

export interface OidcClientSecretsTable {
  tenant: Fixed<string>
  client_id: Fixed<string>
  id: Fixed<string>
  /** SHA-256 of the whole secret. */
  secret_hash: Fixed<Uint8Array>
  /** Its last four characters. */
  hint: Fixed<string>
  create_time: Fixed<Date>
  expire_time: Date | null
}

export interface OidcResourcesTable {
  tenant: Fixed<string>
  /** Its indicator (RFC 8707). */
  resource: Fixed<string>
  audience: Fixed<string>
  scopes: string[]
  lifetime_seconds: number
  create_time: Fixed<Date>
}

export interface OidcGrantsTable {
  tenant: Fixed<string>
  id: Fixed<string>
  user_id: Fixed<string>
  client_id: Fixed<string>
  /** Where it was given. */
  session_id: Fixed<string>
  /** Outlives that session. */
  offline: boolean
  payload: string
  version: number
  create_time: Fixed<Date>
  update_time: Date
  last_use_time: Date
  expire_time: Date
  end_time: Date | null
  end_cause: GrantEndCause | null
}

/** Why a grant ended before its time. */
export type GrantEndCause =
  | 'revoked'
  | 'session_ended'
  | 'password_reset'
  | 'locked_down'
  | 'user_suspended'
  | 'user_deleted'
  | 'client_deleted'
  | 'code_replayed'
  | 'token_reused'

export interface OidcConsentsTable {
  tenant: Fixed<string>
  user_id: Fixed<string>
  client_id: Fixed<string>
  scopes: string[]
  claims: string[]
  resources: Json<Readonly<Record<string, string>>>
  create_time: Fixed<Date>
  update_time: Date
}

/** What a signed-in browser uses, and under which grant. */
export interface OidcSessionClientsTable {
  tenant: Fixed<string>
  session_id: Fixed<string>
  client_id: Fixed<string>
  /** Null after its end. */
  grant_id: string | null
  persists_logout: Generated<boolean>
  create_time: Fixed<Date>
}

/** The library's protection of its own forms against other sites. */
export interface OidcSessionStatesTable {
  tenant: Fixed<string>
  session_id: Fixed<string>
  /** JSON. */
  state: string
  update_time: Date
}

export type RecordKind =
  | 'AccessToken'
  | 'ClientCredentials'
  | 'RefreshToken'
  | 'AuthorizationCode'
  | 'DeviceCode'
  | 'PushedAuthorizationRequest'
  | 'Interaction'
  | 'Session'
  | 'InitialAccessToken'
  | 'RegistrationAccessToken'

export interface OidcRecordsTable {
  tenant: Fixed<string>
  /** SHA-256 of the token, code or cookie. */
  id_hash: Fixed<Uint8Array>
  kind: Fixed<RecordKind>
  client_id: string | null
  grant_id: string | null
  /** Only of what ends with the session. */
  session_id: string | null
  user_code_hash: Uint8Array | null
  /** JSON without the id, a cookie or another record's id. */
  payload: string
  create_time: Fixed<Date>
  expire_time: Date
  consume_time: Date | null
  /** Which refresh key the successor is derived with. */
  key_version: number | null
  successor_hash: Uint8Array | null
  /** Of a device code: 0 open, 1 somebody is at it, 2 decided. */
  approve_state: Generated<number>
  /** Of a device code: when it was asked for last. */
  poll_time: Date | null
}

/** What may come once only: proofs and assertions by their `jti`. */
export interface OidcReplaysTable {
  tenant: Fixed<string>
  key_hash: Fixed<Uint8Array>
  expire_time: Date
}

/** Ends of sessions that a client is to be told. */
export interface OidcLogoutsTable {
  tenant: Fixed<string>
  session_id: Fixed<string>
  client_id: Fixed<string>
  user_id: Fixed<string>
  attempts: Generated<number>
  next_time: Date
  create_time: Fixed<Date>
  expire_time: Fixed<Date>
  /** When nothing was left to be done: it was told, or given up. */
  deliver_time: Date | null
  last_problem: Generated<string>
}

/** Keys of `signing_keys`, but for what they sign with. */
export interface OidcSigningKeysTable {
  tenant: Fixed<string>
  kid: Fixed<string>
  alg: Fixed<'RS256'>
  public_jwk: ColumnType<Record<string, unknown>, string, never>
  private_key: Uint8Array
  create_time: Fixed<Date>
  sign_time: Date
  retire_time: Date | null
}

export interface OidcTables {
  oidc_clients: OidcClientsTable
  oidc_client_secrets: OidcClientSecretsTable
  oidc_resources: OidcResourcesTable
  oidc_grants: OidcGrantsTable
  oidc_consents: OidcConsentsTable
  oidc_session_clients: OidcSessionClientsTable
  oidc_session_states: OidcSessionStatesTable
  oidc_records: OidcRecordsTable
  oidc_replays: OidcReplaysTable
  oidc_logouts: OidcLogoutsTable
  oidc_signing_keys: OidcSigningKeysTable
}
