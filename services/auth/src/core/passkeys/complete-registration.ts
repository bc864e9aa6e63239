import type { Passkey } from '@gatehouse/contracts/gatehouse/auth/v1/passkey_service_pb'
import { claimPasskeyAttempt } from '../../store/passkey-attempts.ts'
import { insertPasskey } from '../../store/passkeys.ts'
import type { Deps } from '../deps.ts'
import { changeFactors } from '../factors/change-factors.ts'
import { makeRecoveryCodesIfNone } from '../factors/recovery-codes.ts'
import { requireAllowed } from '../policies/allowed-factors.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { findAttempt } from './attempts.ts'
import { mostPasskeys, type RegisteringPerson } from './begin-registration.ts'
import { describePasskey } from './describe-passkey.ts'
import { checkNewPasskey, rowOfPasskey } from './new-passkey.ts'

export interface CompletePasskeyRegistrationInput extends RegisteringPerson {
  readonly attemptId: string
  readonly passkeyJson: string
  /** What the person calls it; empty for a name of ours. */
  readonly name: string
}

/** Registers the passkey that the browser of this session made. */
export async function completePasskeyRegistration(
  deps: Deps,
  input: CompletePasskeyRegistrationInput,
): Promise<{ passkey: Passkey; recoveryCodes: string[] }> {
  const { tenant, userId, sessionId, attemptId } = input
  const { challenge } = await findAttempt(deps, { tenant, id: attemptId, userId, sessionId })
  const made = await checkNewPasskey(deps, { tenant, attemptId, challenge, json: input.passkeyJson })
  const registered = await changeFactors(deps, input, async (tx, held, policy) => {
    requireAllowed(policy, 'passkey')
    if (!(await claimPasskeyAttempt(tx, { tenant, id: attemptId }))) throw refuse(ErrorReason.CONTINUATION_INVALID)
    if (held.passkeys.length >= mostPasskeys) throw refuse(ErrorReason.FACTOR_EXISTS)
    const row = rowOfPasskey(deps, input, made)
    if (!(await insertPasskey(tx, row))) throw refuse(ErrorReason.FACTOR_EXISTS)
    const recoveryCodes = await makeRecoveryCodesIfNone(tx, deps, { tenant, userId }, { held, policy })
    return { result: { row, recoveryCodes }, changed: 'passkey_added' }
  })
  deps.log.info({ tenant, person: userId, passkey: registered.row.id }, 'passkey registered')
  return { passkey: describePasskey(registered.row), recoveryCodes: registered.recoveryCodes }
}
