import { setTimeout as delay } from 'node:timers/promises'
import type { CryptoKey } from 'jose'
import { createKeyReader, type SkippedKey } from './signing-keys.ts'

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
  /**
   * Looks again because something unknown came by, and waits for a look that begins after that. Calls are merged, and at most one look is taken in a second; while
   * looking fails, or too many wait, it does not wait. Never rejects.
   */
  lookAgain(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Options of {@link followIssuers}. */
export interface FollowIssuersOptions {
  /** Milliseconds between two looks; 30 s unless given. */
  intervalMs?: number
  /** Shortest time between two looks that strangers can cause; 1 s unless given. */
  cooldownMs?: number
  /** The most calls that wait for the next look; whoever comes then is answered by what is known. 1,000 unless given. */
  maxWaiting?: number
  /** The most tenants that are kept; an answer with more is refused as a whole. 100,000 unless given. */
  maxIssuers?: number
  /** Told when looking begins to fail and when it works again, not each time. */
  onChange?: (error: unknown) => void
  /** Told once of each key that is passed over: tokens that it signed are refused. */
  onSkippedKey?: (key: SkippedKey) => void
}

/**
 * Keeps a directory of issuers fresh by asking `load` again and again. The last answer is kept while asking fails, so that tokens verify
 * while auth is away. The first look is taken at once and repeated until it succeeds.
 */
export function followIssuers(
  load: (signal: AbortSignal) => Promise<readonly IssuerRecord[]>,
  options: FollowIssuersOptions = {},
): IssuerDirectory {
  const { intervalMs = 30_000, cooldownMs = 1_000, maxWaiting = 1_000, maxIssuers = 100_000, onChange, onSkippedKey } = options
  const stop = new AbortController()
  const keys = createKeyReader(onSkippedKey)
  let issuers = new Map<string, TrustedIssuer>()
  let hosts = new Map<string, string>()
  let known = false
  let failing = false
  let running: Promise<void> | undefined
  let lastLook = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined
  let next: Promise<void> | undefined
  let waiting = 0

  async function look(): Promise<void> {
    lastLook = performance.now()
    try {
      const records = await load(stop.signal)
      if (records.length > maxIssuers) throw new Error(`${records.length} issuers are more than are kept`)
      const read = await keys.readAll(records)
      issuers = new Map(
        records.map(({ tenant, origin }) => [
          tenant,
          { tenant, origin, issuer: `${origin}/oidc`, keys: read.get(tenant) ?? new Map<string, CryptoKey>() },
        ]),
      )
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

  /** A look that has not begun: what was made before it was asked for is in its answer. */
  function nextLook(): Promise<void> {
    next ??= delay(Math.max(0, lastLook + cooldownMs - performance.now()), undefined, { signal: stop.signal })
      .then(() => running)
      .then(() => {
        next = undefined
        return lookNow()
      })
      .catch(() => {})
    return next
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
      if (!running && performance.now() - lastLook >= cooldownMs) return lookNow()
      // Nothing is known before the first look has ended.
      if (!known) return running
      // Auth is away: what is new cannot be told from what is made up, and the caller says so at once.
      if (failing || waiting >= maxWaiting) return
      waiting++
      await nextLook()
      waiting--
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      clearTimeout(timer)
      await first
      await running
    },
  }
}
