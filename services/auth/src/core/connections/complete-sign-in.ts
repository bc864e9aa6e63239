import { type User, User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { findIdentity, markLinked, useIdentity } from '../../store/connections/linked-identities.ts'
import { readSessionEpoch } from '../../store/session-epochs.ts'
import type { SignInPlace } from '../accounts/caller.ts'
import { openSessionOf } from '../accounts/open-session-of.ts'
import { concerning } from '../audit/refusals.ts'
import type { Db } from '../deps.ts'
import { resolvePerson } from '../people/resolve-person.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import type { SignInOutcome } from '../sessions/pending-sign-in.ts'
import { tellSuspendedTried } from '../suspicion/tell-suspended-tried.ts'
import { accountOf } from './account-of.ts'
import { tellLinked } from './identities.ts'
import { mapGroups } from './map-identity.ts'
import { type ConnectionDeps, failed, nobodyYet, type RedeemInput, redeem } from './redeem.ts'
import { requireNone } from './required-connection.ts'

/** Stands in `amr` for a provider elsewhere that said who it is. */
export const federatedMethod = 'fed'

export interface CompleteConnectionSignInInput extends Omit<RedeemInput, 'userId' | 'sessionId'> {
  readonly place: SignInPlace
}

/** Signs in whoever a provider elsewhere knows, or asks for what their second factor needs. Who that is here is said by issuer and subject alone. */
export async function completeConnectionSignIn(deps: ConnectionDeps, input: CompleteConnectionSignInInput): Promise<SignInOutcome> {
  const { tenant, place } = input
  const { connection, assertion } = await redeem(deps, { ...input, ...nobodyYet })
  const subject = { tenant, issuer: assertion.issuer, subject: assertion.subject }
  const known = await findIdentity(deps.db, subject)
  const identity = known !== undefined && known.link_time !== null ? known : await accountOf(deps, connection, assertion)
  const userId = identity.user_id
  concerning(userId)
  // Read before it is asked who that is: whatever ends all their sessions from then on is seen below.
  const epoch = await readSessionEpoch(deps.db, { tenant, userId })
  const user = await activePerson(deps, tenant, userId)
  await requireNone(deps, tenant, user.email, connection.connection_id)
  // A session whose tokens nobody can sign is not opened.
  await deps.keys.signer(tenant)
  await mapGroups(deps, connection, assertion, userId)
  const seen = async (tx: Db) => {
    const time = new Date(deps.now())
    if (identity.link_time === null && (await markLinked(tx, subject, userId, time))) await tellLinked(tx, identity)
    if (!(await useIdentity(tx, subject, userId, time))) throw failed(deps, connection, 'the link went meanwhile')
    return undefined
  }
  return await openSessionOf(deps, { tenant, user, epoch, place, methods: [federatedMethod], by: connection.connection_id, write: seen })
}

async function activePerson(deps: ConnectionDeps, tenant: string, userId: string): Promise<User> {
  const user = await resolvePerson(deps, { tenant, by: { case: 'id', value: userId } })
  if (user?.state === User_State.ACTIVE) return user
  await tellSuspendedTried(deps, tenant, user)
  throw refuse(ErrorReason.PERSON_CANNOT_SIGN_IN)
}
