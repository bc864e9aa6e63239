import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { base64url, keyOf } from './software-authenticator.ts'

/** A test vector of Web Authentication Level 3, chapter 16; bytes in hex, as there. */
export interface WebauthnVector {
  readonly name: string
  readonly credentialId: string
  readonly privateKey?: string
  readonly registration: { readonly challenge: string; readonly clientDataJSON: string; readonly attestationObject: string }
  readonly authentication: {
    readonly challenge: string
    readonly authenticatorData: string
    readonly clientDataJSON: string
    readonly signature: string
  }
}

/** What all of them were made for. */
export const vectorParty = { id: 'example.org', origin: 'https://example.org' }

export const vectors = (
  JSON.parse(readFileSync(new URL('webauthn-vectors.json', import.meta.url), 'utf8')) as { vectors: WebauthnVector[] }
).vectors

export function vectorOf(name: string): WebauthnVector {
  const found = vectors.find((each) => each.name === name)
  if (!found) throw new TypeError(`there is no vector ${name}`)
  return found
}

/** Signs as the vector's passkey would. */
export function signAs(vector: WebauthnVector, data: Uint8Array): Buffer {
  if (vector.name.endsWith('.RS256')) return sign('sha256', data, rsaKey())
  const privateKey = Buffer.from(vector.privateKey ?? '', 'hex')
  if (!vector.name.endsWith('.EdDSA')) return sign('sha256', data, keyOf(privateKey).key)
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), privateKey])
  return sign(null, data, createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }))
}

/** The specification's RSA key: its primes are 2^1279 - 1 and 2^2203 - 1. */
function rsaKey(): KeyObject {
  const [p, q, e] = [2n ** 1279n - 1n, 2n ** 2203n - 1n, 65_537n]
  const d = inverse(e, (p - 1n) * (q - 1n))
  const numbers = { n: p * q, e, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) }
  const members = Object.entries(numbers).map(([name, value]) => [name, base64urlOf(value)])
  return createPrivateKey({ key: { kty: 'RSA', ...Object.fromEntries(members) }, format: 'jwk' })
}

function base64urlOf(value: bigint): string {
  const hex = value.toString(16)
  return base64url(Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex'))
}

/** By Euclid. */
function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b, s, t] = [modulus, value % modulus, 0n, 1n]
  while (b > 0n) [a, b, s, t] = [b, a % b, t, s - (a / b) * t]
  return ((s % modulus) + modulus) % modulus
}
