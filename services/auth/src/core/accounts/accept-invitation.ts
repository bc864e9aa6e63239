import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { emailKey } from '@gatehouse/rpc'
import { findCredential, firstVersion, insertCredential } from '../../store/credentials.ts'
import { readSessionEpoch } from '../../store/session-epochs.ts'
import { thePerson } from '../audit/actor.ts'
import { audit } from '../audit/audit.ts'
import { prove } from '../challenges/prove.ts'
import { requireNone } from '../connections/required-connection.ts'
import type { Deps } from '../deps.ts'
import { checkPasswordForm } from '../passwords/check-new-password.ts'
import { hashNewPassword } from '../passwords/hash-new-password.ts'
import { activatePerson } from '../people/change-person.ts'
import { resolvePerson } from '../people/resolve-person.ts'
import { policyOf } from '../policies/policy-of.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import type { SignInOutcome } from '../sessions/pending-sign-in.ts'
import type { SignInPlace } from './caller.ts'
import { openSessionOf } from './open-session-of.ts'

export interface AcceptInvitationInput {
  readonly tenant: string
  readonly token: string
  readonly password: string
  readonly place: SignInPlace
}

/**
 * Proves the mailbox of an invited person, sets the password and signs them in. Somebody active without a password was accepted
 * before and the answer got lost: the retry finishes it.
 */
export async function acceptInvitation(deps: Deps, input: AcceptInvitationInput): Promise<SignInOutcome> {
  const { tenant, token, place } = input
  const { passwordMinLength } = await policyOf(deps, tenant)
  checkPasswordForm(input.password, undefined, passwordMinLength)
  const proof = { case: 'token', value: token } as const
  const { challenge, secret } = await prove(deps, { tenant, purpose: 'accept_invitation', challengeId: '', proof })
  const userId = secret.user_id ?? ''
  const epoch = await readSessionEpoch(deps.db, { tenant, userId })
  const invited = await resolvePerson(deps, { tenant, by: { case: 'id', value: userId } })
  if (invited?.state !== User_State.INVITED && invited?.state !== User_State.ACTIVE) throw refuse(ErrorReason.PERSON_CANNOT_SIGN_IN)
  if (emailKey(invited.email) !== emailKey(secret.address)) throw refuse(ErrorReason.CHALLENGE_INVALID)
  await requireNone(deps, tenant, invited.email)
  if (await findCredential(deps.db, { tenant, userId })) throw refuse(ErrorReason.CHALLENGE_INVALID)

  const wanted = { password: input.password, context: invited, least: passwordMinLength, signal: place.signal }
  const passwordHash = await hashNewPassword(deps, wanted)
  const user = await activatePerson(deps, { tenant, userId })
  if (typeof user === 'string') throw refuse(ErrorReason.PERSON_CANNOT_SIGN_IN)
  return await openSessionOf(deps, {
    tenant,
    user,
    epoch,
    place,
    challenge,
    overtakes: { kinds: ['invitation', 'sign_up', 'reset'], addressKey: emailKey(secret.address), userId },
    async write(tx) {
      const credential = { tenant, userId, passwordHash, time: new Date(deps.now()) }
      if (!(await insertCredential(tx, credential))) throw refuse(ErrorReason.CHALLENGE_INVALID)
      const details = { by: 'invitation', challenge: challenge.id }
      await audit(tx, { tenant, kind: 'password_set', actor: thePerson(userId), subjectId: userId, details })
      return firstVersion
    },
  })
}
