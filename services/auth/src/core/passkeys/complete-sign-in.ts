import { transact } from '@gatehouse/postgres'
import { claimPasskeyAttempt } from '../../store/passkey-attempts.ts'
import { holdSessionEpoch, readSessionEpoch } from '../../store/session-epochs.ts'
import type { SignInPlace } from '../accounts/caller.ts'
import type { Deps } from '../deps.ts'
import { resolveActivePerson } from '../people/resolve-person.ts'
import { requireAllowed } from '../policies/allowed-factors.ts'
import { policyOf } from '../policies/policy-of.ts'
import { lifetimesIn } from '../policies/session-lifetimes.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { openSession, programClientId } from '../sessions/open-session.ts'
import type { SignInOutcome } from '../sessions/pending-sign-in.ts'
import { signedIn } from '../sessions/signed-in.ts'
import { findAttempt } from './attempts.ts'
import { passkeyMethods } from './ceremony.ts'
import { checkPasskey, usePasskey } from './check-passkey.ts'

export interface CompletePasskeySignInInput {
  readonly tenant: string
  readonly attemptId: string
  readonly passkeyJson: string
  readonly place: SignInPlace
}

/** Signs in whoever the passkey names. One that verified its owner is as strong as a sign-in gets: no next step follows. */
export async function completePasskeySignIn(deps: Deps, input: CompletePasskeySignInInput): Promise<SignInOutcome> {
  const { tenant, place } = input
  const policy = await policyOf(deps, tenant)
  requireAllowed(policy, 'passkey')
  const { id, challenge } = await findAttempt(deps, { tenant, id: input.attemptId, userId: null, sessionId: null })
  const checked = await checkPasskey(deps, { tenant, challenge }, input.passkeyJson)
  if (checked === undefined) {
    await claimPasskeyAttempt(deps.db, { tenant, id })
    throw refuse(ErrorReason.PASSKEY_INVALID)
  }
  const { user_id: userId } = checked.passkey
  const epoch = await readSessionEpoch(deps.db, { tenant, userId })
  const user = await resolveActivePerson(deps, { tenant, userId })
  if (!user) throw refuse(ErrorReason.PERSON_CANNOT_SIGN_IN)
  const opened = await transact(deps.db, async (tx) => {
    if (!(await claimPasskeyAttempt(tx, { tenant, id }))) throw refuse(ErrorReason.CONTINUATION_INVALID)
    if ((await holdSessionEpoch(tx, { tenant, userId })) !== epoch) throw refuse(ErrorReason.PERSON_CANNOT_SIGN_IN)
    // Overtaken by an answer that counts as far: the attempt is used up all the same.
    if (!(await usePasskey(tx, deps, checked))) return undefined
    const { userAgent, source, clientId = programClientId } = place
    return await openSession(tx, deps, { tenant, userId, clientId, userAgent, source, amr: passkeyMethods, lifetimes: lifetimesIn(policy) })
  })
  if (opened === undefined) {
    deps.log.warn({ tenant, person: userId, passkey: checked.passkey.id }, 'a passkey was overtaken')
    throw refuse(ErrorReason.PASSKEY_INVALID)
  }
  deps.committed()
  deps.log.info({ tenant, person: userId, session: opened.session.id, source: opened.session.network }, 'signed in')
  return { case: 'signedIn', value: await signedIn(deps, opened, user) }
}
