import type { SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import type { User } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { transact } from '@gatehouse/postgres'
import { holdSessionEpoch } from '../../store/session-epochs.ts'
import { claimChallenge, type Overtaken } from '../challenges/claim-challenge.ts'
import type { Db, Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { deviceToken } from '../sessions/known-device.ts'
import { openSession } from '../sessions/open-session.ts'
import { signedIn } from '../sessions/signed-in.ts'
import type { SignInPlace } from './caller.ts'

export interface OpenSessionOfInput {
  readonly tenant: string
  /** As the user service just answered. */
  readonly user: User
  /** Of the person, read before the user service was asked. */
  readonly epoch: number
  readonly place: SignInPlace
  /** The challenge that was proven. */
  readonly challenge: { readonly id: string }
  /** Challenges that are pointless from now on. */
  readonly overtakes: Overtaken
  /** What the proof brings about; answers the version of the person's password then. */
  readonly write: (tx: Db) => Promise<number>
}

/**
 * Uses a proven challenge up, writes what it brings about and signs the person in, in one transaction. With all sessions of the person
 * ended since `epoch`, the person may be suspended by now: nothing is written, and the proof stays good for another try.
 */
export async function openSessionOf(deps: Deps, input: OpenSessionOfInput): Promise<SignedInResult> {
  const { tenant, user, place, overtakes } = input
  const { opened, credentialVersion } = await transact(deps.db, async (tx) => {
    const claim = { tenant, id: input.challenge.id, time: new Date(deps.now()), overtakes }
    if (!(await claimChallenge(tx, claim))) throw refuse(ErrorReason.CHALLENGE_INVALID)
    if ((await holdSessionEpoch(tx, { tenant, userId: user.id })) !== input.epoch) throw refuse(ErrorReason.PERSON_CANNOT_SIGN_IN)
    const credentialVersion = await input.write(tx)
    const opened = await openSession(tx, deps, {
      tenant,
      userId: user.id,
      userAgent: place.userAgent,
      source: place.source,
      ...(place.clientId !== undefined && { clientId: place.clientId }),
      amr: ['pwd'],
    })
    return { opened, credentialVersion }
  })
  deps.committed()
  const result = await signedIn(deps, opened, user)
  result.deviceToken = deviceToken(deps, { tenant, userId: user.id, credentialVersion }, place.deviceToken ?? '')
  return result
}
