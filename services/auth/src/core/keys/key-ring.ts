import { createSecretKey, type KeyObject } from 'node:crypto'
import { transact, unbounded } from '@gatehouse/postgres'
import { type CryptoKey, importJWK, type JWK } from 'jose'
import { LRUCache } from 'lru-cache'
import { listRefreshKeys, type RefreshKeyRow } from '../../store/refresh-keys.ts'
import { listSigningKeys, type SigningKeyRow } from '../../store/signing-keys.ts'
import { findTenant } from '../../store/tenants.ts'
import type { Db } from '../deps.ts'
import { ensureKeys, placeOfRefreshKey, placeOfSigningKey } from './make-keys.ts'
import { unseal } from './sealed-box.ts'

/** What signs the tokens of a tenant at this moment. */
export interface Signer {
  /** The `iss` of its tokens. */
  readonly issuer: string
  readonly kid: string
  readonly key: CryptoKey
}

/** What derives the successors of refresh tokens. */
export interface RefreshKey {
  readonly version: number
  readonly secret: KeyObject
}

/** The decrypted keys of the tenants, read again every few seconds. */
export interface KeyRing {
  /** Closes new boxes. */
  readonly encryptionKey: Uint8Array
  /** Opens a box that the present encryption key or a previous one closed. */
  unseal(box: Uint8Array, place: string): Uint8Array
  signer(tenant: string): Promise<Signer>
  /** Public halves of every key of which tokens may be alive or come, as JWKs. */
  publicKeys(tenant: string): Promise<readonly Record<string, unknown>[]>
  /** The newest, or the one of a version. */
  refreshKey(tenant: string, version?: number): Promise<RefreshKey>
  /** The next question reads the database: somebody changed the keys. */
  forget(tenant: string): void
}

interface TenantKeys {
  readonly issuer: string
  readonly signing: readonly { kid: string; key: CryptoKey; signTime: number; publicJwk: Record<string, unknown> }[]
  readonly refresh: readonly RefreshKey[]
}

export interface KeyRingOptions {
  readonly db: Db
  /** 32 bytes. */
  readonly encryptionKey: Uint8Array
  /** While the encryption key is being replaced. */
  readonly previousEncryptionKey?: Uint8Array | undefined
  readonly now: () => number
}

/** Far below the time between a key's publication and its first signature. */
const rereadMs = 5_000

/** A ring that makes the keys of a tenant that has none yet. While Postgres is away it goes on with what it knows. */
export function createKeyRing(options: KeyRingOptions): KeyRing {
  const { db, encryptionKey, previousEncryptionKey, now } = options
  const openers = previousEncryptionKey === undefined ? [encryptionKey] : [encryptionKey, previousEncryptionKey]
  const open = (box: Uint8Array, place: string) => unseal(openers, box, place)
  const cache = new LRUCache<string, TenantKeys>({
    max: 10_000,
    ttl: rereadMs,
    fetchMethod: async (tenant, known: TenantKeys | undefined) => {
      try {
        // Many wait for one look, and none of their deadlines is its own.
        const rows = await unbounded(() => readOrMakeKeys(db, encryptionKey, tenant, now()))
        return await openKeys(rows, tenant, open)
      } catch (error) {
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

  return {
    encryptionKey,
    unseal: open,
    async signer(tenant) {
      const { issuer, signing } = await keysOf(tenant)
      const current = signing.findLast((each) => each.signTime <= now()) ?? signing[0]
      if (current === undefined) throw new Error(`tenant ${tenant} has no signing key`)
      return { issuer, kid: current.kid, key: current.key }
    },
    async publicKeys(tenant) {
      return (await keysOf(tenant)).signing.map((each) => each.publicJwk)
    },
    async refreshKey(tenant, version) {
      const find = (keys: TenantKeys) =>
        version === undefined ? keys.refresh.at(-1) : keys.refresh.find((each) => each.version === version)
      let found = find(await keysOf(tenant))
      if (found === undefined) {
        cache.delete(tenant)
        found = find(await keysOf(tenant))
      }
      if (found === undefined) throw new Error(`tenant ${tenant} has no refresh key of version ${version}`)
      return found
    },
    forget(tenant) {
      cache.delete(tenant)
    },
  }
}

interface KeyRows {
  readonly origin: string
  readonly signing: readonly SigningKeyRow[]
  readonly refresh: readonly RefreshKeyRow[]
}

async function readOrMakeKeys(db: Db, encryptionKey: Uint8Array, tenant: string, now: number): Promise<KeyRows> {
  const row = await findTenant(db, tenant)
  if (row === undefined) throw new Error(`there is no tenant ${tenant}`)
  let rows = await readKeys(db, tenant, now)
  if (rows.signing.length === 0 || rows.refresh.length === 0) {
    await transact(db, (tx) => ensureKeys(tx, encryptionKey, tenant, now))
    rows = await readKeys(db, tenant, now)
  }
  return { origin: row.origin, ...rows }
}

async function openKeys(rows: KeyRows, tenant: string, open: KeyRing['unseal']): Promise<TenantKeys> {
  const signing = await Promise.all(
    rows.signing.map(async (each) => {
      const jwk = JSON.parse(Buffer.from(open(each.private_key, placeOfSigningKey(tenant, each.kid))).toString()) as JWK
      const key = (await importJWK(jwk, 'ES256')) as CryptoKey
      return { kid: each.kid, key, signTime: each.sign_time.getTime(), publicJwk: each.public_jwk }
    }),
  )
  const refresh = rows.refresh.map(({ version, secret }) => ({
    version,
    // An HMAC with a key that Node has seen takes a sixth of one with bytes.
    secret: createSecretKey(open(secret, placeOfRefreshKey(tenant, version))),
  }))
  return { issuer: issuerOf(rows.origin), signing, refresh }
}

async function readKeys(db: Db, tenant: string, now: number) {
  return { signing: await listSigningKeys(db, tenant, new Date(now)), refresh: await listRefreshKeys(db, tenant) }
}

/** The `iss` of a tenant's tokens: OpenID Connect lives under it. */
function issuerOf(origin: string): string {
  return `${origin}/oidc`
}
