import { ErrorReason as CommonReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { commonRefusal } from '@gatehouse/rpc'
import { type CredentialRow, findCredential } from '../../store/credentials.ts'
import type { Deps } from '../deps.ts'
import { verifyPassword } from '../passwords/verify-password.ts'
import { ErrorReason, refuse } from '../refuse.ts'

/** Wrong passwords in a row, over all RPCs that ask for it, with a stolen access token in hand. The reset stays open to the owner. */
const guesses = { count: 50, windowSeconds: 86_400 }

export interface CurrentPassword {
  readonly tenant: string
  readonly userId: string
  readonly password: string
  readonly signal?: AbortSignal
}

type CheckDeps = Pick<Deps, 'db' | 'limits' | 'hashing'>

/** Asks a signed-in person for the password that they have; answers the credential that was checked. */
export async function checkCurrentPassword(deps: CheckDeps, input: CurrentPassword): Promise<CredentialRow> {
  const credential = await credentialOf(deps, input)
  if (!credential) throw refuse(ErrorReason.PASSWORD_WRONG)
  return credential
}

/** The credential whose password it is; undefined where the password is wrong, or there is none. */
export async function credentialOf(deps: CheckDeps, input: CurrentPassword): Promise<CredentialRow | undefined> {
  const { tenant, userId } = input
  const key = `current password ${userId}`
  const taken = await deps.limits.take([{ key, tenant, ...guesses }])
  if (!taken.allowed) throw commonRefusal(CommonReason.LIMIT_EXCEEDED, {}, { retryAfterSeconds: taken.retryAfterSeconds })
  const credential = await findCredential(deps.db, { tenant, userId })
  const right = await verifyPassword(deps, credential?.password_hash, input.password, input.signal)
  if (!right || !credential) return undefined
  await deps.limits.reset(key, tenant)
  return credential
}
