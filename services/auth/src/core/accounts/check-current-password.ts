import { type CredentialRow, findCredential } from '../../store/credentials.ts'
import type { Deps } from '../deps.ts'
import { counted } from '../passwords/attempts.ts'
import { verifyPassword } from '../passwords/verify-password.ts'
import { ErrorReason, refuse } from '../refuse.ts'

export interface CurrentPassword {
  readonly tenant: string
  readonly userId: string
  readonly password: string
  readonly signal?: AbortSignal
}

type CheckDeps = Pick<Deps, 'db' | 'now' | 'requestKeys' | 'hashing'>

/**
 * Asks a signed-in person for the password that they have; answers the credential that was checked. Wrong ones are counted over all RPCs that ask for it, apart
 * from those at the door: a thief of an access token closes this way only, and the reset stays open to the owner.
 */
export async function checkCurrentPassword(deps: CheckDeps, input: CurrentPassword): Promise<CredentialRow> {
  const { tenant, userId } = input
  return await counted(deps, { tenant, signedIn: userId }, async (attempt) => {
    const credential = await findCredential(deps.db, { tenant, userId })
    const right = await verifyPassword(deps, credential?.password_hash, input.password, input.signal)
    if (!right || !credential) throw refuse(ErrorReason.PASSWORD_WRONG)
    await attempt.right()
    return credential
  })
}
