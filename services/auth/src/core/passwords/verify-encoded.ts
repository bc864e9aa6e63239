import { pbkdf2 as pbkdf2Of, scrypt as scryptOf, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { verify as verifyArgon2 } from '@node-rs/argon2'
import { verify as verifyBcrypt } from '@node-rs/bcrypt'
import { readHash } from './encoded-hash.ts'

const pbkdf2 = promisify(pbkdf2Of)
const scrypt = promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scryptOf)

/** Compares a password with a hash of any algorithm that was ever taken in. All of them run on libuv's threads. */
export async function verifyEncoded(encoded: string, password: string): Promise<boolean> {
  const hash = readHash(encoded)
  switch (hash?.algorithm) {
    case undefined:
      throw new TypeError('a stored hash is of no algorithm that is known')
    case 'argon2id':
    case 'argon2i':
      return await verifyArgon2(encoded, password)
    case 'bcrypt':
      return await verifyBcrypt(password, encoded)
    case 'scrypt': {
      const { logN, blockSize: r, lanes: p, salt, digest } = hash
      const N = 2 ** logN
      const made = await scrypt(password, salt, digest.length, { N, r, p, maxmem: 256 * N * r + 2 ** 20 })
      return timingSafeEqual(made, digest)
    }
    case 'pbkdf2':
      return timingSafeEqual(await pbkdf2(password, hash.salt, hash.iterations, hash.digest.length, hash.hash), hash.digest)
  }
}
