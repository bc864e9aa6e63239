import { readHash } from './encoded-hash.ts'

/** About half a second of one core, and 256 MiB: a hash from elsewhere that costs more would let strangers keep the machine busy. */
const mostArgon2KibPasses = 2 ** 21
const mostMemoryKib = 2 ** 18
const mostPasses = 64
const bcryptCosts = { least: 4, most: 13 }
const mostScryptWork = 2 ** 21
const mostPbkdf2Rounds = 2_000_000
const bytes = { least: 16, most: 64 }
const saltBytes = { least: 8, most: 48 }
const digestBytes = { sha1: 20, sha256: 32, sha512: 64 }

/** Why a hash from elsewhere is not taken in, as what follows "line 7 " in a sentence; `undefined` where it is. */
export function problemOfImported(encoded: string): string | undefined {
  const hash = readHash(encoded)
  if (hash === undefined)
    return 'has a hash that is not Argon2id or i (version 19), bcrypt ($2a$, $2b$, $2y$), scrypt or PBKDF2 in its PHC or modular form'
  switch (hash.algorithm) {
    case 'argon2id':
    case 'argon2i': {
      const { memoryKib, passes, lanes } = hash
      if (memoryKib > mostMemoryKib || passes > mostPasses || memoryKib * passes > mostArgon2KibPasses || lanes > 16) return tooDear
      return lanes < 1 || passes < 1 || memoryKib < 8 * lanes ? noParameters : lengthProblem(encoded)
    }
    case 'bcrypt':
      if (hash.cost < bcryptCosts.least) return noParameters
      return hash.cost > bcryptCosts.most ? tooDear : undefined
    case 'scrypt': {
      const { logN, blockSize, lanes } = hash
      if (logN > 30 || 2 ** logN * blockSize * lanes > mostScryptWork) return tooDear
      return logN < 1 || blockSize < 1 || lanes < 1 ? noParameters : lengthProblem(encoded)
    }
    case 'pbkdf2': {
      const { iterations, digest } = hash
      if (iterations * Math.ceil(digest.length / digestBytes[hash.hash]) > mostPbkdf2Rounds) return tooDear
      return iterations < 1 ? noParameters : lengthProblem(encoded)
    }
  }
}

const tooDear = 'has a hash that would cost more to verify than half a second or 256 MiB'
const noParameters = 'has a hash with parameters that cannot be'

function lengthProblem(encoded: string): string | undefined {
  const [salt, digest] = encoded.split('$').slice(-2).map(bytesOf)
  if (salt === undefined || digest === undefined) return 'has a hash whose salt or digest is not written in canonical base64'
  const isRight =
    salt.length >= saltBytes.least && salt.length <= saltBytes.most && digest.length >= bytes.least && digest.length <= bytes.most
  return isRight ? undefined : 'has a hash whose salt or digest is too short or too long'
}

function bytesOf(text: string): Buffer | undefined {
  const plain = text.replaceAll('.', '+')
  const read = Buffer.from(plain, 'base64')
  return read.toString('base64').replace(/=+$/, '') === plain ? read : undefined
}
