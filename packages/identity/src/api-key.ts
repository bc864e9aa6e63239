import { hash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { base62Length, readBase62, writeBase62, writeNumber } from './base62.ts'

/**
 * An API key is `gh_live_<id>_<secret><checksum>`: a prefix by which scanners of repositories and logs find it, the id of the key, 256 random bits, and
 * the CRC-32 of all that stands before it, all in base62. The checksum keeps nobody out: it lets a scanner tell a key from what looks like one, and us
 * answer what was mistyped without asking anybody. CRC-32 sees every change within 32 bits, so every single letter.
 */
export const apiKeyPrefix = 'gh_live_'

/** What a scanner looks for. The last six letters are the checksum of what stands before them. */
export const apiKeyPattern = /gh_live_[0-9A-Za-z]{22}_[0-9A-Za-z]{49}/

const idLength = base62Length(16)
const secretBytes = 32
const secretLength = base62Length(secretBytes)
const checksumLength = base62Length(4)
const secretStart = apiKeyPrefix.length + idLength + 1
const checksumStart = secretStart + secretLength
const length = checksumStart + checksumLength

/** A key, and what of it may be kept. */
export interface NewApiKey {
  /** To be shown once. */
  readonly key: string
  readonly hash: Uint8Array
}

/** Makes the key with this id, a UUID. */
export function createApiKey(id: string): NewApiKey {
  const said = `${apiKeyPrefix}${writeBase62(Buffer.from(id.replaceAll('-', ''), 'hex'))}_${writeBase62(randomBytes(secretBytes))}`
  const key = said + checksumOf(said)
  return { key, hash: hash('sha256', key, 'buffer') }
}

/** Whether the text says to be an API key, good or not. */
export function isApiKey(text: string): boolean {
  return text.startsWith(apiKeyPrefix)
}

/**
 * The name under which a verifier remembers a key: its SHA-256, in base64url. Asks nobody; undefined where the form or the checksum is wrong.
 */
export function nameOfApiKey(key: string): string | undefined {
  if (key.length !== length || !isApiKey(key) || key[secretStart - 1] !== '_') return undefined
  if (checksumOf(key.slice(0, checksumStart)) !== key.slice(checksumStart)) return undefined
  return hash('sha256', key, 'base64url')
}

/** Whether a key is whole, as far as its own checksum tells. */
export function isWellFormedApiKey(key: string): boolean {
  return nameOfApiKey(key) !== undefined
}

/** The id that stands in a key, a UUID; undefined where none does. */
export function idOfApiKey(key: string): string | undefined {
  const id = readBase62(key.slice(apiKeyPrefix.length, secretStart - 1), 16)
  if (id === undefined) return undefined
  const hex = Buffer.from(id).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

function checksumOf(said: string): string {
  return writeNumber(crc32(said), checksumLength)
}
