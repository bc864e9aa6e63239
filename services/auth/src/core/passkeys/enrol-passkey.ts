import { Factor, type SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { findFactors } from '../../store/factors.ts'
import { claimPasskeyAttempt } from '../../store/passkey-attempts.ts'
import { insertPasskey } from '../../store/passkeys.ts'
import type { SignInPlace } from '../accounts/caller.ts'
import type { Deps } from '../deps.ts'
import { type Continued, enrolFactor, requireEnrollable, whoEnrols } from '../factors/enrol-factor.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { type BegunAttempt, beginAttempt, findAttempt } from './attempts.ts'
import { passkeyMethods } from './ceremony.ts'
import { creationOptions } from './creation-options.ts'
import { checkNewPasskey, rowOfPasskey } from './new-passkey.ts'
import { relyingPartyOf } from './relying-party.ts'

/** Begins to register a passkey for somebody who is halfway in and must have a second factor first. */
export async function beginPasskeyEnrolment(
  deps: Deps,
  input: Continued,
): Promise<Omit<BegunAttempt, 'challenge'> & { optionsJson: string }> {
  const { pending, person, rules, user } = await whoEnrols(deps, input)
  await requireEnrollable(deps.db, rules, pending, Factor.PASSKEY)
  const { passkeys } = await findFactors(deps.db, person)
  const relyingParty = await relyingPartyOf(deps.db, person.tenant)
  const { challenge, ...attempt } = await beginAttempt(deps.db, deps, { ...person, sessionId: null })
  return { ...attempt, optionsJson: await creationOptions({ relyingParty, challenge }, user, passkeys) }
}

export interface CompletePasskeyEnrolmentInput extends Continued {
  readonly attemptId: string
  readonly passkeyJson: string
  /** What the person calls it; empty for a name of ours. */
  readonly name: string
  readonly place: SignInPlace
}

/** The passkey that the browser made ends the sign-in: it verified its owner when it was made, so nobody is asked for it once more. */
export async function completePasskeyEnrolment(
  deps: Deps,
  input: CompletePasskeyEnrolmentInput,
): Promise<{ signedIn: SignedInResult; recoveryCodes: string[] }> {
  const { attemptId, passkeyJson: json, name, place } = input
  const enrolling = await whoEnrols(deps, input)
  const { tenant, userId } = enrolling.person
  const { challenge } = await findAttempt(deps, { tenant, id: attemptId, userId, sessionId: null })
  const made = await checkNewPasskey(deps, { tenant, attemptId, challenge, json })
  const row = rowOfPasskey(deps, { tenant, userId, name }, made)
  const passkey = {
    factor: Factor.PASSKEY,
    methods: passkeyMethods,
    async write(tx) {
      if (!(await claimPasskeyAttempt(tx, { tenant, id: attemptId }))) throw refuse(ErrorReason.CONTINUATION_INVALID)
      if (!(await insertPasskey(tx, row))) throw refuse(ErrorReason.FACTOR_EXISTS)
    },
  } satisfies Parameters<typeof enrolFactor>[2]
  return await enrolFactor(deps, enrolling, passkey, place)
}
