import type { IssuerDirectory, TokenInspector } from '@gatehouse/identity'
import type { LimitStore, MacKeys } from '@gatehouse/rpc'
import type { Logger } from '@gatehouse/telemetry'
import type { Egress } from '../core/egress/egress.ts'
import type { KeyRing } from '../core/keys/key-ring.ts'
import type { PrivateJwk } from '../core/keys/open-keys.ts'
import type { LookAtToken } from '../core/oidc/introspect-token.ts'
import type { OidcActs } from '../core/oidc/oidc-parts.ts'
import type { OidcPages } from './oidc-pages.ts'

/** How long grants that outlive their session live. */
export interface OfflineLifetimes {
  /** At the longest, whatever is done with them. */
  readonly absoluteSeconds: number
  /** Of a refresh token that nobody uses. */
  readonly idleSeconds: number
}

/** What the OpenID Connect door is made of. */
export interface OidcDeps {
  readonly acts: OidcActs
  readonly keys: Pick<KeyRing, 'oidcKeys' | 'publicKeys'>
  readonly issuers: IssuerDirectory
  readonly look: LookAtToken
  readonly inspector: TokenInspector
  readonly limits: LimitStore
  /** How it calls what clients named. */
  readonly egress: Egress
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
  /** Milliseconds since 1970, by the clock by which sign-ins are dated. */
  readonly now: () => number
  readonly pages: OidcPages
  readonly offline: OfflineLifetimes
  /** Derives what all replicas must agree on and no database holds. */
  readonly challengeKeys: MacKeys
  /** Cookies of other doors that go when somebody signs out here. */
  readonly cookiesOfSession: readonly string[]
  /** Lets clients that are registered for the conformance suite leave PKCE out. Never in production. */
  readonly conformance: boolean
  /** Lets programs register themselves that show a token of ours. */
  readonly registration: boolean
}

/** What one provider is made of: those of its tenant. */
export interface ProviderParts extends OidcDeps {
  readonly tenant: string
  readonly issuer: string
  /** Private keys as JWKs, of each algorithm the one that signs first. */
  readonly jwks: readonly PrivateJwk[]
}
