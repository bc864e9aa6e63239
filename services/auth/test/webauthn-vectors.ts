import { readFileSync } from 'node:fs'

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
