import type { SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { type Call, commonRefusal } from '@gatehouse/rpc'
import type { Deps } from '../core/deps.ts'
import { browserCookie } from '../core/oidc/sessions/browser-cookie.ts'
import { deviceKnownSeconds } from '../core/sessions/known-device.ts'
import { consoleClientId, programClientId } from '../core/sessions/open-session.ts'
import type { SignInOutcome } from '../core/sessions/pending-sign-in.ts'
import { longestTrustSeconds } from '../core/sessions/trusted-device.ts'

const cookieName = '__Host-gatehouse-refresh'
const deviceCookieName = '__Host-gatehouse-device'
const trustCookieName = '__Host-gatehouse-trust'
/** By which OpenID Connect knows the browser; its door sets it under this name too. */
const browserCookieName = '__Host-gatehouse-oidc'

type CookieDeps = Pick<Deps, 'now' | 'challengeKeys'>

/** Pages have their browser keep the refresh token; whoever keeps it in a field is a program. */
export function clientOf(useCookie: boolean): string {
  return useCookie ? consoleClientId : programClientId
}

/** Refuses a `use_cookie` that could not be answered, before anything is done. The web door's cookies refuse without an allowed Origin. */
export function allowCookie(call: Call, useCookie: boolean): void {
  if (!useCookie) return
  if (call.door !== 'web') throw commonRefusal(ErrorReason.ORIGIN_NOT_ALLOWED)
  call.cookies.get(cookieName)
}

/** What earlier sign-ins left where the call comes from: the field where it is set, else the cookie of a page. */
export function presentedDevice(call: Call, useCookie: boolean, field = ''): string {
  return field === '' && useCookie ? (call.cookies.get(deviceCookieName) ?? '') : field
}

/** What a sign-in after which the person trusted the device left there. */
export function presentedTrust(call: Call, useCookie: boolean, field = ''): string {
  return field === '' && useCookie ? (call.cookies.get(trustCookieName) ?? '') : field
}

/**
 * Moves what has to be kept, the refresh token and the device's two, into cookies where the caller asked for it, out of every script's reach. The session is good for other programs there too: OpenID Connect
 * finds it by a cookie that comes along when one of them sends the browser here.
 */
export function answerWithCookie(deps: CookieDeps, call: Call, result: SignedInResult, useCookie: boolean): SignedInResult {
  if (!useCookie) return result
  allowCookie(call, useCookie)
  const seconds = Number(result.session?.expireTime?.seconds ?? 0n) - Math.floor(deps.now() / 1000)
  const kept = { maxAgeSeconds: Math.max(seconds, 0), path: '/' }
  call.cookies.set(cookieName, result.refreshToken, kept)
  call.cookies.set(browserCookieName, browserCookieOf(deps, call, result), { ...kept, sameSite: 'lax' })
  result.refreshToken = ''
  if (result.deviceToken !== '') call.cookies.set(deviceCookieName, result.deviceToken, { maxAgeSeconds: deviceKnownSeconds, path: '/' })
  result.deviceToken = ''
  if (result.trustToken !== '') call.cookies.set(trustCookieName, result.trustToken, { maxAgeSeconds: longestTrustSeconds, path: '/' })
  result.trustToken = ''
  return result
}

/** The `result` of a step of a sign-in. */
export function resultOf(deps: CookieDeps, call: Call, outcome: SignInOutcome, useCookie: boolean): SignInOutcome {
  return outcome.case === 'nextStep' ? outcome : { case: 'signedIn', value: answerWithCookie(deps, call, outcome.value, useCookie) }
}

/** The refresh token of a call: the field where it is set, else the cookie. */
export function presentedToken(call: Call, field: string): { token: string; byCookie: boolean } {
  if (field !== '' || call.door !== 'web') return { token: field, byCookie: false }
  const token = call.cookies.get(cookieName) ?? ''
  return { token, byCookie: token !== '' }
}

/** Makes the browser forget the session. */
export function clearCookie(call: Call): void {
  call.cookies.clear(cookieName)
  call.cookies.clear(browserCookieName)
}

/** It names the session's generation, which the access token that was just made for it says: so whoever raises a session kills the cookie that was there before. */
function browserCookieOf(deps: CookieDeps, { tenant }: Call, { session, accessToken }: SignedInResult): string {
  const claims: { readonly gen?: number } = JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString())
  return browserCookie(deps, tenant, session?.id ?? '', claims.gen ?? 0)
}

/** The name of that cookie, for the other way out of a session. */
export { cookieName as refreshCookieName }
