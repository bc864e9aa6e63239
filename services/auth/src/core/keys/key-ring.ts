import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { transact, unbounded } from '@gatehouse/postgres'
import { commonRefusal, type Refusal } from '@gatehouse/rpc'
import type { Logger } from '@gatehouse/telemetry'
import type { CryptoKey } from 'jose'
import { LRUCache } from 'lru-cache'
import { listRefreshKeys } from '../../store/refresh-keys.ts'
import { listSigningKeys, type SigningKeyRow, type SigningKeys } from '../../store/signing-keys.ts'
import { findTenant } from '../../store/tenants.ts'
import type { Db } from '../deps.ts'
import { ensureKeys } from './ensure-keys.ts'
import { type OpenedKeys, type OpenedSigningKey, openKeys, type PrivateJwk, type RefreshKey, type SealedKeys } from './open-keys.ts'
import { ClosedKey, unseal } from './sealed-box.ts'

/** What signs the tokens of a tenant at this moment. */
export interface Signer {
  /** The `iss` of its tokens. */
  readonly issuer: string
  readonly kid: string
  readonly key: CryptoKey
}

/** What OpenID Connect signs with. */
export interface OidcKeys {
  readonly issuer: string
  readonly jwks: readonly PrivateJwk[]
}

/**
 * The decrypted keys of the tenants, read again every few seconds. A key that does not open is left out and told; where none is left that could do
 * what is asked, that is refused as `DEPENDENCY_UNAVAILABLE` of `keys`, with a ClosedKey as its cause.
 */
export interface KeyRing {
  /** Closes new boxes. */
  readonly encryptionKey: Uint8Array
  /** Opens a box that the present encryption key or a previous one closed. */
  unseal(box: Uint8Array, place: string): Uint8Array
  /** The newest key that opens and whose time has come. */
  signer(tenant: string): Promise<Signer>
  /** Public halves of every key of which tokens may be alive or come, as JWKs; also of those that do not open. */
  publicKeys(tenant: string): Promise<readonly Record<string, unknown>[]>
  /** Every signing key that opens, of each kind the one that signs first: one that left its turn still reads what it signed. */
  oidcKeys(tenant: string): Promise<OidcKeys>
  /** The newest that opens, or the one of a version. */
  refreshKey(tenant: string, version?: number): Promise<RefreshKey>
  /** The keys of all tenants asked about so far that do not open, by their places. */
  shut(): Promise<readonly string[]>
  /** The next question reads the database: somebody changed the keys. */
  forget(tenant: string): void
}

interface TenantKeys extends OpenedKeys {
  readonly issuer: string
  readonly published: readonly Record<string, unknown>[]
}

export interface KeyRingOptions {
  readonly db: Db
  /** 32 bytes. */
  readonly encryptionKey: Uint8Array
  /** While the encryption key is being replaced. */
  readonly previousEncryptionKey?: Uint8Array | undefined
  readonly now: () => number
  /** Told when keys do not open, and when they do again. */
  readonly log?: Pick<Logger, 'info' | 'error'>
}

/** Far below the time between a key's publication and its first signature. */
const rereadMs = 5_000

