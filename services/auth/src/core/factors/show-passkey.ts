import type { Deps } from '../deps.ts'
import { passkeyMethods } from '../passkeys/ceremony.ts'
import { checkPasskey, usePasskey } from '../passkeys/check-passkey.ts'
import type { FactorCheck, ShownFactor } from './shown-factor.ts'

/** A passkey of the person, shown by somebody who is halfway in. */
export async function showPasskey(deps: Deps, check: FactorCheck, json: string): Promise<ShownFactor | undefined> {
  const { tenant, userId, passkeyChallenge: challenge } = check
  if (challenge === null) return undefined
  const checked = await checkPasskey(deps, { tenant, userId, challenge }, json)
  return checked && { methods: passkeyMethods, use: (tx) => usePasskey(tx, deps, checked, { alone: false }) }
}
