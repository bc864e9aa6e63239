import { LRUCache } from 'lru-cache'
import { idOfApiKey, nameOfApiKey } from './api-key.ts'
import type { ApiKeyUse, Person } from './caller.ts'
import { VerificationUnavailable } from './signed-tokens.ts'
import { TokenInvalid } from './token-invalid.ts'

/** What auth says about a key that is good; the shape of `gatehouse.auth.v1.ResolvedApiKey`. */
export interface ResolvedKey {
  readonly tenant: string
  readonly serviceAccountId: string
  readonly serviceAccountName: string
  readonly scopes: readonly string[]
  readonly permissions: readonly string[]
  readonly expireTime?: { readonly seconds: bigint; readonly nanos: number } | undefined
  readonly limit?: { readonly count: number; readonly windowSeconds: number } | undefined
}

/** Options of {@link createApiKeyVerifier}. */
export interface ApiKeyVerifierOptions {
  /** Asks auth; undefined for a key that is not good. To be bounded in time: whoever calls waits for it. */
  resolve(keyId: string, keyHash: Uint8Array): Promise<ResolvedKey | undefined>
  /** Tells which keys changed, and whether it is heard at this moment. */
  readonly changes: KeyChanges
  /** Milliseconds since 1970; `Date.now` unless given. */
  readonly now?: () => number
  /** How many keys are remembered, and as many that are no good; 5,000 unless given. */
  readonly remembered?: number
  /** How many look-ups run at once; 200 unless given. Beyond that a key that is unknown cannot be verified. */
  readonly maxLooks?: number
}

/** Tells of keys that were revoked or changed. */
export interface KeyChanges {
  /** Whether changes are being told at this moment. */
  readonly connected: boolean
  onKeyChanged(listener: (keyId: string) => void): () => void
}

/** Verifies API keys. */
export interface ApiKeyVerifier extends Disposable {
  /**
   * @throws TokenInvalid when the key is not good.
   * @throws VerificationUnavailable when it is unknown and auth cannot be asked.
   */
  verify(key: string): Promise<Person>
  /** What {@link verify} would answer without a wait; undefined tells nothing. */
  known(key: string): Person | undefined
}

/** Asked again after so long, which also tells auth that the key is in use. */
const freshMs = 60_000
/** While nobody tells what changes, what is known is asked for so often. */
const freshUnheardMs = 1_000
/** What was known goes on for so long while auth is away: as long as an access token would live. */
const longestMs = 10 * 60_000
/** After a look-up that failed nobody waits for another one. */
const pauseMs = 1_000

interface Known {
  readonly person: Person
  /** Of the monotonic clock. */
  readonly lookTime: number
}

/** A key whose form is right: the id in it, and its SHA-256. */
interface Read {
  readonly id: string
  readonly hash: string
}

interface Look {
  readonly answer: Promise<Person | undefined>
  /** The key changed while it was looked up: the answer may be of before. */
  changed: boolean
}

/**
 * A verifier of API keys. A checksum that is wrong asks nobody. Keys are remembered by their SHA-256, never by themselves, and forgotten within a second
 * when they change; concurrent looks at one key are one look.
 */
