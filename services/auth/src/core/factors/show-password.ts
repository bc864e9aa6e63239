import { Refusal } from '@gatehouse/rpc'
import { holdCredentialVersion } from '../../store/credentials.ts'
import { checkCurrentPassword } from '../accounts/check-current-password.ts'
import type { Deps } from '../deps.ts'
import type { FactorCheck, ShownFactor } from './shown-factor.ts'

/** The password, shown by somebody who is halfway in. */
export async function showPassword(
  deps: Pick<Deps, 'db' | 'now' | 'requestKeys' | 'hashing'>,
  check: FactorCheck,
  password: string,
): Promise<ShownFactor | undefined> {
  const credential = await checkCurrentPassword(deps, { ...check, password }).catch(undefinedIfWrong)
  if (!credential) return undefined
  return {
    methods: ['pwd'],
    use: async (tx) => (await holdCredentialVersion(tx, check)) === credential.version,
  }
}

/** A wrong password is a wrong factor like any other; everything else is refused as what it is. */
function undefinedIfWrong(error: unknown): undefined {
  if (error instanceof Refusal && error.reason === 'PASSWORD_WRONG') return undefined
  throw error
}