/** A ring that makes the keys of a tenant that has none yet. While Postgres is away it goes on with what it knows. */
export function createKeyRing(options: KeyRingOptions): KeyRing {
  const { db, encryptionKey, previousEncryptionKey, now, log } = options
  const openers = previousEncryptionKey === undefined ? [encryptionKey] : [encryptionKey, previousEncryptionKey]
  const open = (box: Uint8Array, place: string) => unseal(openers, box, place)
  const shut = new Map<string, readonly string[]>()
  function note(tenant: string, { signing, refresh, shutSigning, shutRefresh }: OpenedKeys): void {
    const all = [...shutSigning, ...shutRefresh]
    const keys = all.map(({ place }) => place)
    const before = shut.get(tenant) ?? []
    if (keys.join() === before.join()) return
    if (keys.length === 0) shut.delete(tenant)
    else shut.set(tenant, keys)
    const left = { signing: signing.ES256.length, rs256: signing.RS256.length, refresh: refresh.length }
    if (keys.length > 0) log?.error({ tenant, keys, left, problem: all.at(-1)?.problem.message }, 'keys do not open')
    else log?.info({ tenant }, 'all keys open again')
  }
  const cache = new LRUCache<string, TenantKeys>({
    max: 10_000,
    ttl: rereadMs,
    fetchMethod: async (tenant, known: TenantKeys | undefined) => {
      try {
        // Many wait for one look, and none of their deadlines is its own.
        const rows = await unbounded(() => readOrMakeKeys(db, { encryptionKey, unseal: open }, tenant, now()))
        const opened = await openKeys(rows, tenant, open)
        note(tenant, opened)
        const published = [...rows.signing.ES256, ...rows.signing.RS256].map((each) => each.public_jwk)
        return { ...opened, issuer: issuerOf(rows.origin), published }
      } catch (error) {
        // What was known is for a database that is away, and not for one that has other keys by now.
        if (error instanceof ClosedKey) throw refused(error)
        if (known === undefined) throw error
        return known
      }
    },
    // Whoever was waiting when somebody said `forget` gets what was read; whoever comes later does not.
    ignoreFetchAbort: true,
  })

  async function keysOf(tenant: string): Promise<TenantKeys> {
    const keys = await cache.fetch(tenant)
    if (keys === undefined) throw new Error(`the keys of tenant ${tenant} cannot be read`)
    return keys
  }

  function currentOf({ signing, shutSigning }: TenantKeys, tenant: string): OpenedSigningKey {
    const [current] = signerFirst(signing.ES256)
    if (current !== undefined) return current
    const shut = shutSigning.findLast(({ alg }) => alg === 'ES256')
    throw shut === undefined ? new Error(`tenant ${tenant} has no signing key`) : refused(shut.problem)
  }

  function signerFirst(keys: readonly OpenedSigningKey[]): readonly OpenedSigningKey[] {
    const current = keys.findLast((each) => each.signTime <= now()) ?? keys[0]
    return current === undefined ? [] : [current, ...keys.filter((each) => each !== current)]
  }

  return {
    encryptionKey,
    unseal: open,
    async signer(tenant) {
      const keys = await keysOf(tenant)
      const { kid, key } = currentOf(keys, tenant)
      return { issuer: keys.issuer, kid, key }
    },
    async publicKeys(tenant) {
      return (await keysOf(tenant)).published
    },
    async oidcKeys(tenant) {
      const keys = await keysOf(tenant)
      // Refuses where none signs.
      currentOf(keys, tenant)
      const inOrder = [...signerFirst(keys.signing.ES256), ...signerFirst(keys.signing.RS256)]
      return { issuer: keys.issuer, jwks: inOrder.map(({ jwk }) => jwk) }
    },
    async refreshKey(tenant, version) {
      const find = (keys: TenantKeys) =>
        version === undefined ? keys.refresh.at(-1) : keys.refresh.find((each) => each.version === version)
      // Looking again opens nothing: whoever shows tokens of such a version would have the database asked each time.
      const isShut = ({ shutRefresh }: TenantKeys) => shutRefresh.findLast((each) => version === undefined || each.version === version)
      let keys = await keysOf(tenant)
      if (find(keys) === undefined && isShut(keys) === undefined) {
        cache.delete(tenant)
        keys = await keysOf(tenant)
      }
      const found = find(keys)
      if (found === undefined && isShut(keys)) throw refused(isShut(keys)?.problem)
      if (found === undefined) throw new Error(`tenant ${tenant} has no refresh key of version ${version}`)
      return found
    },
    async shut() {
      // Where nobody asks about a tenant, nobody sees that its keys open again.
      await Promise.all([...shut.keys()].slice(0, 100).map((tenant) => keysOf(tenant).catch(() => undefined)))
      return [...shut.values()].flat()
    },
    forget(tenant) {
      cache.delete(tenant)
    },
  }
}

interface KeyRows extends SealedKeys {
  readonly origin: string
  readonly signing: SigningKeys<SigningKeyRow>
}

async function readOrMakeKeys(db: Db, keys: Pick<KeyRing, 'encryptionKey' | 'unseal'>, tenant: string, now: number): Promise<KeyRows> {
  const row = await findTenant(db, tenant)
  if (row === undefined) throw new Error(`there is no tenant ${tenant}`)
  let rows = await readKeys(db, tenant, now)
  if (rows.signing.ES256.length === 0 || rows.refresh.length === 0) {
    await transact(db, (tx) => ensureKeys(tx, keys, tenant, now))
    rows = await readKeys(db, tenant, now)
  }
  return { origin: row.origin, ...rows }
}

async function readKeys(db: Db, tenant: string, now: number) {
  return { signing: await listSigningKeys(db, tenant, new Date(now)), refresh: await listRefreshKeys(db, tenant) }
}

/** The caller may try again: an operator mends it, and nothing was changed. */
function refused(cause: ClosedKey | undefined): Refusal {
  return commonRefusal(ErrorReason.DEPENDENCY_UNAVAILABLE, { dependency: 'keys' }, { cause })
}

/** The `iss` of a tenant's tokens: OpenID Connect lives under it. */
function issuerOf(origin: string): string {
  return `${origin}/oidc`
}
