import type Provider from 'oidc-provider'
import type { Session } from 'oidc-provider'
import { ANONYMOUS_SECONDS, cookieNames, sessionCookie } from '../cookies.ts'
import { currentContext } from '../current-context.ts'
import type { ProviderParts } from '../oidc-deps.ts'
import { keepAlso } from './keep-also.ts'

/** The session of ours that a finished interaction signs the browser in with. */
export interface SignedInSession {
  readonly id: string
  readonly generation: number
  /** When it ends if nobody uses it, in seconds since 1970: so long the browser keeps the cookie. */
  readonly expire?: number
}

/** Members that the library's types do not know of. */
interface SessionInside {
  oldId?: string
  touched?: boolean
  destroyed?: boolean
}

/** Makes the library's session ours: see the session adapter. */
export function ourSessions(
  provider: Provider,
  { acts, tenant, cookiesOfSession }: Pick<ProviderParts, 'acts' | 'tenant' | 'cookiesOfSession'>,
): void {
  keepAlso(provider.Session, 'gatehouse')
  const { prototype } = provider.Session
  const { loginAccount, resetIdentifier, destroy, persist } = prototype

  prototype.loginAccount = function signIn(details) {
    const stored = this.accountId === undefined && this.state !== undefined ? this.jti : undefined
    loginAccount.call(this, details)
    const session = signedInSession()
    // Without one the browser would be signed in to nothing that can be ended.
    if (session === undefined) throw new TypeError('an interaction signs in with a session')
    this.uid = session.id
    this.jti = acts.sessions.cookieOf(tenant, session.id, session.generation)
    if (session.expire !== undefined) this.exp = session.expire
    if (stored !== undefined) inside(this).oldId = stored
  }

  // The cookie follows from the row. A raise changes it, and nothing else does.
  prototype.resetIdentifier = function keepIdentifier() {
    if (this.accountId === undefined) resetIdentifier.call(this)
    else inside(this).touched = true
  }

  prototype.ensureClientContainer = function nameForClient(clientId) {
    if (this.sidFor(clientId) === undefined) this.sidFor(clientId, acts.sessions.sidOf(tenant, this.uid, clientId))
  }

  // Where the library refuses the first request of a browser, it makes the session of the next one after it has looked for one to save.
  prototype.persist = async function persistOrBegin() {
    if (typeof this.exp === 'number') return await persist.call(this)
    currentContext()?.oidc.cookies.set(cookieNames.session, this.jti, { ...sessionCookie })
    return await this.save(ANONYMOUS_SECONDS)
  }

  prototype.destroy = async function signOut() {
    if (this.accountId === undefined) return await destroy.call(this)
    await acts.sessions.end(tenant, this.uid)
    inside(this).destroyed = true
    const cookies = currentContext()?.oidc.cookies
    for (const name of cookiesOfSession) cookies?.set(name, null, { path: '/', httpOnly: true, secure: true, sameSite: 'strict' })
  }
}

/** A grant knows in which session it is given: the one of the request, unless whoever makes it says another. */
export function grantsOfSessions(provider: Provider): void {
  keepAlso(provider.Grant, 'sessionUid')
  const { prototype } = provider.Grant
  const { save } = prototype
  prototype.save = function saveInSession() {
    const grant = this as typeof this & { sessionUid?: string | undefined }
    grant.sessionUid ??= currentContext()?.oidc.session?.uid
    return save.call(this)
  }
}

function inside(session: Session): SessionInside {
  return session as Session & SessionInside
}

function signedInSession(): SignedInSession | undefined {
  const login = currentContext()?.oidc.entities.Interaction?.result?.login as { session?: SignedInSession } | undefined
  return login?.session
}
