import { holdCredentialVersion } from '../../store/credentials.ts'
import { credentialOf } from '../accounts/check-current-password.ts'
import type { Deps } from '../deps.ts'
import type { FactorCheck, ShownFactor } from './shown-factor.ts'

/** The password, shown by somebody who is halfway in. */
export async function showPassword(
  deps: Pick<Deps, 'db' | 'limits' | 'hashing'>,
  check: FactorCheck,
  password: string,
): Promise<ShownFactor | undefined> {
  const credential = await credentialOf(deps, { ...check, password })
  if (!credential) return undefined
  return {
    methods: ['pwd'],
    use: async (tx) => (await holdCredentialVersion(tx, check)) === credential.version,
  }
}
