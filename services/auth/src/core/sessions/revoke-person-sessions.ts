import { transact } from '@gatehouse/postgres'
import type { EndCause } from '../../store/schema.ts'
import type { Deps } from '../deps.ts'
import { revokeSessionsOfUser } from './revoke-sessions.ts'

/** Ends every session of a person, every one but one, or those opened until a time. Answers how many it ended. */
export async function revokePersonSessions(
  deps: Pick<Deps, 'db' | 'now' | 'lifetimes' | 'committed'>,
  input: { tenant: string; userId: string; exceptSessionId?: string; openedUntil?: Date; cause: EndCause },
): Promise<number> {
  const ended = await transact(deps.db, (tx) => revokeSessionsOfUser(tx, deps, input))
  if (ended > 0) deps.committed()
  return ended
}
