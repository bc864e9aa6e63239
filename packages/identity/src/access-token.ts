import type { Person } from './caller.ts'
import type { IssuerDirectory } from './issuers.ts'
import type { RevocationList } from './revocations.ts'
import { createSignedTokens } from './signed-tokens.ts'
import { TokenInvalid } from './token-invalid.ts'

/** Options of {@link createAccessTokenVerifier}. */
export interface AccessTokenVerifierOptions {
  /** The `aud` that tokens must have, exactly: `gatehouse` for our services. */
  audience: string
  issuers: IssuerDirectory
  /** Sessions, grants and single tokens that ended; without it a token lives as long as it says, ten minutes at most. */
  revocations?: Pick<RevocationList, 'isRevoked' | 'onChange'>
  /** Milliseconds since 1970; `Date.now` unless given. */
  now?: () => number
  /** How many verified tokens are remembered; 5,000 unless given. */
  remembered?: number
}

/** Verifies access tokens: JWTs of RFC 9068 by the rules of RFC 8725. */
export interface AccessTokenVerifier {
  /**
   * @throws {@link TokenInvalid} when the token is not good.
   * @throws {@link VerificationUnavailable} when no key was ever seen, or an unknown one cannot be asked for.
   */
  verify(token: string): Promise<Person>
  /** What {@link verify} would answer without a wait: the person of a token that was verified and is still good; undefined tells nothing. */
  known?(token: string): Person | undefined
  /** Calls back when the person's session or grant has ended, or the session was raised: their token is to be verified again. Answers how to stop that. */
  onChange?(person: Person, changed: () => void): () => void
}

/** A verifier of access tokens for one audience. */
export function createAccessTokenVerifier(options: AccessTokenVerifierOptions): AccessTokenVerifier {
  const { audience, issuers, revocations, now = Date.now, remembered = 5_000 } = options
  const tokens = createSignedTokens({ issuers, now, remembered }, (claims, person) => {
    if (claims.aud !== audience) throw new TokenInvalid('the audience is another')
    // Bound to a key whose proof nobody here has checked (RFC 7800): without it, whoever found the token would be the person.
    if (claims.cnf !== undefined) throw new TokenInvalid('the token is bound to a key')
    return person
  })

  return {
    known(token) {
      const person = tokens.known(token)
      return person !== undefined && revocations !== undefined && isRevoked(person, revocations) ? undefined : person
    },
    async verify(token) {
      const person = await tokens.verify(token)
      if (revocations !== undefined && isRevoked(person, revocations)) throw new TokenInvalid('the session, grant or token has ended')
      return person
    },
    onChange(person, changed) {
      if (revocations === undefined) return () => {}
      const stops = endersOf(person).map((id) => revocations.onChange(id, changed))
      return () => {
        for (const stop of stops) stop()
      }
    },
  }
}

/** By the session and not by the text: a token has more spellings than one (the other `s` of its signature), its session has one. */
export function isRevoked(
  { sessionId, generation, grantId, tokenId }: Pick<Person, 'sessionId' | 'generation' | 'grantId' | 'tokenId'>,
  revocations: Pick<RevocationList, 'isRevoked'>,
): boolean {
  return (
    (sessionId !== '' && revocations.isRevoked(sessionId, generation)) ||
    (grantId !== undefined && grantId !== sessionId && revocations.isRevoked(grantId)) ||
    (tokenId !== undefined && revocations.isRevoked(tokenId))
  )
}

/** What a person's token ends with: the session, the grant, itself. */
function endersOf({ sessionId, grantId, tokenId }: Person): string[] {
  return [...new Set([sessionId, grantId, tokenId])].filter((id) => id !== undefined && id !== '') as string[]
}
