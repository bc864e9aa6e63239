import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { keyThatFits } from '@gatehouse/rpc'
import type { Deps } from '../../deps.ts'

/** What the store knows of a token, a code or a cookie of 256 random bits. */
export function recordHash(id: string): Uint8Array {
  return createHash('sha256').update(id).digest()
}

/** A user code has 34 bits: under a plain hash it would be read out of a dump within a minute. */
export function userCodeHash(key: Uint8Array, tenant: string, userCode: string): Uint8Array {
  return createHmac('sha256', key).update(`oidc user code\0${tenant}\0${userCode}`).digest()
}

const prefix = 'ghref_'
const hashBytes = 32
const tagBytes = 16

/**
 * A handle of a record whose id nobody has any more: one that was found by its user code, or is named by another record. Nobody makes one without our key; whoever reads it in the database can show it, so
 * it is taken from the library alone.
 */
export function recordRef(deps: Pick<Deps, 'challengeKeys'>, tenant: string, hash: Uint8Array): string {
  return prefix + Buffer.concat([hash, tagOf(deps.challengeKeys.current, tenant, hash)]).toString('base64url')
}

/** The hash that a handle names; undefined of whatever is none. */
export function hashInRef(deps: Pick<Deps, 'challengeKeys'>, tenant: string, ref: string): Uint8Array | undefined {
  if (!ref.startsWith(prefix)) return undefined
  const bytes = Buffer.from(ref.slice(prefix.length), 'base64url')
  if (bytes.length !== hashBytes + tagBytes) return undefined
  const hash = bytes.subarray(0, hashBytes)
  const fits = (key: Uint8Array) => timingSafeEqual(bytes.subarray(hashBytes), tagOf(key, tenant, hash))
  return keyThatFits(deps.challengeKeys, fits) && hash
}

/** By which key a record is kept, of its id or of a handle. */
export function keyOfRecord(deps: Pick<Deps, 'challengeKeys'>, tenant: string, idOrRef: string): Uint8Array {
  return hashInRef(deps, tenant, idOrRef) ?? recordHash(idOrRef)
}

function tagOf(key: Uint8Array, tenant: string, hash: Uint8Array): Buffer {
  return createHmac('sha256', key).update(`oidc ref\0${tenant}\0`).update(hash).digest().subarray(0, tagBytes)
}
