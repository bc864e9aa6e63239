import { transact } from '@gatehouse/postgres'
import { findRefreshToken } from '../../store/refresh-tokens.ts'
import { findSession } from '../../store/sessions.ts'
import { thePerson } from '../audit/actor.ts'
import type { Deps } from '../deps.ts'
import { hashRefreshToken } from './refresh-token.ts'
import { revokeSessionsOfUser } from './revoke-sessions.ts'

/** Ends the session of a refresh token, whichever of its tokens it is. An unknown one is fine. */
export async function signOut(deps: Deps, input: { tenant: string; refreshToken: string }): Promise<void> {
  const { tenant } = input
  const token = await findRefreshToken(deps.db, { tenant, hash: hashRefreshToken(input.refreshToken) })
  const session = token && (await findSession(deps.db, { tenant, id: token.session_id }))
  if (!session) return
  const ended = await transact(deps.db, (tx) =>
    revokeSessionsOfUser(tx, deps, {
      tenant,
      userId: session.user_id,
      sessionId: session.id,
      cause: 'signed_out',
      by: thePerson(session.user_id),
    }),
  )
  if (ended > 0) deps.committed()
}
