import type { Passkey } from '@gatehouse/contracts/gatehouse/auth/v1/passkey_service_pb'
import { v7 as uuidv7 } from 'uuid'
import { claimPasskeyAttempt } from '../../store/passkey-attempts.ts'
import { insertPasskey, type PasskeyRow } from '../../store/passkeys.ts'
import type { Deps } from '../deps.ts'
import { changeFactors } from '../factors/change-factors.ts'
import { makeRecoveryCodesIfNone } from '../factors/recovery-codes.ts'
import { requireAllowed } from '../policies/allowed-factors.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { findAttempt } from './attempts.ts'
import { mostPasskeys, type RegisteringPerson } from './begin-registration.ts'
import { describePasskey } from './describe-passkey.ts'
import { PasskeyProblem } from './passkey-problem.ts'
import { relyingPartyOf } from './relying-party.ts'
import { type NewPasskey, verifyRegistration } from './verify-registration.ts'

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
  const made = await verified(deps, { tenant, attemptId, challenge, json: input.passkeyJson })
  const registered = await changeFactors(deps, input, async (tx, held, policy) => {
    requireAllowed(policy, 'passkey')
    if (!(await claimPasskeyAttempt(tx, { tenant, id: attemptId }))) throw refuse(ErrorReason.CONTINUATION_INVALID)
    if (held.passkeys.length >= mostPasskeys) throw refuse(ErrorReason.FACTOR_EXISTS)
    const row = rowOf(deps, input, made)
    if (!(await insertPasskey(tx, row))) throw refuse(ErrorReason.FACTOR_EXISTS)
    const recoveryCodes = await makeRecoveryCodesIfNone(tx, deps, { tenant, userId }, { held, policy })
    return { result: { row, recoveryCodes }, changed: 'passkey_added' }
  })
  deps.log.info({ tenant, person: userId, passkey: registered.row.id }, 'passkey registered')
  return { passkey: describePasskey(registered.row), recoveryCodes: registered.recoveryCodes }
}

async function verified(
  deps: Pick<Deps, 'db' | 'log'>,
  { tenant, attemptId, challenge, json }: { tenant: string; attemptId: string; challenge: Uint8Array; json: string },
): Promise<NewPasskey> {
  try {
    return await verifyRegistration({ relyingParty: await relyingPartyOf(deps.db, tenant), challenge }, json)
  } catch (error) {
    if (!(error instanceof PasskeyProblem)) throw error
    deps.log.info({ tenant, why: error.message }, 'passkey refused')
    await claimPasskeyAttempt(deps.db, { tenant, id: attemptId })
    throw refuse(ErrorReason.PASSKEY_INVALID)
  }
}

function rowOf(deps: Pick<Deps, 'now'>, { tenant, userId, name }: CompletePasskeyRegistrationInput, made: NewPasskey): PasskeyRow {
  return {
    tenant,
    id: uuidv7(),
    user_id: userId,
    credential_id: made.credentialId,
    public_key: made.publicKey,
    sign_count: BigInt(made.signCount),
    transports: [...made.transports],
    backup_eligible: made.backupEligible,
    backed_up: made.backedUp,
    name: name.trim() || 'Passkey',
    create_time: new Date(deps.now()),
    last_use_time: null,
  }
}
