import type { Person } from './caller.ts'
import type { IssuerDirectory } from './issuers.ts'
import { type Claims, createSignedTokens } from './signed-tokens.ts'
import { TokenInvalid } from './token-invalid.ts'

/** Options of {@link createTokenInspector}. */
export interface TokenInspectorOptions {
  issuers: IssuerDirectory
  /** Milliseconds since 1970; `Date.now` unless given. */
  now?: () => number
  /** How many verified tokens are remembered; 5,000 unless given. */
  remembered?: number
}

/** A token of whatever audience, for whoever answers what it is. */
export interface InspectedToken {
  readonly person: Person
  readonly audience: string
  readonly scope: readonly string[]
  /** SHA-256 thumbprint of the key that whoever presents it has to prove (RFC 9449); undefined of a bearer token. */
  readonly keyThumbprint: string | undefined
  readonly claims: Claims
}

/** Verifies tokens that are for others, and those that are bound to a key. Never to let somebody in: what it answers says nothing of who presents it, or of what ended. */
export interface TokenInspector {
  /**
   * @throws {@link TokenInvalid} when the token is not one of ours, or its time is over.
   * @throws {@link VerificationUnavailable} when no key was ever seen, or an unknown one cannot be asked for.
   */
  inspect(token: string): Promise<InspectedToken>
  /** What {@link inspect} would answer without a wait; undefined tells nothing. */
  known(token: string): InspectedToken | undefined
}

/** An inspector of our own issuers' access tokens. Whether sessions and grants go on is for the caller to ask. */
export function createTokenInspector(options: TokenInspectorOptions): TokenInspector {
  const { issuers, now = Date.now, remembered = 5_000 } = options
  const tokens = createSignedTokens({ issuers, now, remembered }, (claims, person) => ({
    person,
    audience: String(claims.aud),
    scope: typeof claims.scope === 'string' && claims.scope !== '' ? claims.scope.split(' ') : [],
    keyThumbprint: keyThumbprintOf(claims.cnf),
    claims,
  }))
  return { inspect: (token) => tokens.verify(token), known: (token) => tokens.known(token) }
}

function keyThumbprintOf(confirmation: unknown): string | undefined {
  if (confirmation === undefined) return undefined
  const jkt = typeof confirmation === 'object' && confirmation !== null && 'jkt' in confirmation ? confirmation.jkt : undefined
  // Bound in a way that nobody here can check: as good as no token.
  if (typeof jkt !== 'string') throw new TokenInvalid('the token is bound in an unknown way')
  return jkt
}
