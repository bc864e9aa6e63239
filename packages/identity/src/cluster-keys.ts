import { readFile, stat } from 'node:fs/promises'
import { type CryptoKey, importJWK, type JWK } from 'jose'

/** The public keys of a cluster that issues tokens. */
export interface ClusterKeys {
  /** The key of that name and the one algorithm that it is for; looks again, boundedly, where it is unknown. */
  find(kid: string): Promise<ClusterKey | undefined>
  /** Whether the key is still the one of that name. */
  holds(kid: string, key: ClusterKey): boolean
}

export interface ClusterKey {
  readonly key: CryptoKey
  readonly alg: 'RS256' | 'ES256'
}

/** Where the keys are: a mounted file, or the address that the issuer publishes them at. */
export type KeySource = { readonly file: string } | { readonly url: URL }

const maxBytes = 256 * 1024
const maxKeys = 50
const freshMs = 60_000
const cooldownMs = 1_000

/**
 * Keeps the keys of a cluster. They are read again after a minute, in the background, and when an unknown one comes by, once a second at most. The keys
 * that were known stay while reading fails.
 */
export function clusterKeys(source: KeySource, options: { readonly cooldownMs?: number; readonly freshMs?: number } = {}): ClusterKeys {
  const { cooldownMs: cooldown = cooldownMs, freshMs: fresh = freshMs } = options
  let keys: ReadonlyMap<string, ClusterKey> = new Map()
  let lastLook = Number.NEGATIVE_INFINITY
  let running: Promise<void> | undefined

  function look(): Promise<void> {
    running ??= (async () => {
      lastLook = performance.now()
      try {
        keys = await importKeys(JSON.parse(await textOf(source)) as { keys?: unknown }, keys)
      } catch {
        // Away or half written: what was known is.
      } finally {
        running = undefined
      }
    })()
    return running
  }

  return {
    async find(kid) {
      const age = performance.now() - lastLook
      if (!keys.has(kid) && age >= cooldown) await look()
      else if (!keys.has(kid)) await running
      else if (age >= fresh) void look()
      return keys.get(kid)
    },
    holds: (kid, key) => keys.get(kid) === key,
  }
}

async function textOf(source: KeySource): Promise<string> {
  if ('file' in source) {
    if ((await stat(source.file)).size > maxBytes) throw new Error(`${source.file} is too large`)
    return await readFile(source.file, 'utf8')
  }
  const response = await fetch(source.url, { signal: AbortSignal.timeout(5_000), redirect: 'error' })
  if (!response.ok || response.body === null) throw new Error(`${source.url.href} answered ${response.status}`)
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body) {
    size += chunk.length
    if (size > maxBytes) throw new Error(`${source.url.href} answers too much`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** A key that is the same stays the same object, so that what was verified with it stays good. */
async function importKeys(jwks: { keys?: unknown }, before: ReadonlyMap<string, ClusterKey>): Promise<ReadonlyMap<string, ClusterKey>> {
  const next = new Map<string, ClusterKey & { readonly text: string }>()
  for (const jwk of (Array.isArray(jwks.keys) ? jwks.keys : []).slice(0, maxKeys) as JWK[]) {
    const alg = algorithmOf(jwk)
    if (typeof jwk.kid !== 'string' || alg === undefined) continue
    const text = JSON.stringify(jwk)
    const held = before.get(jwk.kid) as (ClusterKey & { readonly text: string }) | undefined
    if (held?.text === text) next.set(jwk.kid, held)
    else {
      const key = await importJWK({ ...jwk, alg }, alg)
      if (!(key instanceof Uint8Array)) next.set(jwk.kid, { key, alg, text })
    }
  }
  return next
}

/** One key, one algorithm (RFC 8725 section 3.1); private keys and short RSA ones are none. */
function algorithmOf(jwk: JWK): 'RS256' | 'ES256' | undefined {
  if (typeof jwk !== 'object' || jwk === null || jwk.d !== undefined) return undefined
  if (jwk.kty === 'EC' && jwk.crv === 'P-256' && (jwk.alg ?? 'ES256') === 'ES256') return 'ES256'
  const bits = Buffer.from(String(jwk.n ?? ''), 'base64url').length * 8
  return jwk.kty === 'RSA' && bits >= 2048 && (jwk.alg ?? 'RS256') === 'RS256' ? 'RS256' : undefined
}
