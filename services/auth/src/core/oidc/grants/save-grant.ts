import { transact } from '@gatehouse/postgres'
import { changeGrant, type GrantRow, insertGrant, lockGrant } from '../../../store/oidc/grants.ts'
import { type SessionRow, shareSession } from '../../../store/sessions.ts'
import { thePerson } from '../../audit/actor.ts'
import { audit } from '../../audit/audit.ts'
import type { Db, Deps } from '../../deps.ts'
import { hasEnded } from '../../policies/session-lifetimes.ts'
import type { NewGrant, Payload } from '../oidc-parts.ts'
import { rememberConsent } from './consents.ts'
import { tellGrant } from './end-grants.ts'
import { isOffline, mergeGrants } from './merge-grants.ts'

/**
 * Writes down what a person lets a client do, in addition to what the grant gives already: of two tabs at once neither loses its part. False where the grant, or its session, has ended meanwhile:
 * whoever ends one holds the same locks.
 */
export async function saveGrant(
  deps: Pick<Deps, 'db' | 'now' | 'committed'>,
  given: NewGrant & { readonly tenant: string },
): Promise<boolean> {
  const { tenant, sessionId, payload, consent } = given
  const saved = await transact(deps.db, async (tx) => {
    const now = new Date(deps.now())
    const session = await shareSession(tx, { tenant, id: sessionId })
    if (session === undefined || hasEnded(session, now.getTime()) || session.user_id !== payload.accountId) return undefined
    const { user_id: userId } = session
    if (consent) await rememberConsent(tx, { tenant, userId, clientId: String(payload.clientId) }, consent, now)
    return await addToGrant(tx, given, session, now)
  })
  if (saved === 'wider') deps.committed()
  return saved !== undefined
}

async function addToGrant(
  tx: Db,
  { tenant, id, payload: { jti: _, ...given }, ttlSeconds }: NewGrant & { readonly tenant: string },
  session: SessionRow,
  now: Date,
): Promise<'wider' | 'same' | undefined> {
  const of = { tenant, id, user_id: session.user_id, client_id: String(given.clientId), session_id: session.id }
  const expire = new Date(now.getTime() + ttlSeconds * 1000)
  const offline = isOffline(given)
  const fresh = {
    ...of,
    offline,
    payload: JSON.stringify(given),
    create_time: now,
    update_time: now,
    last_use_time: now,
    expire_time: expire,
  }
  if (await insertGrant(tx, { ...fresh, version: 1, end_time: null, end_cause: null })) return await tellGiven(tx, fresh, given, 1)

  const before = await lockGrant(tx, { tenant, id })
  if (before === undefined || before.end_time !== null) return undefined
  if (before.user_id !== of.user_id || before.client_id !== of.client_id) return undefined
  const known = JSON.parse(before.payload) as Payload
  const merged = mergeGrants(known, given)
  const version = before.version + 1
  const change = { payload: JSON.stringify(merged), offline: isOffline(merged), version, update_time: now }
  await changeGrant(tx, { tenant, id }, { ...change, expire_time: expire > before.expire_time ? expire : before.expire_time })
  return withoutTimes(known) === withoutTimes(merged) ? 'same' : await tellGiven(tx, { ...of, offline: change.offline }, merged, version)
}

async function tellGiven(
  tx: Db,
  grant: Pick<GrantRow, 'tenant' | 'id' | 'user_id' | 'client_id' | 'session_id' | 'offline'>,
  { openid }: Payload,
  version: number,
): Promise<'wider'> {
  const { tenant, id, user_id: subjectId, client_id: client, session_id: sessionId, offline } = grant
  await tellGrant(tx, { ...grant, version }, version === 1 ? 'given' : 'extended')
  const scopes = (openid as { readonly scope?: string } | undefined)?.scope ?? ''
  const details = { grant: id, client, scopes, offline: String(offline) }
  await audit(tx, { tenant, kind: 'grant_give', actor: thePerson(subjectId), subjectId, sessionId, details })
  return 'wider'
}

function withoutTimes({ iat: _, exp: __, ...rest }: Payload): string {
  return JSON.stringify(rest)
}
