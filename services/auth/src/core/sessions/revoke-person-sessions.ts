import { transact } from '@gatehouse/postgres'
import type { EndCause } from '../../store/schema.ts'
import type { Deps } from '../deps.ts'
import { endGrants } from '../oidc/grants/end-grants.ts'
import { revokeSessionsOfUser } from './revoke-sessions.ts'

/** Ends every session of a person, every one but one, or those opened until a time. Answers how many it ended. `withGrants` ends what the person let clients do without a session too. */
export async function revokePersonSessions(
  deps: Pick<Deps, 'db' | 'now' | 'lifetimes' | 'committed'>,
  input: { tenant: string; userId: string; exceptSessionId?: string; openedUntil?: Date; cause: EndCause; withGrants?: boolean },
): Promise<number> {
  const { tenant, userId, openedUntil, withGrants = false } = input
  const { sessions, grants } = await transact(deps.db, async (tx) => ({
    sessions: await revokeSessionsOfUser(tx, deps, input),
    grants: withGrants
      ? await endGrants(tx, deps, { tenant, userId, ...(openedUntil && { givenUntil: openedUntil }) }, { cause: 'revoked' })
      : [],
  }))
  if (sessions > 0 || grants.length > 0) deps.committed()
  return sessions
}
