import { create } from '@bufbuild/protobuf'
import { RefreshTokenReusedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import type { SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { addEvent } from '@gatehouse/events'
import { transact } from '@gatehouse/postgres'
import { findRefreshToken, insertRefreshToken, type RefreshTokenRow, useUpRefreshToken } from '../../store/refresh-tokens.ts'
import { findSession, lockSession, raiseSessionVersion, type SessionRow, touchSession } from '../../store/sessions.ts'
import type { Db, Deps } from '../deps.ts'
import type { RefreshKey } from '../keys/key-ring.ts'
import { resolveActivePerson } from '../people/resolve-person.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { hashRefreshToken, successorOf } from './refresh-token.ts'
import { revokeSessionsOfUser } from './revoke-sessions.ts'
import { coarseNetwork, tidyUserAgent } from './seen-from.ts'
import { signedIn } from './signed-in.ts'

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
  const found = await findRefreshToken(deps.db, { tenant, hash })
  const session = found && (await findSession(deps.db, { tenant, id: found.session_id }))
  if (!session || hasEnded(session, deps.now())) throw invalid()

  const newest = await deps.keys.refreshKey(tenant)
  // A thief is stopped whether the user service answers or not; everybody else needs its word.
  const user = isTooLate(deps, found) ? undefined : await resolveActivePerson(deps, { tenant, userId: session.user_id })
  if (!user && !isTooLate(deps, found)) throw refuse(ErrorReason.PERSON_CANNOT_SIGN_IN)

  const outcome = await transact(deps.db, (tx) => rotate(tx, deps, { ...input, hash, sessionId: session.id, newest }))
  if (outcome.kind === 'reused') {
    deps.committed()
    deps.log.warn({ tenant, person: session.user_id, session: session.id }, 'a used-up refresh token came back: the session has ended')
  }
  if (outcome.kind !== 'rotated' || !user) throw invalid()
  // A repeat may come after a rotation of the refresh keys: the successor stays the one of the version that made it.
  const key = outcome.keyVersion === newest.version ? newest : await deps.keys.refreshKey(tenant, outcome.keyVersion)
  return await signedIn(deps, { session: outcome.session, refreshToken: successorOf(input.refreshToken, key.secret) }, user)
}

type Outcome = { kind: 'rotated'; session: SessionRow; keyVersion: number } | { kind: 'ended' } | { kind: 'reused' }

/** Refreshes of one session pass here one after the other, behind the session's lock. */
async function rotate(
  tx: Db,
  deps: Deps,
  input: RefreshSessionInput & { hash: Uint8Array; sessionId: string; newest: RefreshKey },
): Promise<Outcome> {
  const { tenant, hash, newest } = input
  const now = deps.now()
  const session = await lockSession(tx, { tenant, id: input.sessionId })
  const token = session && (await findRefreshToken(tx, { tenant, hash }))
  if (!session || !token || hasEnded(session, now)) return { kind: 'ended' }

  if (token.use_time !== null) {
    if (token.key_version !== null && (await isHarmlessRepeat(tx, deps, token)))
      return { kind: 'rotated', session, keyVersion: token.key_version }
    await endReused(tx, deps, session)
    return { kind: 'reused' }
  }

  const successorHash = hashRefreshToken(successorOf(input.refreshToken, newest.secret))
  const time = new Date(now)
  await useUpRefreshToken(
    tx,
    { tenant, hash },
    {
      use_time: time,
      key_version: newest.version,
      successor_hash: successorHash,
    },
  )
  await insertRefreshToken(tx, { tenant, token_hash: successorHash, session_id: session.id, create_time: time })
  const idleExpireTime = Math.min(now + deps.lifetimes.sessionIdleSeconds * 1000, session.expire_time.getTime())
  const touched = await touchSession(
    tx,
    { tenant, id: session.id },
    {
      last_use_time: time,
      idle_expire_time: new Date(idleExpireTime),
      user_agent: tidyUserAgent(input.userAgent),
      network: coarseNetwork(input.source),
    },
  )
  return { kind: 'rotated', session: touched, keyVersion: newest.version }
}

/** Two tabs, or an answer that got lost: a repeat soon after, while nobody has used the successor. */
async function isHarmlessRepeat(tx: Db, deps: Deps, token: RefreshTokenRow): Promise<boolean> {
  if (token.use_time === null || token.successor_hash === null) return false
  if (isTooLate(deps, token)) return false
  const successor = await findRefreshToken(tx, { tenant: token.tenant, hash: token.successor_hash })
  return successor?.use_time === null
}

function isTooLate(deps: Deps, token: RefreshTokenRow): boolean {
  return token.use_time !== null && deps.now() - token.use_time.getTime() > deps.lifetimes.refreshGraceSeconds * 1000
}

/** Two parties hold the token and nobody can tell which is the thief: the session ends for both. */
async function endReused(tx: Db, deps: Deps, session: SessionRow): Promise<void> {
  const version = await raiseSessionVersion(tx, { tenant: session.tenant, id: session.id })
  await addEvent(tx, {
    schema: RefreshTokenReusedSchema,
    message: create(RefreshTokenReusedSchema, { sessionId: session.id, version: BigInt(version), userId: session.user_id }),
    tenant: session.tenant,
    version,
  })
  await revokeSessionsOfUser(tx, deps, {
    tenant: session.tenant,
    userId: session.user_id,
    sessionId: session.id,
    cause: 'token_reused',
  })
}

function hasEnded(session: SessionRow, now: number): boolean {
  return session.end_time !== null || session.idle_expire_time.getTime() <= now || session.expire_time.getTime() <= now
}

function invalid() {
  return refuse(ErrorReason.REFRESH_TOKEN_INVALID)
}
