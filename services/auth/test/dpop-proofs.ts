import { createHash, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { exportJWK, type JWK, SignJWT } from 'jose'

/** A key of somebody, both halves. */
export interface ProofKey {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

export const newProofKey = (): ProofKey => generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** What a test says otherwise than a good proof; a claim that is undefined is left out. */
export interface Said {
  readonly header?: Readonly<Record<string, unknown>>
  readonly claims?: Readonly<Record<string, unknown>>
  /** Signs in place of the key that the header shows. */
  readonly signer?: KeyObject | Uint8Array
}

/** A proof of RFC 9449 for one request with one token. */
export async function proofOf(
  { privateKey, publicKey }: ProofKey,
  { method, url, token }: { readonly method: string; readonly url: string; readonly token?: string },
  { header = {}, claims = {}, signer = privateKey }: Said = {},
): Promise<string> {
  const jwk: JWK = await exportJWK(publicKey)
  const good = { htm: method, htu: url, iat: Math.floor(Date.now() / 1000), jti: randomUUID(), ...(token && { ath: athOf(token) }) }
  const said = Object.fromEntries(Object.entries({ ...good, ...claims }).filter(([, value]) => value !== undefined))
  return await new SignJWT(said).setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk, ...header }).sign(signer)
}

export const athOf = (token: string) => createHash('sha256').update(token).digest('base64url')
