import { randomBytes } from 'node:crypto'
import { exportJWK, generateKeyPair } from 'jose'
import type { KeyAlg } from '../../store/signing-keys.ts'
import { seal } from './sealed-box.ts'

/** Where a private key and a secret are kept; part of what their boxes are bound to. */
export const placeOfSigningKey = (tenant: string, kid: string, alg: KeyAlg = 'ES256') =>
  `${alg === 'RS256' ? 'RS256 key' : 'signing key'} ${kid} of tenant ${tenant}`
export const placeOfRefreshKey = (tenant: string, version: number) => `refresh key ${version} of tenant ${tenant}`

/** 128 bits of strength (NIST SP 800-57), as P-256 has them. */
const rsaBits = 3072

/** A new key whose private half leaves this function encrypted only. */
export async function makeSigningKey(encryptionKey: Uint8Array, tenant: string, alg: KeyAlg = 'ES256') {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: rsaBits })
  // In hexadecimal, since operators name keys in commands: in base64url one of 64 would begin with a dash, and be read as an option.
  const kid = randomBytes(12).toString('hex')
  const publicJwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }
  const secret = Buffer.from(JSON.stringify(await exportJWK(privateKey)))
  return {
    tenant,
    kid,
    alg,
    public_jwk: JSON.stringify(publicJwk),
    private_key: seal(encryptionKey, secret, placeOfSigningKey(tenant, kid, alg)),
  }
}

/** A new key from which the successors of refresh tokens are derived. */
export function makeRefreshKey(encryptionKey: Uint8Array, tenant: string, version: number) {
  return { tenant, version, secret: seal(encryptionKey, randomBytes(32), placeOfRefreshKey(tenant, version)) }
}
