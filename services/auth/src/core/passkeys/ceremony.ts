import { decodeClientDataJSON } from '@simplewebauthn/server/helpers'
import { parse as parseUuid } from 'uuid'
import { PasskeyProblem, withProblems } from './passkey-problem.ts'
import type { RelyingParty } from './relying-party.ts'

/** What a browser was asked. */
export interface Ceremony {
  readonly relyingParty: RelyingParty
  readonly challenge: Uint8Array
}

/** What a passkey shows (RFC 8176): possession of a key, by a person whom their device knows. */
export const passkeyMethods: readonly string[] = ['pop', 'user']

/** How long the browser should let a person take. */
export const patienceMs = 5 * 60_000

export const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')

/**
 * The user handle of a person: the bytes of their id. It says nothing about them, never changes, and makes an authenticator keep one passkey for each
 * person and not one for each registration.
 */
export function userHandleOf(userId: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(parseUuid(userId))
}

/**
 * Refuses what was made in a frame of another site (WebAuthn Level 3, 7.1 steps 10–11 and 7.2 steps 13–14). The library lets a frame pass in a
 * registration, and where the browser does not tell whose it is.
 */
export async function madeOnOwnPage(clientDataJSON: string): Promise<void> {
  const { crossOrigin, topOrigin } = await withProblems(() => {
    const { crossOrigin, topOrigin } = decodeClientDataJSON(clientDataJSON)
    return { crossOrigin, topOrigin }
  })
  if (crossOrigin !== undefined && crossOrigin !== false) throw new PasskeyProblem('it was made in a frame of another origin')
  if (topOrigin !== undefined) throw new PasskeyProblem('it was made below another page')
}
