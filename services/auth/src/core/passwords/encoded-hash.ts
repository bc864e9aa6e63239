/** A stored hash, read: which algorithm, with what it costs. */
export type EncodedHash =
  | { readonly algorithm: 'argon2id' | 'argon2i'; readonly memoryKib: number; readonly passes: number; readonly lanes: number }
  | { readonly algorithm: 'bcrypt'; readonly cost: number }
  | {
      readonly algorithm: 'scrypt'
      readonly logN: number
      readonly blockSize: number
      readonly lanes: number
      readonly salt: Buffer
      readonly digest: Buffer
    }
  | {
      readonly algorithm: 'pbkdf2'
      readonly hash: 'sha1' | 'sha256' | 'sha512'
      readonly iterations: number
      readonly salt: Buffer
      readonly digest: Buffer
    }

/** What stands before the salt, and how long the digest is: hashes of one kind cost the same. */
export type HashKind = string

const b64 = '[A-Za-z0-9+/.]+'
const argon2 = /^(\$argon2(id|i)\$v=19\$m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,4})\$)([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/
const bcrypt = /^(\$2[aby]\$(\d\d)\$)[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]$/
const scrypt = new RegExp(`^(\\$scrypt\\$ln=(\\d{1,3}),r=(\\d{1,9}),p=(\\d{1,9})\\$)(${b64})\\$(${b64})$`)
const pbkdf2 = new RegExp(`^(\\$pbkdf2(?:-(sha1|sha256|sha512))?\\$(?:i=)?(\\d{1,10})\\$)(${b64})\\$(${b64})$`)

/**
 * Reads a hash in the PHC string format, or in the modular crypt format as bcrypt and passlib write it. Answers `undefined` for what is none of those
 * that can be verified here, whatever it costs.
 */
export function readHash(encoded: string): (EncodedHash & { readonly kind: HashKind }) | undefined {
  return readArgon2(encoded) ?? readBcrypt(encoded) ?? readScrypt(encoded) ?? readPbkdf2(encoded)
}

/** A hash of a kind that no password has. */
export function nobodysHash(kind: HashKind): string {
  const [prefix = '', bytes = '0'] = kind.split(' ')
  const random = (count: number) =>
    Buffer.from(crypto.getRandomValues(new Uint8Array(count)))
      .toString('base64')
      .replace(/=+$/, '')
  if (prefix.startsWith('$2'))
    return `${prefix}${random(40).replaceAll('+', '.').slice(0, 21)}.${random(40).replaceAll('+', '.').slice(0, 30)}.`
  return `${prefix}${random(16)}$${random(Number(bytes))}`
}

function readArgon2(encoded: string): ReturnType<typeof readHash> {
  const found = argon2.exec(encoded)
  if (!found) return undefined
  const [, prefix, variant, memory, passes, lanes, , digest = ''] = found
  return {
    algorithm: variant === 'i' ? 'argon2i' : 'argon2id',
    memoryKib: Number(memory),
    passes: Number(passes),
    lanes: Number(lanes),
    kind: `${prefix} ${bytesOf(digest).length}`,
  }
}

function readBcrypt(encoded: string): ReturnType<typeof readHash> {
  const found = bcrypt.exec(encoded)
  return found ? { algorithm: 'bcrypt', cost: Number(found[2]), kind: `${found[1]} 23` } : undefined
}

function readScrypt(encoded: string): ReturnType<typeof readHash> {
  const found = scrypt.exec(encoded)
  if (!found) return undefined
  const [, prefix, logN, blockSize, lanes, salt = '', digest = ''] = found
  return {
    algorithm: 'scrypt',
    logN: Number(logN),
    blockSize: Number(blockSize),
    lanes: Number(lanes),
    salt: bytesOf(salt),
    digest: bytesOf(digest),
    kind: `${prefix} ${bytesOf(digest).length}`,
  }
}

function readPbkdf2(encoded: string): ReturnType<typeof readHash> {
  const found = pbkdf2.exec(encoded)
  if (!found) return undefined
  const [, prefix, hash = 'sha1', iterations, salt = '', digest = ''] = found
  return {
    algorithm: 'pbkdf2',
    hash: hash as 'sha1' | 'sha256' | 'sha512',
    iterations: Number(iterations),
    salt: bytesOf(salt),
    digest: bytesOf(digest),
    kind: `${prefix} ${bytesOf(digest).length}`,
  }
}

/** Base64 without padding; passlib writes a dot where others have a plus. */
function bytesOf(text: string): Buffer {
  return Buffer.from(text.replaceAll('.', '+'), 'base64')
}
