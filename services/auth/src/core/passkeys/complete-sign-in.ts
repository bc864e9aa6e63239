import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { transact } from '@gatehouse/postgres'
import { findCredential } from '../../store/credentials.ts'
import { claimPasskeyAttempt } from '../../store/passkey-attempts.ts'
import { holdSessionEpoch, readSessionEpoch } from '../../store/session-epochs.ts'
import type { SignInPlace } from '../accounts/caller.ts'
import { requireNoneForPasskey } from '../connections/required-connection.ts'
import type { Deps } from '../deps.ts'
import { resolvePerson } from '../people/resolve-person.ts'
import { requireAllowed } from '../policies/allowed-factors.ts'
import { policyOf } from '../policies/policy-of.ts'
import { lifetimesIn } from '../policies/session-lifetimes.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { deviceToken, knownDevice } from '../sessions/known-device.ts'
import { openSession, programClientId } from '../sessions/open-session.ts'
import type { SignInOutcome } from '../sessions/pending-sign-in.ts'
import { signedIn } from '../sessions/signed-in.ts'
import { tellSuspendedTried } from '../suspicion/tell-suspended-tried.ts'
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
  // With the epoch: whatever changes the password raises it, and is seen below.
  const [epoch, credential] = await Promise.all([
    readSessionEpoch(deps.db, { tenant, userId }),
    findCredential(deps.db, { tenant, userId }),
  ])
  const user = await resolvePerson(deps, { tenant, by: { case: 'id', value: userId } })
  if (user?.state !== User_State.ACTIVE) {
    await tellSuspendedTried(deps, tenant, user)
    throw refuse(ErrorReason.PERSON_CANNOT_SIGN_IN)
  }
  await requireNoneForPasskey(deps, { tenant, id: userId, email: user.email })
  const owner = { tenant, userId, credentialVersion: credential?.version ?? 0 }
  const presented = place.deviceToken ?? ''
  const opened = await transact(deps.db, async (tx) => {
    if (!(await claimPasskeyAttempt(tx, { tenant, id }))) throw refuse(ErrorReason.CONTINUATION_INVALID)
    if ((await holdSessionEpoch(tx, { tenant, userId })) !== epoch) throw refuse(ErrorReason.PERSON_CANNOT_SIGN_IN)
    // Overtaken by an answer that counts as far, or held back: the attempt is used up all the same.
    if (!(await usePasskey(tx, deps, checked, { alone: true }))) return undefined
    const { userAgent, source, clientId = programClientId } = place
    const deviceKnown = knownDevice(deps, owner, presented) !== undefined
    const session = { tenant, userId, clientId, userAgent, source, amr: passkeyMethods, lifetimes: lifetimesIn(policy), deviceKnown }
    return await openSession(tx, deps, session)
  })
  if (opened === undefined) {
    deps.log.warn({ tenant, person: userId, passkey: checked.passkey.id }, 'a passkey was overtaken, or is held back since a lock-down')
    throw refuse(ErrorReason.PASSKEY_INVALID)
  }
  deps.committed()
  deps.log.info({ tenant, person: userId, session: opened.session.id, source: opened.session.network }, 'signed in')
  const result = await signedIn(deps, opened, user)
  result.deviceToken = deviceToken(deps, owner, presented)
  return { case: 'signedIn', value: result }
}
