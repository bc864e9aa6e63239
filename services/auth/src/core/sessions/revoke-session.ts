import { transact } from '@gatehouse/postgres'
import type { Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { revokeSessionsOfUser } from './revoke-sessions.ts'

/** Ends one of the person's own sessions. Somebody else's is refused as one that does not exist. */
export async function revokeSession(deps: Deps, input: { tenant: string; userId: string; sessionId: string }): Promise<void> {
  const ended = await transact(deps.db, (tx) => revokeSessionsOfUser(tx, deps, { ...input, cause: 'revoked' }))
  if (ended === 0) throw refuse(ErrorReason.SESSION_NOT_FOUND)
  deps.committed()
}
