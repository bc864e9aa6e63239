import { create } from '@bufbuild/protobuf'
import { SessionRevokedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { addEvent } from '@gatehouse/events'
import { endGrantsOfSessions } from '../../store/oidc/ended-sessions.ts'
import { insertRevocations } from '../../store/revocations.ts'
import type { EndCause } from '../../store/schema.ts'
import { nextSessionEpoch } from '../../store/session-epochs.ts'
import { endSessions, type SessionRow } from '../../store/sessions.ts'
import type { Actor } from '../audit/actor.ts'
import { audit } from '../audit/audit.ts'
import type { Db, Deps } from '../deps.ts'

export interface RevokeSessionsInput {
  readonly tenant: string
  readonly userId: string
  /** Only this one; without it every session of the person. */
  readonly sessionId?: string
  readonly exceptSessionId?: string
  /** Leaves sessions alone that were opened later: the fact that ends them is that old. */
  readonly openedUntil?: Date
  readonly cause?: EndCause
  /** Who ends them, where it is not the caller of the call. */
  readonly by?: Actor
}

/** Ends a person's sessions within the caller's transaction and tells everybody. Answers how many it ended. */
export async function revokeSessionsOfUser(tx: Db, deps: Pick<Deps, 'now' | 'lifetimes'>, input: RevokeSessionsInput): Promise<number> {
  // A sign-in that began before this must not slip a session in behind it.
  if (input.sessionId === undefined) await nextSessionEpoch(tx, input)
  const ended = await endSessions(
    tx,
    {
      tenant: input.tenant,
      userId: input.userId,
      ...(input.sessionId === undefined ? {} : { id: input.sessionId }),
      ...(input.exceptSessionId === undefined ? {} : { exceptId: input.exceptSessionId }),
      ...(input.openedUntil === undefined ? {} : { createdUntil: input.openedUntil }),
    },
    { time: new Date(deps.now()), cause: input.cause ?? 'revoked' },
  )
  await endGrantsOfSessions(tx, ended, new Date(deps.now()))
  for (const session of ended) await tellRevoked(tx, session)
  await audit(
    tx,
    ...ended.map((session) => ({
      tenant: session.tenant,
      kind: 'session_end',
      subjectId: session.user_id,
      sessionId: session.id,
      details: { cause: input.cause ?? 'revoked' },
      ...(input.by && { actor: input.by }),
    })),
  )
  await insertRevocations(
    tx,
    ended.map((session) => ({
      tenant: session.tenant,
      session_id: session.id,
      forget_time: forgetTime(deps, session),
    })),
  )
  return ended.length
}

async function tellRevoked(tx: Db, session: SessionRow): Promise<void> {
  await addEvent(tx, {
    schema: SessionRevokedSchema,
    message: create(SessionRevokedSchema, { sessionId: session.id, version: BigInt(session.version), userId: session.user_id }),
    tenant: session.tenant,
    version: session.version,
  })
}

/** A verifier's clock may be behind ours by this much. */
const clockLeewaySeconds = 60

/** What a client gets for a resource may live as long as this, however short our own tokens live. */
export const longestTokenSeconds = 600

/** After this no token that was made before is alive anywhere. */
export function forgetTime(deps: Pick<Deps, 'now' | 'lifetimes'>, { end_time }: Pick<SessionRow, 'end_time'>): Date {
  const ended = end_time?.getTime() ?? deps.now()
  return new Date(ended + (Math.max(deps.lifetimes.accessTokenSeconds, longestTokenSeconds) + clockLeewaySeconds) * 1000)
}
