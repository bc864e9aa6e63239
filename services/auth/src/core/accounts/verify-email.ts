import { ErrorReason as CommonReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { transact } from '@gatehouse/postgres'
import { commonRefusal, emailKey } from '@gatehouse/rpc'
import { firstVersion, insertCredential } from '../../store/credentials.ts'
import { readSessionEpoch } from '../../store/session-epochs.ts'
import { findSignUp, type SignUpRow } from '../../store/sign-ups.ts'
import { thePerson } from '../audit/actor.ts'
import { audit } from '../audit/audit.ts'
import { claimChallenge } from '../challenges/claim-challenge.ts'
import { type ProveInput, prove } from '../challenges/prove.ts'
import { requireNone } from '../connections/required-connection.ts'
import type { Deps } from '../deps.ts'
import { verifyPassword } from '../passwords/verify-password.ts'
import { registerPerson } from '../people/change-person.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import type { SignInOutcome } from '../sessions/pending-sign-in.ts'
import type { SignInPlace } from './caller.ts'
import { openSessionOf } from './open-session-of.ts'

export interface VerifyEmailInput {
  readonly tenant: string
  readonly challengeId: string
  readonly proof: ProveInput['proof']
  readonly password: string
  readonly place: SignInPlace
}

/**
 * Proves the mailbox of a sign-up, creates the person and signs them in. A crash between the two services is repaired by a retry: the
 * person's id was chosen at sign-up, and the challenge is used up only together with the credential.
 */
export async function verifyEmail(deps: Deps, input: VerifyEmailInput): Promise<SignInOutcome> {
  const { tenant, place } = input
  const { challenge } = await prove(deps, { ...input, purpose: 'verify_email' })
  const pending = await findSignUp(deps.db, { tenant, challengeId: challenge.id })
  if (!pending) throw refuse(ErrorReason.CHALLENGE_INVALID)
  if (input.challengeId === '') await checkPasswordOfSignUp(deps, pending, input)

  const userId = pending.user_id
  const epoch = await readSessionEpoch(deps.db, { tenant, userId })
  const email = challenge.address ?? ''
  await requireNone(deps, tenant, email)
  const user = await registerPerson(deps, { tenant, userId, email, name: pending.name, locale: pending.locale })
  if (user === 'person_state') throw refuse(ErrorReason.PERSON_CANNOT_SIGN_IN)
  if (user === 'email_taken') {
    const claim = { tenant, id: challenge.id, time: new Date(deps.now()), overtakes: { kinds: [] } }
    await transact(deps.db, (tx) => claimChallenge(tx, claim))
    throw refuse(ErrorReason.CHALLENGE_INVALID)
  }
  return await openSessionOf(deps, {
    tenant,
    user,
    epoch,
    place,
    challenge,
    overtakes: { kinds: ['sign_up'], addressKey: emailKey(email) },
    async write(tx) {
      const credential = { tenant, userId, passwordHash: pending.password_hash, time: new Date(deps.now()) }
      if (!(await insertCredential(tx, credential))) throw refuse(ErrorReason.CHALLENGE_INVALID)
      const details = { by: 'sign_up', challenge: challenge.id }
      await audit(tx, { tenant, kind: 'password_set', actor: thePerson(userId), subjectId: userId, details })
      return firstVersion
    },
  })
}

/** Guesses at the password of one sign-up in an hour; whoever forgot it signs up anew. */
const guesses = { count: 10, windowSeconds: 3600 }

/**
 * A stranger may have signed up this address with a password of their own. The owner's click alone must not adopt that password: where
 * the request was not made, it has to be known.
 */
async function checkPasswordOfSignUp(deps: Deps, pending: SignUpRow, input: VerifyEmailInput): Promise<void> {
  if (input.password === '') throw refuse(ErrorReason.PASSWORD_NEEDED)
  const key = `sign-up password ${pending.challenge_id}`
  const taken = await deps.limits.take([{ key, tenant: pending.tenant, ...guesses }])
  if (!taken.allowed) throw commonRefusal(CommonReason.LIMIT_EXCEEDED, {}, { retryAfterSeconds: taken.retryAfterSeconds })
  const right = await verifyPassword(deps, pending.password_hash, input.password, input.place.signal)
  if (!right) throw refuse(ErrorReason.PASSWORD_WRONG)
}
