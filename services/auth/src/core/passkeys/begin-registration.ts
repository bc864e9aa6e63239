import { findFactors } from '../../store/factors.ts'
import type { Deps } from '../deps.ts'
import { assertStrongEnough } from '../factors/assert-strong-enough.ts'
import { resolveActivePerson } from '../people/resolve-person.ts'
import { allowedOf, requireAllowed } from '../policies/allowed-factors.ts'
import { policyOf } from '../policies/policy-of.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { type BegunAttempt, beginAttempt } from './attempts.ts'
import { creationOptions } from './creation-options.ts'
import { relyingPartyOf } from './relying-party.ts'

/** Nobody keeps track of more, and every one is a way in. */
export const mostPasskeys = 20

/** A signed-in person, as their token says. */
export interface RegisteringPerson {
  readonly tenant: string
  readonly userId: string
  readonly sessionId: string
  /** `gatehouse.options.v1.Strength` of the session. */
  readonly strength: number
}

/** Begins to register a passkey: what to ask the browser of the session that asks. */
export async function beginPasskeyRegistration(
  deps: Pick<Deps, 'db' | 'now' | 'users' | 'batches' | 'lifetimes'>,
  person: RegisteringPerson,
): Promise<Omit<BegunAttempt, 'challenge'> & { optionsJson: string }> {
  const { tenant, userId, sessionId } = person
  const policy = await policyOf(deps, tenant)
  requireAllowed(policy, 'passkey')
  const held = await findFactors(deps.db, { tenant, userId })
  assertStrongEnough(person.strength, allowedOf(policy, held))
  if (held.passkeys.length >= mostPasskeys) throw refuse(ErrorReason.FACTOR_EXISTS)
  const user = await resolveActivePerson(deps, { tenant, userId })
  if (!user) throw refuse(ErrorReason.PERSON_CANNOT_SIGN_IN)
  const relyingParty = await relyingPartyOf(deps.db, tenant)
  const { challenge, ...attempt } = await beginAttempt(deps.db, deps, { tenant, userId, sessionId })
  return { ...attempt, optionsJson: await creationOptions({ relyingParty, challenge }, user, held.passkeys) }
}
