import type { Deps } from '../deps.ts'
import { readHash } from './encoded-hash.ts'
import { enforceOpaqueString } from './opaque-string.ts'

interface Hashing {
  readonly hashing: Pick<Deps['hashing'], 'verify' | 'refuse' | 'nobodys'>
}

/**
 * Compares a password with a hash, exactly; the whole cost is paid where there is no hash, or where nobody can have such a password. A hash of another
 * algorithm was made elsewhere, of the password as it was typed there, in whatever normal form.
 */
export async function verifyPassword(deps: Hashing, hash: string | undefined, password: string, signal?: AbortSignal): Promise<boolean> {
  const enforced = enforceOpaqueString(password)
  if (hash === undefined || enforced === undefined) return await refusePassword(deps, hash, password, signal)
  const isOurs = readHash(hash)?.algorithm === 'argon2id'
  return await deps.hashing.verify(hash, isOurs ? enforced : password, signal)
}

/** Costs what a comparison costs, for somebody who is refused whatever the password is. */
export async function refusePassword(deps: Hashing, hash: string | undefined, password: string, signal?: AbortSignal): Promise<false> {
  return await deps.hashing.refuse(hash ?? deps.hashing.nobodys, enforceOpaqueString(password) ?? '', signal)
}
