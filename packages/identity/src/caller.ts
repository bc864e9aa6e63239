/** Somebody who carries an access token that was verified. */
export interface Person {
  /** People sign in; service accounts are programs with an account and have no session. */
  readonly kind: 'person' | 'service_account'
  /** UUIDv7: the token's `sub`. */
  readonly id: string
  /** The token's `tid`. */
  readonly tenant: string
  /** The token's `sid`; empty for service accounts. */
  readonly sessionId: string
  /** What the person let a client do, which the token ends with too: the token's `gid`. Not there for tokens of our own sign-in. */
  readonly grantId?: string
  /** The token's `jti`: a single token can be revoked. Not there for API keys. */
  readonly tokenId?: string
  /** How often the session was raised before the token was made: the token's `gen`. */
  readonly generation: number
  /** How strongly the person proved who they are (`gatehouse.options.v1.Strength`): the token's `acr`; 0 for service accounts. */
  readonly strength: number
  /** When the person proved it: the token's `auth_time`, in milliseconds since 1970; 0 for service accounts. */
  readonly authTime: number
  /** The sign-in left out a second factor that the person has, because of a trusted device: `dev` in the token's `amr`. */
  readonly onTrustedDevice?: boolean
  /** The token's `client_id`. */
  readonly clientId: string
  /** Permissions that the token claims; they decide while nobody knows better (see AccessDirectory). */
  readonly permissions: ReadonlySet<string>
  /** When what the token claims was read: milliseconds since 1970. */
  readonly permissionsTime?: number
  /** Where it is there, nothing but these permissions can be used, whatever is bound. */
  readonly scopes?: ReadonlySet<string>
  /** When the token ends: milliseconds since 1970. */
  readonly expireTime: number
  /** The API key that a service account called with; not there for tokens. */
  readonly apiKey?: ApiKeyUse
}

/** What a call by an API key is bound to. */
export interface ApiKeyUse {
  readonly id: string
  /** What the key may do at most; `permissions` are what of it the account's roles give. Whoever decides by roles of their own has to stay within them. */
  readonly scopes: ReadonlySet<string>
  /** How often the key may call. */
  readonly limit?: { readonly count: number; readonly windowSeconds: number }
}

/** Who calls: nobody, a person, a workload, or a workload that acts for a person. */
export interface Caller {
  readonly person?: Person
  /** Name of the workload, such as `notification`. */
  readonly workload?: string
}
