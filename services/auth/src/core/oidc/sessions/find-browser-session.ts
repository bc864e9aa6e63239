import { validate as isUuid } from 'uuid'
import { findSessionState, listSessionClients } from '../../../store/oidc/session-clients.ts'
import { findSession } from '../../../store/sessions.ts'
import type { Deps } from '../../deps.ts'
import { policyOf } from '../../policies/policy-of.ts'
import { endsOf, hasEnded, lifetimesIn } from '../../policies/session-lifetimes.ts'
import { isTooWeak } from '../../sessions/too-weak.ts'
import type { BrowserSession, Payload, SessionClient } from '../oidc-parts.ts'
import { readBrowserCookie } from './browser-cookie.ts'

type Reading = Pick<Deps, 'db' | 'batches' | 'lifetimes' | 'now' | 'challengeKeys'>

/** The session of a browser; none for a cookie from before the session was raised. */
export async function findByCookie(deps: Reading, tenant: string, value: string): Promise<BrowserSession | undefined> {
  const read = readBrowserCookie(deps, tenant, value)
  if (read === undefined) return undefined
  const session = await findBrowserSession(deps, { tenant, id: read.sessionId })
  return session?.generation === read.generation ? session : undefined
}

/** A session as refreshing it would find it: it goes on by what the policy says now, and is as strong as the policy asks. */
export async function findBrowserSession(
  deps: Reading,
  { tenant, id }: { tenant: string; id: string },
): Promise<BrowserSession | undefined> {
  if (!isUuid(id)) return undefined
  const key = { tenant, sessionId: id }
  const [row, policy, state, clients] = await Promise.all([
    findSession(deps.db, { tenant, id }),
    policyOf(deps, tenant),
    findSessionState(deps.db, key),
    listSessionClients(deps.db, key),
  ])
  if (row === undefined || hasEnded(row, deps.now(), lifetimesIn(policy)) || (await isTooWeak(deps, row, policy))) return undefined
  const byPolicy = endsOf(lifetimesIn(policy), row.create_time, row.last_use_time.getTime())
  const ends = [row.idle_expire_time, row.expire_time, byPolicy.idle_expire_time, byPolicy.expire_time]
  return {
    id,
    userId: row.user_id,
    generation: row.generation,
    authTime: row.auth_time,
    amr: row.amr,
    createTime: row.create_time,
    lastUseTime: row.last_use_time,
    expireTime: new Date(Math.min(...ends.map((end) => end.getTime()))),
    state: state === undefined ? undefined : (JSON.parse(state) as Payload),
    clients: Object.fromEntries(
      clients.map(({ client_id, grant_id, persists_logout }): [string, SessionClient] => [
        client_id,
        { grantId: grant_id ?? undefined, persistsLogout: persists_logout },
      ]),
    ),
  }
}
