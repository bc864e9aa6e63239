import { create } from '@bufbuild/protobuf'
import { SessionRaisedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import type { FactorProof, NextStep } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { addEvent } from '@gatehouse/events'
import { type Strength, strongerOf } from '@gatehouse/identity'
import { transact } from '@gatehouse/postgres'
import { findFactors } from '../../store/factors.ts'
import { insertRefreshToken, useUpRefreshTokens } from '../../store/refresh-tokens.ts'
import { putSessionRaise } from '../../store/revocations.ts'
import { readSessionEpoch } from '../../store/session-epochs.ts'
import { findSession, lockSession, raiseSession } from '../../store/sessions.ts'
import type { SignInPlace } from '../accounts/caller.ts'
import { audit } from '../audit/audit.ts'
import type { Db, Deps } from '../deps.ts'
import { neededOf, reachOf } from '../factors/held-factors.ts'
import { resolveActivePerson } from '../people/resolve-person.ts'
import { allowedOf } from '../policies/allowed-factors.ts'
import { policyOf } from '../policies/policy-of.ts'
import { hasEnded, lifetimesIn, type SessionLifetimes } from '../policies/session-lifetimes.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import type { OpenedSession } from './open-session.ts'
import { beginNextStep, goOn, type SignInOutcome } from './pending-sign-in.ts'
import { hashRefreshToken, newRefreshToken } from './refresh-token.ts'
import { forgetTime } from './revoke-sessions.ts'
import { advance, showNextFactor } from './show-next-factor.ts'
import { signedIn } from './signed-in.ts'

interface SessionOfCaller {
  readonly tenant: string
  readonly userId: string
  readonly sessionId: string
}

/** Begins to raise a session. Whatever is asked for, a second factor that the person has is part of it: less would be a way around it. */
export async function beginStepUp(deps: Deps, input: SessionOfCaller & { strength: Strength }): Promise<NextStep> {
  const { tenant, userId, sessionId } = input
  const epoch = await readSessionEpoch(deps.db, { tenant, userId })
  const session = await findSession(deps.db, { tenant, id: sessionId })
  if (!session || session.end_time !== null) throw refuse(ErrorReason.SESSION_NOT_FOUND)
  const held = allowedOf(await policyOf(deps, tenant), await findFactors(deps.db, { tenant, userId }))
  if (input.strength > reachOf(held)) throw refuse(ErrorReason.STRENGTH_OUT_OF_REACH)

  const strength = strongerOf(input.strength, neededOf(held))
  const pending = { tenant, userId, sessionId, clientId: session.client_id, methods: [], strength, epoch }
  return await transact(deps.db, (tx) => beginNextStep(tx, deps, pending, { held, enrol: [] }))
}

export interface CompleteStepUpInput extends SessionOfCaller {
  readonly continuation: string
  readonly proof: FactorProof['proof']
  readonly place: SignInPlace
}

/** One more factor: the raised session with new tokens, or what is still missing. */
export async function completeStepUp(deps: Deps, input: CompleteStepUpInput): Promise<SignInOutcome> {
  const { tenant, sessionId } = input
  const pending = await goOn(deps, input)
  const policy = await policyOf(deps, tenant)
  const shown = await showNextFactor(deps, policy, pending, input.proof, input.place.signal)
  const [user] = await Promise.all([resolveActivePerson(deps, { tenant, userId: pending.user_id }), shown.forgetWrong?.()])
  if (!user) throw refuse(ErrorReason.PERSON_CANNOT_SIGN_IN)
  // A session whose tokens nobody can sign is not raised.
  await deps.keys.signer(tenant)
  const outcome = await transact(deps.db, async (tx) => {
    const { methods, held, reached } = await advance(tx, policy, pending, shown)
    const { strength, epoch, client_id: clientId } = pending
    const rest = { tenant, userId: user.id, sessionId, clientId, methods, strength, epoch }
    if (!reached) return await beginNextStep(tx, deps, rest, { held, enrol: [] })
    return await raise(tx, deps, { tenant, sessionId, methods, lifetimes: lifetimesIn(policy) })
  })
  if (!('session' in outcome)) return { case: 'nextStep', value: outcome }
  deps.committed()
  deps.log.info({ tenant, person: user.id, session: sessionId }, 'session raised')
  return { case: 'signedIn', value: await signedIn(deps, outcome, user) }
}

/** The same session with new tokens; those from before are dead, the refresh token among them. */
async function raise(
  tx: Db,
  deps: Deps,
  which: { tenant: string; sessionId: string; methods: readonly string[]; lifetimes: SessionLifetimes },
): Promise<OpenedSession> {
  const { tenant, sessionId: id } = which
  const time = new Date(deps.now())
  const before = await lockSession(tx, { tenant, id })
  if (!before || hasEnded(before, time.getTime(), which.lifetimes)) throw refuse(ErrorReason.SESSION_NOT_FOUND)
  const session = await raiseSession(tx, { tenant, id, methods: which.methods, time })
  await useUpRefreshTokens(tx, { tenant, sessionId: id, time })
  const refreshToken = newRefreshToken()
  await insertRefreshToken(tx, { tenant, token_hash: hashRefreshToken(refreshToken), session_id: id, create_time: time })
  await putSessionRaise(tx, { tenant, session_id: id, generation: session.generation, forget_time: forgetTime(deps, session) })
  const message = create(SessionRaisedSchema, { sessionId: id, version: BigInt(session.version), userId: session.user_id })
  await addEvent(tx, { schema: SessionRaisedSchema, message, tenant, version: session.version })
  const details = { methods: which.methods.join(' ') }
  await audit(tx, { tenant, kind: 'step_up', subjectId: session.user_id, sessionId: id, details })
  return { session, refreshToken }
}
