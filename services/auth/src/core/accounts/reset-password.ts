import { create } from '@bufbuild/protobuf'
import { PasswordChangedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { addEvent } from '@gatehouse/events'
import { emailKey } from '@gatehouse/rpc'
import { findCredential, setCredential } from '../../store/credentials.ts'
import { readSessionEpoch } from '../../store/session-epochs.ts'
import { thePerson } from '../audit/actor.ts'
import { audit } from '../audit/audit.ts'
import { type ProveInput, prove } from '../challenges/prove.ts'
import { requireNone } from '../connections/required-connection.ts'
import type { Deps } from '../deps.ts'
import { endGrants } from '../oidc/grants/end-grants.ts'
import { forgetGuesses } from '../passwords/attempts.ts'
import { checkPasswordForm, tooWeak } from '../passwords/check-new-password.ts'
import { hashNewPassword } from '../passwords/hash-new-password.ts'
import { verifyPassword } from '../passwords/verify-password.ts'
import { resolvePerson } from '../people/resolve-person.ts'
import { requireAllowed } from '../policies/allowed-factors.ts'
import { policyOf } from '../policies/policy-of.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import type { SignInOutcome } from '../sessions/pending-sign-in.ts'
import { revokeSessionsOfUser } from '../sessions/revoke-sessions.ts'
import { tellSuspendedTried } from '../suspicion/tell-suspended-tried.ts'
import type { SignInPlace } from './caller.ts'
import { openSessionOf } from './open-session-of.ts'

export interface ResetPasswordInput {
  readonly tenant: string
  readonly challengeId: string
  readonly proof: ProveInput['proof']
  readonly password: string
  readonly place: SignInPlace
}

/** Sets a new password, ends every session of the person and signs them in anew. */
export async function resetPassword(deps: Deps, input: ResetPasswordInput): Promise<SignInOutcome> {
  const { tenant, place } = input
  const policy = await policyOf(deps, tenant)
  requireAllowed(policy, 'password')
  checkPasswordForm(input.password, undefined, policy.passwordMinLength)
  const { challenge, secret } = await prove(deps, { ...input, purpose: 'reset_password' })
  const userId = secret.user_id ?? ''
  const epoch = await readSessionEpoch(deps.db, { tenant, userId })
  const user = await resolvePerson(deps, { tenant, by: { case: 'id', value: userId } })
  if (user?.state !== User_State.ACTIVE) {
    await tellSuspendedTried(deps, tenant, user)
    throw refuse(ErrorReason.PERSON_CANNOT_SIGN_IN)
  }
  // The mail proved a mailbox that is no longer the person's.
  if (emailKey(user.email) !== emailKey(secret.address)) throw refuse(ErrorReason.CHALLENGE_INVALID)

  await requireNone(deps, tenant, user.email)
  await refuseClosed(deps, input, userId)
  const wanted = { password: input.password, context: user, least: policy.passwordMinLength, signal: place.signal }
  const passwordHash = await hashNewPassword(deps, wanted)
  return await openSessionOf(deps, {
    tenant,
    user,
    epoch,
    place,
    challenge,
    overtakes: { kinds: ['reset', 'sign_up'], addressKey: emailKey(user.email) },
    async write(tx) {
      const version = await setCredential(tx, { tenant, userId, passwordHash, time: new Date(deps.now()) })
      await revokeSessionsOfUser(tx, deps, { tenant, userId, cause: 'password_changed', by: thePerson(userId) })
      await endGrants(tx, deps, { tenant, userId }, { cause: 'password_reset', by: thePerson(userId) })
      const message = create(PasswordChangedSchema, { userId, version: BigInt(version) })
      await addEvent(tx, { schema: PasswordChangedSchema, message, tenant, version })
      await forgetGuesses(tx, deps, { tenant, userId, email: user.email })
      await audit(tx, { tenant, kind: 'password_reset', actor: thePerson(userId), subjectId: userId, details: { challenge: challenge.id } })
      return version
    },
  })
}

/** Whoever locked the account down did so because somebody else knows that password. */
async function refuseClosed(deps: Deps, { tenant, password, place }: ResetPasswordInput, userId: string): Promise<void> {
  const closed = (await findCredential(deps.db, { tenant, userId }))?.closed_hash ?? null
  if (closed !== null && (await verifyPassword(deps, closed, password, place.signal))) throw tooWeak('previous', undefined)
}
