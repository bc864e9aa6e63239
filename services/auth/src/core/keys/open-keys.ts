import { createSecretKey, type KeyObject } from 'node:crypto'
import { type CryptoKey, importJWK, type JWK } from 'jose'
import type { RefreshKeyRow } from '../../store/refresh-keys.ts'
import { type KeyAlg, keyAlgs, type SigningKeyRow, type SigningKeys } from '../../store/signing-keys.ts'
import { placeOfRefreshKey, placeOfSigningKey } from './make-keys.ts'
import { ClosedKey } from './sealed-box.ts'

/** A private key as a JWK (RFC 7517). */
export type PrivateJwk = Readonly<Record<string, string>> & { readonly kid: string }

/** A signing key whose private half is at hand. */
export interface OpenedSigningKey {
  readonly kid: string
  readonly key: CryptoKey
  /** The private key as OpenID Connect's library wants it, which signs with keys of its own. */
  readonly jwk: PrivateJwk
  /** Milliseconds since 1970. */
  readonly signTime: number
}

/** What derives the successors of refresh tokens. */
export interface RefreshKey {
  readonly version: number
  readonly secret: KeyObject
}

/** What is left of a key whose box nobody here opens. */
export interface ShutKey {
  readonly place: string
  /** Of a signing key. */
  readonly alg?: KeyAlg
  /** Of a refresh key. */
  readonly version?: number
  readonly problem: ClosedKey
}

/** Keys that are there, and those that are not. Both in the order in which they were made. */
export interface OpenedKeys {
  readonly signing: SigningKeys<OpenedSigningKey>
  readonly refresh: readonly RefreshKey[]
  readonly shutSigning: readonly ShutKey[]
  readonly shutRefresh: readonly ShutKey[]
}

export type SealedSigningKey = Pick<SigningKeyRow, 'kid' | 'alg' | 'sign_time' | 'public_jwk' | 'private_key'>

export interface SealedKeys {
  readonly signing: SigningKeys<SealedSigningKey>
  readonly refresh: readonly Pick<RefreshKeyRow, 'version' | 'secret'>[]
}

type Unseal = (box: Uint8Array, place: string) => Uint8Array

/** Opens each box by itself: one that stays shut takes nothing from the others. */
export async function openKeys(rows: SealedKeys, tenant: string, unseal: Unseal): Promise<OpenedKeys> {
  const signing: Record<KeyAlg, OpenedSigningKey[]> = { ES256: [], RS256: [] }
  const shutSigning: ShutKey[] = []
  for (const row of keyAlgs.flatMap((alg) => rows.signing[alg])) {
    const place = placeOfSigningKey(tenant, row.kid, row.alg)
    try {
      signing[row.alg].push({ kid: row.kid, ...(await openSigningKey(row, place, unseal)), signTime: row.sign_time.getTime() })
    } catch (error) {
      shutSigning.push({ place, alg: row.alg, problem: problemOf(error) })
    }
  }
  const refresh: RefreshKey[] = []
  const shutRefresh: ShutKey[] = []
  for (const { version, secret } of rows.refresh) {
    const place = placeOfRefreshKey(tenant, version)
    try {
      // An HMAC with a key that Node has seen takes a sixth of one with bytes.
      refresh.push({ version, secret: createSecretKey(unseal(secret, place)) })
    } catch (error) {
      shutRefresh.push({ place, version, problem: problemOf(error) })
    }
  }
  return { signing, refresh, shutSigning, shutRefresh }
}

/** Members of a JWK (RFC 7518 section 6): of the public half, and of the private one. */
const members = {
  ES256: { open: ['kty', 'crv', 'x', 'y'], secret: ['d'] },
  RS256: { open: ['kty', 'n', 'e'], secret: ['d', 'p', 'q', 'dp', 'dq', 'qi'] },
} as const

async function openSigningKey(
  { kid, alg, public_jwk: published, private_key: box }: SealedSigningKey,
  place: string,
  unseal: Unseal,
): Promise<Pick<OpenedSigningKey, 'key' | 'jwk'>> {
  const bytes = unseal(box, place)
  try {
    const jwk = JSON.parse(Buffer.from(bytes).toString()) as JWK
    const { open, secret } = members[alg]
    // A token that is signed with another key than the published one would be refused everywhere.
    if (open.every((name) => jwk[name] === published[name])) {
      const parts = Object.fromEntries([...open, ...secret].map((name) => [name, String(jwk[name])]))
      return { key: (await importJWK(jwk, alg)) as CryptoKey, jwk: { ...parts, kid, alg, use: 'sig' } }
    }
  } catch {
    // What the parser says quotes what it read, which is the key.
  }
  throw new ClosedKey(`the ${place} is not the one whose public half is published`)
}

// Whatever else is thrown is a fault of ours, and not the key's.
function problemOf(error: unknown): ClosedKey {
  if (error instanceof ClosedKey) return error
  throw error
}
