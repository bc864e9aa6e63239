import { create } from '@bufbuild/protobuf'
import { PasswordChangedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { addEvent } from '@gatehouse/events'
import { transact } from '@gatehouse/postgres'
import { emailKey } from '@gatehouse/rpc'
import { replaceCredential } from '../../store/credentials.ts'
import { audit } from '../audit/audit.ts'
import { endOvertaken } from '../challenges/claim-challenge.ts'
import type { Deps } from '../deps.ts'
import { assertStrongSession } from '../factors/assert-strong-enough.ts'
import { forgetGuesses } from '../passwords/attempts.ts'
import { checkPasswordForm, tooWeak } from '../passwords/check-new-password.ts'
import { hashNewPassword } from '../passwords/hash-new-password.ts'
import { resolvePerson } from '../people/resolve-person.ts'
import { requireAllowed } from '../policies/allowed-factors.ts'
import { policyOf } from '../policies/policy-of.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { revokeSessionsOfUser } from '../sessions/revoke-sessions.ts'
import { checkCurrentPassword } from './check-current-password.ts'

export interface ChangePasswordInput {
  readonly tenant: string
  readonly userId: string
  /** The session of the call, which goes on. */
  readonly sessionId: string
  readonly currentPassword: string
  readonly newPassword: string
  readonly signal?: AbortSignal
}

/** Sets a person's new password and ends the other sessions; resets that were on their way are off. */
export async function changePassword(deps: Deps, input: ChangePasswordInput): Promise<void> {
  const { tenant, userId, sessionId } = input
  const policy = await policyOf(deps, tenant)
  requireAllowed(policy, 'password')
  await assertStrongSession(deps.db, policy, input)
  const checked = await checkCurrentPassword(deps, { ...input, password: input.currentPassword })
  checkPasswordForm(input.newPassword, 'newPassword', policy.passwordMinLength)
  if (input.newPassword === input.currentPassword) throw tooWeak('previous', 'newPassword')
  const person = await resolvePerson(deps, { tenant, by: { case: 'id', value: userId } })
  if (person?.state !== User_State.ACTIVE) throw refuse(ErrorReason.PERSON_CANNOT_SIGN_IN)
  const wanted = {
    password: input.newPassword,
    context: person,
    field: 'newPassword',
    least: policy.passwordMinLength,
    signal: input.signal,
  }
  const passwordHash = await hashNewPassword(deps, wanted)

  await transact(deps.db, async (tx) => {
    const time = new Date(deps.now())
    await endOvertaken(tx, { tenant, time, overtakes: { kinds: ['reset'], addressKey: emailKey(person.email) } })
    const change = { tenant, userId, checkedVersion: checked.version, passwordHash, time }
    const version = await replaceCredential(tx, change)
    // Somebody changed it while this one was being hashed: what was checked is no longer the password.
    if (version === undefined) throw refuse(ErrorReason.PASSWORD_WRONG)
    await revokeSessionsOfUser(tx, deps, { tenant, userId, exceptSessionId: sessionId, cause: 'password_changed' })
    // Whoever ended this session while the password was hashed is heard: what ends all of them has passed, or waits for the epoch that is held now.
    await assertStrongSession(tx, policy, input)
    const message = create(PasswordChangedSchema, { userId, version: BigInt(version) })
    await addEvent(tx, { schema: PasswordChangedSchema, message, tenant, version })
    await forgetGuesses(tx, deps, { tenant, userId, email: person.email })
    await audit(tx, { tenant, kind: 'password_change', subjectId: userId })
  })
  deps.committed()
}
