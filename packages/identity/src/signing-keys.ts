import { type CryptoKey, importJWK, type JWK } from 'jose'
import type { IssuerRecord } from './issuers.ts'

/** A published key that verifies nothing here. */
export interface SkippedKey {
  readonly tenant: string
  /** Its `kid`, or its place in the list where it has none. */
  readonly kid: string
  readonly why: string
}

/** Reads the published keys of issuers, again and again. */
export interface KeyReader {
  /** Keys by `kid` for each tenant. One that is not an ES256 key is passed over and told, and takes nothing from the others. */
  readAll(records: readonly IssuerRecord[]): Promise<ReadonlyMap<string, ReadonlyMap<string, CryptoKey>>>
}

type Read = { readonly kid: string; readonly key: CryptoKey } | { readonly kid: string; readonly why: string }

/** A tenant has one that signs, one that comes, and those of which tokens may be alive. */
const mostKeys = 32
const longestKey = 4_096
/** Whoever publishes ever new nonsense is not told of for ever. */
const mostTold = 1_000

/** A reader that imports a key once, however often it is read; `onSkipped` is told once of each that is passed over. */
export function createKeyReader(onSkipped?: (key: SkippedKey) => void): KeyReader {
  let before = new Map<string, Read>()
  const told = new Set<string>()

  function skip(tenant: string, kid: string, why: string): void {
    const name = JSON.stringify([tenant, kid, why])
    if (told.has(name) || told.size >= mostTold) return
    told.add(name)
    onSkipped?.({ tenant, kid, why })
  }

  return {
    async readAll(records) {
      const now: typeof before = new Map()
      const all = new Map<string, Map<string, CryptoKey>>()
      for (const { tenant, jwks } of records) {
        const keys = new Map<string, CryptoKey>()
        all.set(tenant, keys)
        if (jwks.length > mostKeys) skip(tenant, `#${mostKeys}`, `a tenant has ${mostKeys} keys at most`)
        for (const [at, text] of jwks.slice(0, mostKeys).entries()) {
          const read = now.get(text) ?? before.get(text) ?? (await readKey(text, `#${at}`))
          if (text.length <= longestKey) now.set(text, read)
          if ('why' in read) skip(tenant, read.kid, read.why)
          // Which of two keys of one name is meant is nobody's to guess.
          else if (keys.has(read.kid)) skip(tenant, read.kid, 'another key has this kid')
          else keys.set(read.kid, read.key)
        }
      }
      before = now
      return all
    },
  }
}

async function readKey(text: string, place: string): Promise<Read> {
  if (text.length > longestKey) return { kid: place, why: 'the key is too long' }
  let jwk: JWK
  try {
    jwk = JSON.parse(text) as JWK
  } catch {
    return { kid: place, why: 'the key is no JSON' }
  }
  if (typeof jwk?.kid !== 'string' || jwk.kid === '' || jwk.kid.length > 128) return { kid: place, why: 'the key has no kid' }
  const { kid } = jwk
  // One key, one algorithm, one use (RFC 8725 section 3.1); whatever else stands in the set is not for access tokens.
  if (jwk.kty !== 'EC' || jwk.crv !== 'P-256') return { kid, why: 'the key is not on P-256' }
  if (jwk.alg !== undefined && jwk.alg !== 'ES256') return { kid, why: 'the key is for another algorithm' }
  if (jwk.use !== undefined && jwk.use !== 'sig') return { kid, why: 'the key is for another use' }
  if (jwk.d !== undefined) return { kid, why: 'the key is private' }
  try {
    // Its point has to be on the curve.
    const key = await importJWK({ kty: 'EC', crv: 'P-256', x: jwk.x, y: jwk.y } as JWK, 'ES256')
    return key instanceof Uint8Array ? { kid, why: 'the key is symmetric' } : { kid, key }
  } catch {
    return { kid, why: 'the key cannot be read' }
  }
}
