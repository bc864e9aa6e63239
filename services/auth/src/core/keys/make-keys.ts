import { randomBytes } from 'node:crypto'
import { exportJWK, generateKeyPair } from 'jose'
import { insertRefreshKey, listRefreshKeys } from '../../store/refresh-keys.ts'
import { insertSigningKey, listSigningKeys } from '../../store/signing-keys.ts'
import { lockTenant } from '../../store/tenants.ts'
import type { Db } from '../deps.ts'
import { seal } from './sealed-box.ts'

/** Where a private key and a secret are kept; part of what their boxes are bound to. */
export const placeOfSigningKey = (tenant: string, kid: string) => `signing key ${kid} of tenant ${tenant}`
export const placeOfRefreshKey = (tenant: string, version: number) => `refresh key ${version} of tenant ${tenant}`

/** A new ES256 key whose private half leaves this function encrypted only. */
export async function makeSigningKey(encryptionKey: Uint8Array, tenant: string) {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  const kid = randomBytes(12).toString('base64url')
  const publicJwk = { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' }
  const secret = Buffer.from(JSON.stringify(await exportJWK(privateKey)))
  return {
    tenant,
    kid,
    public_jwk: JSON.stringify(publicJwk),
    private_key: seal(encryptionKey, secret, placeOfSigningKey(tenant, kid)),
  }
}

/** A new key from which the successors of refresh tokens are derived. */
export function makeRefreshKey(encryptionKey: Uint8Array, tenant: string, version: number) {
  return { tenant, version, secret: seal(encryptionKey, randomBytes(32), placeOfRefreshKey(tenant, version)) }
}

/** Sees to it that the tenant has keys, within the caller's transaction. The tenant's lock lets one of many replicas make them. */
export async function ensureKeys(tx: Db, encryptionKey: Uint8Array, tenant: string, now: number): Promise<void> {
  if ((await lockTenant(tx, tenant)) === undefined) throw new Error(`there is no tenant ${tenant}`)
  const time = new Date(now)
  if ((await listSigningKeys(tx, tenant, time)).length === 0) {
    const key = await makeSigningKey(encryptionKey, tenant)
    await insertSigningKey(tx, { ...key, create_time: time, sign_time: time })
  }
  if ((await listRefreshKeys(tx, tenant)).length === 0)
    await insertRefreshKey(tx, { ...makeRefreshKey(encryptionKey, tenant, 1), create_time: time })
}
