import { parse as parseUuid } from 'uuid'
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
