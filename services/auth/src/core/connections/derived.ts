import { createHash, createHmac } from 'node:crypto'

/** What a sign-in elsewhere is recognised by: made of its state by a key that is not in the database, so that nothing of it is kept there. */
export interface Derived {
  /** In the ID token. */
  readonly nonce: string
  /** PKCE's (RFC 7636). */
  readonly verifier: string
  readonly challenge: string
}

export function derivedOf(challengeKey: Uint8Array, tenant: string, state: string): Derived {
  const of = (what: string) => createHmac('sha256', challengeKey).update(`connection ${what}\0${tenant}\0${state}`).digest('base64url')
  const verifier = of('verifier')
  return { nonce: of('nonce'), verifier, challenge: createHash('sha256').update(verifier).digest('base64url') }
}

export const hashOf = (text: string): Uint8Array => createHash('sha256').update(text).digest()
