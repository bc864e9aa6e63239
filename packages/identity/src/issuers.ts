import { type CryptoKey, importJWK, type JWK } from 'jose'

/** A tenant as a verifier sees it; the shape of `gatehouse.auth.v1.Issuer`. */
export interface IssuerRecord {
  readonly tenant: string
  readonly origin: string
  readonly hosts: readonly string[]
  /** Public keys, each a JWK as JSON. */
  readonly jwks: readonly string[]
}

/** A tenant whose tokens can be verified. */
export interface TrustedIssuer {
  readonly tenant: string
  readonly origin: string
  /** The `iss` of its tokens. */
  readonly issuer: string
  /** Public ES256 keys by their `kid`. */
  readonly keys: ReadonlyMap<string, CryptoKey>
}

/** Whom we trust, as far as we know at this moment. */
export interface IssuerDirectory {
  issuer(tenant: string): TrustedIssuer | undefined
  /** The tenant that a `Host` header names; letter case does not matter. */
  tenantOfHost(host: string): string | undefined
  /** Whether the directory was ever filled. */
  readonly known: boolean
  /** Whether the last look failed: what the directory does not have may be new. */
  readonly failing: boolean
  /** Looks again because something unknown came by. Calls are merged, and at most one look is taken in a second. Never rejects. */
  lookAgain(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Options of {@link followIssuers}. */
export interface FollowIssuersOptions {
  /** Milliseconds between two looks; 30 s unless given. */
  intervalMs?: number
  /** Shortest time between two looks that strangers can cause; 1 s unless given. */
  cooldownMs?: number
  /** Told when looking begins to fail and when it works again, not each time. */
  onChange?: (error: unknown) => void
}

/**
 * Keeps a directory of issuers fresh by asking `load` again and again. The last answer is kept while asking fails, so that tokens verify
 * while auth is away. The first look is taken at once and repeated until it succeeds.
 */
export function followIssuers(
  load: (signal: AbortSignal) => Promise<readonly IssuerRecord[]>,
  options: FollowIssuersOptions = {},
): IssuerDirectory {
  const { intervalMs = 30_000, cooldownMs = 1_000, onChange } = options
  const stop = new AbortController()
  let issuers = new Map<string, TrustedIssuer>()
  let hosts = new Map<string, string>()
  let known = false
  let failing = false
  let running: Promise<void> | undefined
  let lastLook = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined

  async function look(): Promise<void> {
    lastLook = performance.now()
    try {
      const records = await load(stop.signal)
      const next = await Promise.all(records.map(trust))
      issuers = new Map(next.map((each) => [each.tenant, each]))
      hosts = new Map(records.flatMap((record) => record.hosts.map((host) => [host.toLowerCase(), record.tenant] as const)))
      known = true
      if (failing) onChange?.(undefined)
      failing = false
    } catch (error) {
      if (stop.signal.aborted) return
      if (!failing) onChange?.(error)
      failing = true
    }
  }

  function lookNow(): Promise<void> {
    running ??= look().finally(() => {
      running = undefined
      clearTimeout(timer)
      if (!stop.signal.aborted) timer = setTimeout(lookNow, known ? intervalMs : 250).unref()
    })
    return running
  }

  const first = lookNow()
  return {
    issuer: (tenant) => issuers.get(tenant),
    tenantOfHost: (host) => hosts.get(host.toLowerCase()),
    get known() {
      return known
    },
    get failing() {
      return failing
    },
    lookAgain: async () => {
      if (stop.signal.aborted) return
      if (running) return running
      if (performance.now() - lastLook >= cooldownMs) return lookNow()
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      clearTimeout(timer)
      await first
      await running
    },
  }
}

async function trust(record: IssuerRecord): Promise<TrustedIssuer> {
  const keys = new Map<string, CryptoKey>()
  for (const text of record.jwks) {
    const jwk = JSON.parse(text) as JWK
    // One key, one algorithm (RFC 8725 section 3.1); whatever else stands in the set is not for access tokens.
    if (jwk.kid === undefined || jwk.kty !== 'EC' || jwk.crv !== 'P-256' || jwk.d !== undefined) continue
    const key = await importJWK({ ...jwk, alg: 'ES256' }, 'ES256')
    if (!(key instanceof Uint8Array)) keys.set(jwk.kid, key)
  }
  return { tenant: record.tenant, origin: record.origin, issuer: `${record.origin}/oidc`, keys }
}

/**
 * Loader for programs outside the house: the public keys of one tenant from `<origin>/.well-known/jwks.json`.
 * @param origin Where the tenant's pages live, such as `https://id.example.com`; its tokens have `<origin>/oidc` as `iss`.
 */
export function jwksOfOrigin(origin: string, tenant = 'default'): (signal: AbortSignal) => Promise<readonly IssuerRecord[]> {
  const url = new URL('/.well-known/jwks.json', origin)
  return async (signal) => {
    const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]), redirect: 'error' })
    if (!response.ok) throw new Error(`${url.href} answered ${response.status}`)
    const body = (await response.json()) as { keys?: readonly JWK[] }
    return [{ tenant, origin: url.origin, hosts: [url.host], jwks: (body.keys ?? []).map((key) => JSON.stringify(key)) }]
  }
}
