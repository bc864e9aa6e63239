import { transact } from '@gatehouse/postgres'
import { putSessionClient, putSessionState } from '../../../store/oidc/session-clients.ts'
import { findSession } from '../../../store/sessions.ts'
import { thePerson } from '../../audit/actor.ts'
import type { Deps } from '../../deps.ts'
import { revokeSessionsOfUser } from '../../sessions/revoke-sessions.ts'
import type { SessionChange } from '../oidc-parts.ts'

/** Writes what of a browser's session is the library's. */
export async function saveBrowserSession(
  deps: Pick<Deps, 'db' | 'now'>,
  { tenant, id }: { tenant: string; id: string },
  { state, clients = {} }: SessionChange,
): Promise<void> {
  const changed = Object.entries(clients)
  if (state === undefined && changed.length === 0) return
  await transact(deps.db, async (tx) => {
    const now = new Date(deps.now())
    const key = { tenant, sessionId: id }
    // The library's page may come back after the session has been forgotten.
    if ((await findSession(tx, { tenant, id })) === undefined) return
    if (state !== undefined) await putSessionState(tx, key, state === null ? null : JSON.stringify(state), now)
    // In one order for everybody: two tabs that save the same clients do not wait for each other.
    for (const [clientId, { grantId, persistsLogout }] of changed.sort(([a], [b]) => (a < b ? -1 : 1)))
      await putSessionClient(tx, { ...key, clientId, grantId, persistsLogout, now })
  })
}

/** Signs the person out in that browser. Fine twice. */
export async function endBrowserSession(
  deps: Pick<Deps, 'db' | 'now' | 'lifetimes' | 'committed'>,
  { tenant, id }: { tenant: string; id: string },
): Promise<void> {
  const session = await findSession(deps.db, { tenant, id })
  if (session === undefined || session.end_time !== null) return
  const of = { tenant, userId: session.user_id, sessionId: id, cause: 'signed_out', by: thePerson(session.user_id) } as const
  if ((await transact(deps.db, (tx) => revokeSessionsOfUser(tx, deps, of))) > 0) deps.committed()
}
