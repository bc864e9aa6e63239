import { v7 as uuidv7 } from 'uuid'
import { claimPasskeyAttempt } from '../../store/passkey-attempts.ts'
import type { PasskeyRow } from '../../store/passkeys.ts'
import type { Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { PasskeyProblem } from './passkey-problem.ts'
import { relyingPartyOf } from './relying-party.ts'
import { type NewPasskey, verifyRegistration } from './verify-registration.ts'

/** Checks what a browser made; what is wrong uses the attempt up. */
export async function checkNewPasskey(
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

/** The passkey as it is kept; without a name of the person's it gets one of ours. */
export function rowOfPasskey(
  deps: Pick<Deps, 'now'>,
  { tenant, userId, name }: { tenant: string; userId: string; name: string },
  made: NewPasskey,
): PasskeyRow {
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
