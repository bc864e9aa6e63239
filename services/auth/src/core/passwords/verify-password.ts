import type { Deps } from '../deps.ts'
import { enforceOpaqueString } from './opaque-string.ts'

/** A hash of the same cost that no password has: whoever is unknown takes as long as whoever is known. */
const nobodysHash = '$argon2id$v=19$m=19456,t=2,p=1$Djn+AyZ4oFJIrTGDSboFyw$Nq1w2VYXJC3X9fxnlTN6g9qbgx3Fq4GZ/gMrqXo1sj4'

/** Compares a password with a hash, exactly; the whole cost is paid where there is no hash, or where nobody can have such a password. */
export async function verifyPassword(
  deps: Pick<Deps, 'hashing'>,
  hash: string | undefined,
  password: string,
  signal?: AbortSignal,
): Promise<boolean> {
  const enforced = enforceOpaqueString(password)
  const right = await deps.hashing.verify(hash ?? nobodysHash, enforced ?? '', signal)
  return right && hash !== undefined && enforced !== undefined
}
