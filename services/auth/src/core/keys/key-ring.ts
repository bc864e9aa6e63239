import { transact } from '@gatehouse/postgres'
import { type CryptoKey, importJWK, type JWK } from 'jose'
import { LRUCache } from 'lru-cache'
import { listRefreshKeys } from '../../store/refresh-keys.ts'
import { listSigningKeys } from '../../store/signing-keys.ts'
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
  readonly secret: Uint8Array
}

/** The decrypted keys of the tenants, read again every few seconds. */
export interface KeyRing {
  readonly encryptionKey: Uint8Array
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

/** Far below the time between a key's publication and its first signature. */
const rereadMs = 5_000

/** A ring that makes the keys of a tenant that has none yet. While Postgres is away it goes on with what it knows. */
export function createKeyRing(options: { db: Db; encryptionKey: Uint8Array; now: () => number }): KeyRing {
  const { db, encryptionKey, now } = options
  const cache = new LRUCache<string, TenantKeys>({
    max: 10_000,
    ttl: rereadMs,
    fetchMethod: (tenant) => load(db, encryptionKey, tenant, now()),
    allowStaleOnFetchRejection: true,
    noDeleteOnFetchRejection: true,
  })

  async function keysOf(tenant: string): Promise<TenantKeys> {
    // A look that was under way when somebody said `forget` ends with nothing.
    for (let look = 0; look < 5; look++) {
      const keys = await cache.fetch(tenant)
      if (keys !== undefined) return keys
    }
    throw new Error(`the keys of tenant ${tenant} change all the time`)
  }

  return {
    encryptionKey,
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

async function load(db: Db, encryptionKey: Uint8Array, tenant: string, now: number): Promise<TenantKeys> {
  const row = await findTenant(db, tenant)
  if (row === undefined) throw new Error(`there is no tenant ${tenant}`)
  let rows = await readKeys(db, tenant, now)
  if (rows.signing.length === 0 || rows.refresh.length === 0) {
    await transact(db, (tx) => ensureKeys(tx, encryptionKey, tenant, now))
    rows = await readKeys(db, tenant, now)
  }
  const signing = await Promise.all(
    rows.signing.map(async (each) => {
      const jwk = JSON.parse(Buffer.from(unseal(encryptionKey, each.private_key, placeOfSigningKey(tenant, each.kid))).toString()) as JWK
      const key = (await importJWK(jwk, 'ES256')) as CryptoKey
      return { kid: each.kid, key, signTime: each.sign_time.getTime(), publicJwk: each.public_jwk }
    }),
  )
  const refresh = rows.refresh.map((each) => ({
    version: each.version,
    secret: unseal(encryptionKey, each.secret, placeOfRefreshKey(tenant, each.version)),
  }))
  return { issuer: issuerOf(row.origin), signing, refresh }
}

async function readKeys(db: Db, tenant: string, now: number) {
  return { signing: await listSigningKeys(db, tenant, new Date(now)), refresh: await listRefreshKeys(db, tenant) }
}

/** The `iss` of a tenant's tokens: OpenID Connect lives under it. */
function issuerOf(origin: string): string {
  return `${origin}/oidc`
}
