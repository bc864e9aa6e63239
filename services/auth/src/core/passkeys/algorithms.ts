import { PasskeyProblem, withProblems } from './passkey-problem.ts'
import { webauthnFormats } from './webauthn.ts'

/** COSE: EdDSA, ES256, RS256. The last one for Windows Hello alone, whose TPMs often know nothing else. */
export const offeredAlgorithms: readonly number[] = [-8, -7, -257]

/** Of RSA: NIST SP 800-131A, and what costs us no more than a moment to verify. */
const rsaBytes = { least: 256, most: 512 }

/** An algorithm is good with its own kind of key only: P-256 for ES256, Ed25519 for EdDSA, RSA of a sound length. */
export async function assertKey(publicKey: Uint8Array): Promise<void> {
  const { decodeCredentialPublicKey } = await webauthnFormats()
  const key = (await withProblems(() => decodeCredentialPublicKey(Uint8Array.from(publicKey)))) as unknown as ReadonlyMap<number, unknown>
  const [kty, algorithm, curve] = [key.get(1), key.get(3), key.get(-1)]
  if (algorithm === -7 && kty === 2 && curve === 1) return
  if (algorithm === -8 && kty === 1 && curve === 6) return
  const modulus = curve instanceof Uint8Array ? curve.length : 0
  const exponent = key.get(-2)
  const isSound = exponent instanceof Uint8Array && exponent.length <= 4 && modulus >= rsaBytes.least && modulus <= rsaBytes.most
  if (algorithm !== -257 || kty !== 3 || !isSound) throw new PasskeyProblem('its key is of another kind than its algorithm')
}
