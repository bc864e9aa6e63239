import { acrOf, strengthOf } from '@gatehouse/identity'
import type { Adapter, AdapterPayload, KoaContextWithOIDC } from 'oidc-provider'
import type { BrowserSession, SessionChange } from '../core/oidc/oidc-parts.ts'
import { currentContext } from './current-context.ts'
import type { ProviderParts } from './oidc-deps.ts'

type SessionParts = Pick<ProviderParts, 'acts' | 'tenant'>
type Authorizations = Readonly<Record<string, { readonly grantId?: string | undefined; readonly persistsLogout?: boolean | undefined }>>

const secondsOf = (time: Date): number => Math.floor(time.getTime() / 1000)

/**
 * The library's session is our session row: its cookie names one, its `uid` is the row's id, and it is not found once the row has ended or been raised. Only
 * what the library adds is written. A browser in which nobody is signed in has a record where a form has to be kept from forgers, and else none.
 */
export function sessionAdapter(parts: SessionParts): Partial<Adapter> {
  const { acts, tenant } = parts
  return {
    async find(cookie) {
      const session = await acts.sessions.findByCookie(tenant, cookie)
      if (session !== undefined) return found(parts, session)
      return toPayload(await acts.records.find(tenant, 'Session', cookie))
    },
    async findByUid(uid) {
      const session = await acts.sessions.findById(tenant, uid)
      return session === undefined ? undefined : found(parts, session)
    },
    async upsert(id, payload, ttlSeconds = 0) {
      if (payload.accountId === undefined) {
        // A stranger's cookie, true or not, makes the library save a session with each request.
        if (payload.state !== undefined) await acts.records.save(tenant, 'Session', id, payload, ttlSeconds)
        return
      }
      const uid = String(payload.uid)
      const change = changeOf(payload, before(uid))
      if (change !== undefined) await acts.sessions.save(tenant, uid, change)
    },
    async destroy(id) {
      await acts.records.destroy(tenant, 'Session', id)
    },
  }
}

function toPayload(payload: Readonly<Record<string, unknown>> | undefined): AdapterPayload | undefined {
  return payload === undefined ? undefined : { ...payload }
}

const seen = new WeakMap<KoaContextWithOIDC, Map<string, BrowserSession>>()

function found(parts: SessionParts, session: BrowserSession): AdapterPayload {
  const context = currentContext()
  if (context !== undefined) seen.set(context, (seen.get(context) ?? new Map()).set(session.id, session))
  return payloadOfSession(parts, session)
}

function before(id: string): BrowserSession | undefined {
  const context = currentContext()
  return context === undefined ? undefined : sessionSeen(context, id)
}

/** A session as the request found it. */
export function sessionSeen(context: KoaContextWithOIDC, id: string): BrowserSession | undefined {
  return seen.get(context)?.get(id)
}

function payloadOfSession({ acts, tenant }: SessionParts, session: BrowserSession): AdapterPayload {
  const authorizations = Object.entries(session.clients).map(([clientId, { grantId, persistsLogout }]) => [
    clientId,
    {
      sid: acts.sessions.sidOf(tenant, session.id, clientId),
      ...(grantId !== undefined && { grantId }),
      ...(persistsLogout && { persistsLogout }),
    },
  ])
  return {
    kind: 'Session',
    jti: acts.sessions.cookieOf(tenant, session.id, session.generation),
    uid: session.id,
    accountId: session.userId,
    loginTs: secondsOf(session.authTime),
    iat: secondsOf(session.authTime),
    exp: secondsOf(session.expireTime),
    amr: [...session.amr],
    acr: acrOf(strengthOf(session.amr)),
    ...(session.state !== undefined && { state: { ...session.state } }),
    authorizations: Object.fromEntries(authorizations),
    gatehouse: session.generation,
  }
}

/** What the library changed since it read the session; undefined where that is nothing. */
function changeOf(payload: AdapterPayload, known: BrowserSession | undefined): SessionChange | undefined {
  const state = payload.state as SessionChange['state']
  const clients = Object.entries((payload.authorizations ?? {}) as Authorizations).filter(
    ([clientId, { grantId, persistsLogout = false }]) => {
      const was = known?.clients[clientId]
      return grantId !== was?.grantId || persistsLogout !== (was?.persistsLogout ?? false)
    },
  )
  const stateChanged = JSON.stringify(state) !== JSON.stringify(known?.state)
  if (!stateChanged && clients.length === 0) return undefined
  return {
    ...(stateChanged && { state: state ?? null }),
    ...(clients.length > 0 && {
      clients: Object.fromEntries(clients.map(([id, { grantId, persistsLogout }]) => [id, { grantId, persistsLogout }])),
    }),
  }
}
