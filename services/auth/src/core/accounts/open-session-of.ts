import type { User } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { Strength } from '@gatehouse/identity'
import { transact } from '@gatehouse/postgres'
import { holdCredentialVersion } from '../../store/credentials.ts'
import { findFactors } from '../../store/factors.ts'
import { holdSessionEpoch, readSessionEpoch } from '../../store/session-epochs.ts'
import { claimChallenge, type Overtaken } from '../challenges/claim-challenge.ts'
import { requireNone } from '../connections/required-connection.ts'
import type { Db, Deps } from '../deps.ts'
import { demandOf, rulesFor } from '../policies/demands.ts'
import { lifetimesIn } from '../policies/session-lifetimes.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { deviceToken, knownDevice } from '../sessions/known-device.ts'
import { openSession, programClientId } from '../sessions/open-session.ts'
import { beginNextStep, type SignInOutcome } from '../sessions/pending-sign-in.ts'
import { signedIn } from '../sessions/signed-in.ts'
import type { SignInPlace } from './caller.ts'

export interface OpenSessionOfInput {
  readonly tenant: string
  /** As the user service just answered. */
  readonly user: User
  /** Of the person, read before the user service was asked. */
  readonly epoch: number
  readonly place: SignInPlace
  /** The challenge that was proven; none where somebody else says who it is. */
  readonly challenge?: { readonly id: string }
  /** Challenges that are pointless from now on. */
  readonly overtakes?: Overtaken
  /** The connection that they come by. */
  readonly by?: string
  /** What was shown, where it is not the password that came along (RFC 8176). */
  readonly methods?: readonly string[]
  /** What the proof brings about; answers the version of the person's password where it sets one. Nothing where it only signs in. */
  readonly write?: (tx: Db) => Promise<number | undefined>
}

/**
 * Uses a proven challenge up, writes what it brings about and signs the person in, or asks for their second factor, in one transaction. With all sessions of the person
 * ended since `epoch`, the person may be suspended by now: nothing is written, and the proof stays good for another try.
 */
export async function openSessionOf(deps: Deps, input: OpenSessionOfInput): Promise<SignInOutcome> {
  const { tenant, user, place, challenge, overtakes = { kinds: [] } } = input
  await requireNone(deps, tenant, user.email, input.by)
  const rules = await rulesFor(deps, { tenant, userId: user.id })
  // Where nobody signs in with a password, setting one shows no more than the mailbox.
  const methods = input.methods ?? (rules.policy.factors.password ? ['pwd'] : ['mail'])
  const outcome = await transact(deps.db, async (tx) => {
    const claim = challenge && { tenant, id: challenge.id, time: new Date(deps.now()), overtakes, owner: user.id }
    if (claim && !(await claimChallenge(tx, claim))) throw refuse(ErrorReason.CHALLENGE_INVALID)
    if ((await holdSessionEpoch(tx, { tenant, userId: user.id })) !== input.epoch) throw refuse(ErrorReason.PERSON_CANNOT_SIGN_IN)
    const written = (await input.write?.(tx)) ?? undefined
    const { clientId = programClientId } = place
    const base = { tenant, userId: user.id, clientId }
    const demand = demandOf(rules, await findFactors(tx, base), methods)
    // What `write` did may have ended all sessions: go on from what is the epoch now.
    if (demand.strength > Strength.ONE_FACTOR) {
      const epoch = await readSessionEpoch(tx, base)
      return await beginNextStep(
        tx,
        deps,
        { ...base, sessionId: null, methods, strength: demand.strength, epoch },
        {
          ...demand,
          trustDays: rules.policy.trustedDeviceDays,
        },
      )
    }
    const { userAgent, source } = place
    const credentialVersion = written ?? (await holdCredentialVersion(tx, base)) ?? 0
    // Whoever sets a new password where they were known until now is told of the password, and not of their own device.
    const versions = written === undefined ? [credentialVersion] : [credentialVersion, credentialVersion - 1]
    const deviceKnown = versions.some(
      (version) => knownDevice(deps, { ...base, credentialVersion: version }, place.deviceToken ?? '') !== undefined,
    )
    const session = { ...base, userAgent, source, amr: methods, lifetimes: lifetimesIn(rules.policy), deviceKnown }
    return { opened: await openSession(tx, deps, session), credentialVersion }
  })
  deps.committed()
  if (!('opened' in outcome)) return { case: 'nextStep', value: outcome }
  const result = await signedIn(deps, outcome.opened, user)
  result.deviceToken = deviceToken(deps, { tenant, userId: user.id, credentialVersion: outcome.credentialVersion }, place.deviceToken ?? '')
  return { case: 'signedIn', value: result }
}