export function createApiKeyVerifier(options: ApiKeyVerifierOptions): ApiKeyVerifier {
  const { resolve, changes, now = Date.now, remembered = 5_000, maxLooks = 200 } = options
  const known = new LRUCache<string, Known>({ max: remembered })
  const bad = new LRUCache<string, number>({ max: remembered })
  const hashesOf = new Map<string, Set<string>>()
  const looks = new Map<string, Look & { readonly keyId: string }>()
  let failedTime = Number.NEGATIVE_INFINITY
  const stop = changes.onKeyChanged((keyId) => {
    for (const hash of hashesOf.get(keyId) ?? []) {
      known.delete(hash)
      bad.delete(hash)
    }
    hashesOf.delete(keyId)
    for (const look of looks.values()) if (look.keyId === keyId) look.changed = true
  })

  const fresh = () => (changes.connected ? freshMs : freshUnheardMs)

  function knownOf(hash: string, longest: number): Person | undefined {
    const held = known.get(hash)
    if (held === undefined || performance.now() - held.lookTime > longest) return undefined
    return held.person
  }

  async function look(read: Read): Promise<Person | undefined> {
    const running = looks.get(read.hash)
    if (running) return running.answer
    if (looks.size >= maxLooks || performance.now() - failedTime < pauseMs) throw new VerificationUnavailable()
    const state = { changed: false }
    const mine = Object.assign(state, { keyId: read.id, answer: ask(read, () => state.changed) })
    looks.set(read.hash, mine)
    try {
      return await mine.answer
    } finally {
      looks.delete(read.hash)
    }
  }

  async function ask(read: Read, changed: () => boolean): Promise<Person | undefined> {
    const lookTime = performance.now()
    try {
      // Told of a change meanwhile: the answer may be older than the change, so it is asked once more and not kept.
      const first = await resolve(read.id, Buffer.from(read.hash, 'base64url'))
      const answer = changed() ? await resolve(read.id, Buffer.from(read.hash, 'base64url')) : first
      const person = answer && personOf(read.id, answer)
      if (!changed()) remember(read, person, lookTime)
      return person
    } catch {
      failedTime = performance.now()
      throw new VerificationUnavailable()
    }
  }

  function remember({ id, hash }: Read, person: Person | undefined, lookTime: number): void {
    if (person) known.set(hash, { person, lookTime })
    else {
      known.delete(hash)
      bad.set(hash, lookTime)
    }
    if (hashesOf.size > 4 * remembered) forgetUnused()
    const hashes = hashesOf.get(id) ?? new Set()
    // Wrong secrets beside one id are anybody's to make up.
    if (hashes.size >= 100) for (const old of hashes) if (!known.has(old)) hashes.delete(old)
    hashesOf.set(id, hashes.add(hash))
  }

  function forgetUnused(): void {
    for (const [id, hashes] of hashesOf) {
      for (const hash of hashes) if (!known.has(hash) && !bad.has(hash)) hashes.delete(hash)
      if (hashes.size === 0) hashesOf.delete(id)
    }
  }

  function good(person: Person | undefined): Person {
    if (person === undefined) throw new TokenInvalid('the API key is not good')
    if (person.expireTime <= now()) throw new TokenInvalid('the API key has ended')
    return person
  }

  return {
    known(key) {
      const hash = nameOfApiKey(key)
      const person = hash === undefined ? undefined : knownOf(hash, fresh())
      return person && person.expireTime > now() ? person : undefined
    },
    async verify(key) {
      const hash = nameOfApiKey(key)
      if (hash === undefined) throw new TokenInvalid('no API key of ours')
      const held = knownOf(hash, fresh())
      if (held) return good(held)
      const badTime = bad.get(hash)
      if (badTime !== undefined && performance.now() - badTime < fresh()) throw new TokenInvalid('the API key is not good')
      const id = idOfApiKey(key)
      if (id === undefined) throw new TokenInvalid('no API key of ours')
      try {
        return good(await look({ id, hash }))
      } catch (error) {
        const before = error instanceof VerificationUnavailable ? knownOf(hash, longestMs) : undefined
        if (before) return good(before)
        throw error
      }
    },
    [Symbol.dispose]: stop,
  }
}

function personOf(keyId: string, resolved: ResolvedKey): Person {
  const { tenant, serviceAccountId, serviceAccountName, scopes, permissions, expireTime, limit } = resolved
  const apiKey: ApiKeyUse = { id: keyId, scopes: new Set(scopes), ...(limit && { limit }) }
  return {
    kind: 'service_account',
    id: serviceAccountId,
    tenant,
    sessionId: '',
    generation: 0,
    strength: 0,
    authTime: 0,
    clientId: serviceAccountName,
    permissions: new Set(permissions),
    scopes: apiKey.scopes,
    expireTime: expireTime === undefined ? Number.POSITIVE_INFINITY : Number(expireTime.seconds) * 1000 + expireTime.nanos / 1e6,
    apiKey,
  }
}
