import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

const algorithm = 'aes-256-gcm'
const nonceBytes = 12
const tagBytes = 16
const nameBytes = 4

/** The first bytes of a box name the key that closed it, so that a wrong key is told from a damaged row. */
function nameOf(key: Uint8Array): Buffer {
  return createHash('sha256').update('gatehouse key name').update(key).digest().subarray(0, nameBytes)
}

/** A box does not open: `message` says which, and nothing of what is in it. */
export class ClosedKey extends Error {
  override readonly name: string = 'ClosedKey'
}

/** The closed key that an error is of, or was refused for. */
export function closedKeyIn(error: unknown): ClosedKey | undefined {
  if (error instanceof ClosedKey) return error
  return error instanceof Error && error.cause instanceof ClosedKey ? error.cause : undefined
}

/** The box was closed with a key that is not there. */
export class WrongEncryptionKey extends ClosedKey {
  override readonly name = 'WrongEncryptionKey'
}

/** Encrypts with AES-256-GCM. `place` says where the box is kept: moved to another row it does not open. */
export function seal(key: Uint8Array, plaintext: Uint8Array, place: string): Uint8Array {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(place))
  const text = Buffer.concat([cipher.update(plaintext), cipher.final()])
  return Buffer.concat([nameOf(key), nonce, cipher.getAuthTag(), text])
}

/**
 * Decrypts what {@link seal} made for the same place, with whichever of the keys closed it.
 * @throws ClosedKey when none did, or the box was damaged or moved.
 */
export function unseal(keys: readonly Uint8Array[], box: Uint8Array, place: string): Uint8Array {
  const bytes = Buffer.from(box)
  const key = keys.find((each) => nameOf(each).equals(bytes.subarray(0, nameBytes)))
  if (key === undefined) throw new WrongEncryptionKey(`AUTH_KEY_ENCRYPTION_KEY is not the key that encrypted the ${place}`)
  const nonce = bytes.subarray(nameBytes, nameBytes + nonceBytes)
  const tag = bytes.subarray(nameBytes + nonceBytes, nameBytes + nonceBytes + tagBytes)
  try {
    const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes })
    decipher.setAAD(Buffer.from(place)).setAuthTag(tag)
    return Buffer.concat([decipher.update(bytes.subarray(nameBytes + nonceBytes + tagBytes)), decipher.final()])
  } catch (error) {
    throw new ClosedKey(`the ${place} is damaged, or lies in another place than it was closed for`, { cause: error })
  }
}
