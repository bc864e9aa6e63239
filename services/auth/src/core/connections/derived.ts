import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { keyThatFits, type MacKeys } from '@gatehouse/rpc'

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

const randomLength = 24

/** What nobody can guess, and by which key what is derived of it was derived: a verifier that is wrong uses the provider's code up. */
export function newState(challengeKey: Uint8Array): string {
  const random = randomBytes(randomLength)
  return Buffer.concat([random, tagOf(challengeKey, random)]).toString('base64url')
}

/** A state without a tag is one that code made which knew of a single key. */
export function keyOfState(keys: MacKeys, state: string): Uint8Array {
  const bytes = Buffer.from(state, 'base64url')
  const random = bytes.subarray(0, randomLength)
  const fits = (key: Uint8Array) => timingSafeEqual(bytes.subarray(randomLength), tagOf(key, random))
  return (bytes.length === randomLength + tagLength && keyThatFits(keys, fits)) || keys.current
}

const tagLength = 8

function tagOf(challengeKey: Uint8Array, random: Uint8Array): Buffer {
  return createHmac('sha256', challengeKey).update('connection state\0').update(random).digest().subarray(0, tagLength)
}

export const hashOf = (text: string): Uint8Array => createHash('sha256').update(text).digest()
