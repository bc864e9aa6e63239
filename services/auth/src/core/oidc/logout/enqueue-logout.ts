import { insertLogout } from '../../../store/oidc/logouts.ts'
import type { Deps } from '../../deps.ts'

/** Has a client told that somebody signed out there, and only there: where the session itself ends, whoever ends it has every client told. */
export async function enqueueLogout(
  deps: Pick<Deps, 'db' | 'now'>,
  of: { tenant: string; sessionId: string; clientId: string; userId: string },
): Promise<void> {
  await insertLogout(deps.db, { ...of, now: new Date(deps.now()) })
}
