import { createPublicKey, type JsonWebKey } from 'node:crypto'

const maxKeys = 10
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
const minRsaBits = 3_072

/** What is wrong with a client's own key set; undefined of one by which it can prove itself. */
export function keySetProblem(json: string): string | undefined {
  let set: unknown
  try {
    set = JSON.parse(json)
  } catch {
    return 'is no JSON'
  }
  const keys = typeof set === 'object' && set !== null && 'keys' in set ? set.keys : undefined
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > maxKeys) return `has to have "keys", from 1 to ${maxKeys} of them`
  // Postgres keeps neither a NUL nor half a character in JSON, and keys have neither.
  if (!/^[ -~]*$/.test(JSON.stringify(set)) || JSON.stringify(set).includes('\\u')) return 'has other than printable ASCII'
  for (const key of keys) {
    const problem = keyProblem(key)
    if (problem !== undefined) return problem
  }
  return undefined
}

function keyProblem(key: unknown): string | undefined {
  if (typeof key !== 'object' || key === null) return 'has a key that is no object'
  if (privateMembers.some((member) => member in key)) return 'has a private key: give the public half alone'
  try {
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = createPublicKey({ key: key as JsonWebKey, format: 'jwk' })
    if (type === 'ec' && details?.namedCurve === 'prime256v1') return undefined
    if (type === 'ed25519') return undefined
    if (type === 'rsa' && (details?.modulusLength ?? 0) >= minRsaBits) return undefined
  } catch {
    return 'has a key that cannot be read'
  }
  return `has a key that is neither P-256, nor Ed25519, nor RSA of ${minRsaBits} bits`
}
