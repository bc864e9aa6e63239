import { hash as digest, randomBytes, timingSafeEqual } from 'node:crypto'
import type { SecretHash } from '../oidc-parts.ts'

/** Lets a scanner of secrets, and a person, recognise one that got into a wrong place. */
const prefix = 'gos_'

/** A fresh secret of 256 random bits, and what is kept of it. */
export function newClientSecret(): { readonly secret: string; readonly hash: Uint8Array; readonly hint: string } {
  const secret = prefix + randomBytes(32).toString('base64url')
  return { secret, hash: hashOf(secret), hint: secret.slice(-4) }
}

/** Whether it is one of the living ones. All of them are compared, whichever fits. */
export function secretFits(now: number, secrets: readonly SecretHash[], presented: string): boolean {
  const hash = hashOf(presented)
  let fits = false
  for (const { hash: kept, expire } of secrets) {
    const bytes = Buffer.from(kept, 'base64url')
    const isEqual = bytes.length === hash.length && timingSafeEqual(bytes, hash)
    fits ||= isEqual && (expire === null || expire > now)
  }
  return fits
}

function hashOf(secret: string): Buffer {
  return digest('sha256', secret, 'buffer')
}
