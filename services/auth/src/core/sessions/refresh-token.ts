import { createHash, createHmac, type KeyObject, randomBytes } from 'node:crypto'

/** Lets a scanner of secrets, and a person, recognise one that got into a wrong place. */
const prefix = 'ghr_'

/** A fresh refresh token of 256 random bits. */
export function newRefreshToken(): string {
  return prefix + randomBytes(32).toString('base64url')
}

/** What the store knows of a refresh token. */
export function hashRefreshToken(token: string): Uint8Array {
  return createHash('sha256').update(token).digest()
}

/** The token that follows: always the same one, so that a repeat needs no stored secret. */
export function successorOf(token: string, key: KeyObject): string {
  return prefix + createHmac('sha256', key).update(token).digest('base64url')
}
