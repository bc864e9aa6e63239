import { create } from '@bufbuild/protobuf'
import { RefreshTokenReusedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import type { SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { addEvent } from '@gatehouse/events'
import { transact } from '@gatehouse/postgres'
import { findRefreshToken, type RefreshTokenInSession, type RefreshTokenRow } from '../../store/refresh-tokens.ts'
import { untouched } from '../../store/rotate-refresh-tokens.ts'
import { lockSession, raiseSessionVersion, type SessionRow } from '../../store/sessions.ts'
import { stranger } from '../audit/actor.ts'
import { audit } from '../audit/audit.ts'
import { concerning } from '../audit/refusals.ts'
import type { Db, Deps } from '../deps.ts'
import { resolveActivePerson } from '../people/resolve-person.ts'
import { policyOf, type WholePolicy } from '../policies/policy-of.ts'
import { endsOf, hasEnded, lifetimesIn } from '../policies/session-lifetimes.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { tellSuspicion } from '../suspicion/tell-suspicion.ts'
import type { OpenedSession } from './open-session.ts'
import { hashRefreshToken, successorOf } from './refresh-token.ts'
import { revokeSessionsOfUser } from './revoke-sessions.ts'
import { coarseNetwork, tidyUserAgent } from './seen-from.ts'
import { signedIn } from './signed-in.ts'
import { isTooWeak } from './too-weak.ts'

export interface RefreshSessionInput {
  readonly tenant: string
  readonly refreshToken: string
  readonly userAgent: string
  readonly source: string
}

/** Gives new tokens for a refresh token and uses it up. */
export async function refreshSession(deps: Deps, input: RefreshSessionInput): Promise<SignedInResult> {
  const { tenant } = input
  const hash = hashRefreshToken(input.refreshToken)
  const [found, policy] = await Promise.all([deps.batches.refreshToken({ tenant, hash }), policyOf(deps, tenant)])
  if (found) concerning(found.session.user_id, { session: found.session.id })
  if (!found || hasEnded(found.session, deps.now(), lifetimesIn(policy))) throw invalid()
  if (await isTooWeak(deps, found.session, policy)) throw invalid()

  const newest = await deps.keys.refreshKey(tenant)
  // A token that is used up for an answer that cannot be signed would be repeated, and be taken for stolen then.
  await deps.keys.signer(tenant)
  // A thief is stopped whether the user service answers or not; everybody else needs its word.
  const isLate = isTooLate(deps, found.token)
  const user = isLate ? undefined : await resolveActivePerson(deps, { tenant, userId: found.session.user_id })
  if (!user && !isLate) throw refuse(ErrorReason.PERSON_CANNOT_SIGN_IN)

  const successor = successorOf(input.refreshToken, newest.secret)
  const outcome =
    (await rotate(deps, input, found, { policy, keyVersion: newest.version, successor })) ??
    (await meetRepeat(deps, { tenant, hash, session: found.session }))
  if (outcome === undefined || !user) throw invalid()
  // A repeat may come after a rotation of the refresh keys: the successor stays the one of the version that made it.
  const isNewest = outcome.keyVersion === newest.version
  const refreshToken = isNewest
    ? successor
    : successorOf(input.refreshToken, (await deps.keys.refreshKey(tenant, outcome.keyVersion)).secret)
  return await signedIn(deps, { ...outcome, refreshToken }, user)
}

interface Outcome extends Pick<OpenedSession, 'session' | 'roles'> {
  /** Of the refresh key that the successor is derived with. */
  readonly keyVersion: number
}

/** `undefined` where somebody has used the token up, or the session has ended since. */
async function rotate(
  deps: Deps,
  input: RefreshSessionInput,
  { token, session }: RefreshTokenInSession,
  { policy, keyVersion, successor }: { policy: WholePolicy; keyVersion: number; successor: string },
): Promise<Outcome | undefined> {
  if (token.use_time !== null) return undefined
  const now = deps.now()
  const rotated = await deps.batches.rotation({
    tenant: input.tenant,
    token_hash: token.token_hash,
    successor_hash: hashRefreshToken(successor),
    key_version: keyVersion,
    time: new Date(now),
    ...endsOf(lifetimesIn(policy), session.create_time, now),
    user_agent: tidyUserAgent(input.userAgent),
    network: coarseNetwork(input.source),
  })
  return rotated === untouched ? undefined : { ...rotated, keyVersion }
}

/** A used-up token came (again): its successor once more, where that is harmless, or the end of the session. */
async function meetRepeat(
  deps: Deps,
  { tenant, hash, session: { id, user_id } }: { tenant: string; hash: Uint8Array; session: SessionRow },
): Promise<Outcome | undefined> {
  // Nobody can be told the successor while its key does not open: that is our fault and no theft, so the call is refused before anything ends.
  // Whoever repeats gets nothing either way.
  const used = await findRefreshToken(deps.db, { tenant, hash })
  if (used && used.key_version !== null) await deps.keys.refreshKey(tenant, used.key_version)
  const outcome = await transact(deps.db, async (tx) => {
    const session = await lockSession(tx, { tenant, id })
    const token = session && (await findRefreshToken(tx, { tenant, hash }))
    if (!session || !token || hasEnded(session, deps.now())) return 'ended'
    if (token.use_time === null) throw new Error('a refresh token is unused in a session that goes on, and yet was not rotated')
    const repeat = await judgeRepeat(tx, deps, token)
    if (repeat === 'harmless' && token.key_version !== null) return { session, keyVersion: token.key_version }
    if (repeat === 'overtaken') return 'ended'
    await endReused(tx, deps, session)
    return 'reused'
  })
  if (outcome === 'reused') {
    deps.committed()
    deps.log.warn({ tenant, person: user_id, session: id }, 'a used-up refresh token came back: the session has ended')
  }
  return typeof outcome === 'string' ? undefined : outcome
}

/**
 * `harmless`: two tabs, or an answer that got lost: a repeat soon after, while nobody has used the successor. `overtaken`: a step-up has used up the token or
 * its successor a moment ago; whoever was just refreshing is refused, and is no thief.
 */
async function judgeRepeat(tx: Db, deps: Deps, token: RefreshTokenRow): Promise<'harmless' | 'overtaken' | 'reused'> {
  if (isTooLate(deps, token)) return 'reused'
  if (token.successor_hash === null) return 'overtaken'
  const successor = await findRefreshToken(tx, { tenant: token.tenant, hash: token.successor_hash })
  if (successor?.use_time === null) return 'harmless'
  return successor?.successor_hash === null ? 'overtaken' : 'reused'
}

function isTooLate(deps: Deps, token: Pick<RefreshTokenRow, 'use_time'>): boolean {
  return token.use_time !== null && deps.now() - token.use_time.getTime() > deps.lifetimes.refreshGraceSeconds * 1000
}

/** Two parties hold the token and nobody can tell which is the thief: the session ends for both. */
async function endReused(tx: Db, deps: Deps, session: SessionRow): Promise<void> {
  const version = await raiseSessionVersion(tx, { tenant: session.tenant, id: session.id })
  await addEvent(tx, {
    schema: RefreshTokenReusedSchema,
    message: create(RefreshTokenReusedSchema, {
      sessionId: session.id,
      version: BigInt(version),
      userId: session.user_id,
      mailedApart: true,
    }),
    tenant: session.tenant,
    version,
  })
  const { tenant, id: sessionId, user_id: userId } = session
  await tellSuspicion(tx, deps, { tenant, kinds: ['refresh_token_reused'], userId, sessionId, mail: true })
  await audit(tx, {
    tenant,
    kind: 'refresh_token_reuse',
    result: 'refused',
    reason: 'REFRESH_TOKEN_INVALID',
    actor: stranger,
    subjectId: userId,
    sessionId,
  })
  await revokeSessionsOfUser(tx, deps, { tenant, userId, sessionId, cause: 'token_reused', by: stranger })
}

function invalid() {
  return refuse(ErrorReason.REFRESH_TOKEN_INVALID)
}
