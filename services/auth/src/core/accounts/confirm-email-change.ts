import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { transact } from '@gatehouse/postgres'
import { emailKey } from '@gatehouse/rpc'
import { notePreviousAddress } from '../../store/challenges.ts'
import { audit } from '../audit/audit.ts'
import { claimChallenge } from '../challenges/claim-challenge.ts'
import { openChallenge } from '../challenges/open-challenge.ts'
import { type ProveInput, prove } from '../challenges/prove.ts'
import { requireNone } from '../connections/required-connection.ts'
import type { Db, Deps } from '../deps.ts'
import { assertStrongSession } from '../factors/assert-strong-enough.ts'
import { changePersonEmail } from '../people/change-person.ts'
import { resolvePerson } from '../people/resolve-person.ts'
import { policyOf } from '../policies/policy-of.ts'
import { ErrorReason, refuse } from '../refuse.ts'

export interface ConfirmEmailChangeInput {
  readonly tenant: string
  readonly userId: string
  /** The session of the call. */
  readonly sessionId: string
  readonly challengeId: string
  readonly proof: ProveInput['proof']
}

/**
 * Proves the caller's new address and changes to it; the old one is told. The old address is noted before it is replaced, so that a
 * retry after a crash still knows whom to tell. The session is asked, as where the change was requested: a token may be younger than the end of its session.
 */
export async function confirmEmailChange(
  deps: Pick<Deps, 'db' | 'users' | 'batches' | 'lifetimes' | 'now' | 'challengeKeys' | 'committed'>,
  input: ConfirmEmailChangeInput,
): Promise<void> {
  const { tenant, userId } = input
  await assertStrongSession(deps.db, await policyOf(deps, tenant), input)
  const { challenge, secret } = await prove(deps, { ...input, purpose: 'change_email' })
  const person = await resolvePerson(deps, { tenant, by: { case: 'id', value: userId } })
  if (person?.state !== User_State.ACTIVE) throw refuse(ErrorReason.PERSON_CANNOT_SIGN_IN)
  // Whoever has their address of a company that says how its people come would come past it with another one.
  await requireNone(deps, tenant, person.email)
  const previous = await notePreviousAddress(deps.db, challenge, person.email)

  const changed = await changePersonEmail(deps, { tenant, userId, email: secret.address })
  if (changed === 'person_state') throw refuse(ErrorReason.PERSON_CANNOT_SIGN_IN)
  const time = new Date(deps.now())
  const claim = (tx: Db) => claimChallenge(tx, { tenant, id: challenge.id, time, overtakes: { kinds: ['email_change'], userId } })
  if (changed === 'email_taken') {
    await transact(deps.db, claim)
    throw refuse(ErrorReason.EMAIL_TAKEN)
  }
  await transact(deps.db, async (tx) => {
    if (!(await claim(tx))) throw refuse(ErrorReason.CHALLENGE_INVALID)
    await audit(tx, { tenant, kind: 'email_change', subjectId: userId, details: { challenge: challenge.id } })
    // Another spelling of the same mailbox needs no warning.
    if (emailKey(previous) === emailKey(secret.address)) return
    await openChallenge(tx, { tenant, kind: 'email_changed', address: previous, userId, time })
  })
  deps.committed()
}
