import { create } from '@bufbuild/protobuf'
import { SignedInSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { addEvent, type NewEvent } from '@gatehouse/events'
import { v7 as uuidv7 } from 'uuid'
import { insertRefreshToken } from '../../store/refresh-tokens.ts'
import { insertSession, type SessionRow } from '../../store/sessions.ts'
import { thePerson } from '../audit/actor.ts'
import { type Act, audit } from '../audit/audit.ts'
import type { Db, Deps } from '../deps.ts'
import { endsOf, type SessionLifetimes } from '../policies/session-lifetimes.ts'
import { judgeSignIn } from '../suspicion/judge-sign-in.ts'
import { hashRefreshToken, newRefreshToken } from './refresh-token.ts'
import { coarseNetwork, tidyUserAgent } from './seen-from.ts'

/** The first-party clients: programs that hold their refresh token, and pages whose browser holds it for them. */
export const programClientId = 'gatehouse'
export const consoleClientId = 'gatehouse-console'

export interface OpenSessionInput {
  readonly tenant: string
  readonly userId: string
  readonly clientId?: string
  readonly userAgent: string
  /** Address that the call came from. */
  readonly source: string
  /** How the person proved who they are (RFC 8176). */
  readonly amr: readonly string[]
  /** By the policy of the tenant. */
  readonly lifetimes: SessionLifetimes
}

/** A session with the one secret that is never read back from the store. */
export interface OpenedSession {
  readonly session: SessionRow
  readonly refreshToken: string
  /** Of the person, where the statement that wrote the session read them. */
  readonly roles?: readonly string[]
}

/** What opening a session writes. */
export interface NewSession extends OpenedSession {
  readonly tokenHash: Uint8Array
  readonly event: NewEvent<typeof SignedInSchema>
}

/** Makes a session that nobody has written yet. */
export function newSession(deps: Pick<Deps, 'now'>, input: OpenSessionInput): NewSession {
  const now = deps.now()
  const time = new Date(now)
  const session: SessionRow = {
    tenant: input.tenant,
    id: uuidv7(),
    user_id: input.userId,
    client_id: input.clientId ?? programClientId,
    create_time: time,
    last_use_time: time,
    ...endsOf(input.lifetimes, time, now),
    auth_time: time,
    amr: [...input.amr],
    user_agent: tidyUserAgent(input.userAgent),
    network: coarseNetwork(input.source),
    version: 1,
    generation: 0,
    end_time: null,
    end_cause: null,
  }
  const refreshToken = newRefreshToken()
  const message = create(SignedInSchema, { sessionId: session.id, version: BigInt(session.version), userId: session.user_id })
  return {
    session,
    refreshToken,
    tokenHash: hashRefreshToken(refreshToken),
    event: { schema: SignedInSchema, message, tenant: session.tenant, version: session.version },
  }
}

/** What the audit log says of a session that was opened. */
export function signInAct({ tenant, id, user_id, amr, client_id }: SessionRow, more: Readonly<Record<string, string>> = {}): Act {
  return {
    tenant,
    kind: 'sign_in',
    actor: thePerson(user_id),
    subjectId: user_id,
    sessionId: id,
    details: { methods: amr.join(' '), client: client_id, ...more },
  }
}

/**
 * Signs a person in within the caller's transaction: session, refresh token, event, entry, and what is suspicious about it. Whether the person may is the caller's
 * business, and whether they are known where they come from.
 */
export async function openSession(
  tx: Db,
  deps: Pick<Deps, 'now'>,
  input: OpenSessionInput & { readonly deviceKnown: boolean },
): Promise<OpenedSession> {
  const { session, refreshToken, tokenHash, event } = newSession(deps, input)
  const seen = await insertSession(tx, session)
  await insertRefreshToken(tx, { tenant: session.tenant, token_hash: tokenHash, session_id: session.id, create_time: session.create_time })
  await addEvent(tx, event)
  await audit(tx, signInAct(session))
  await judgeSignIn(tx, deps, { session, seen, deviceKnown: input.deviceKnown })
  return { session, refreshToken }
}
