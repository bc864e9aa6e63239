import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { parseCookie, stringifySetCookie } from 'cookie'
import type { Cookies } from '../inbound.ts'
import { commonRefusal } from '../refusal.ts'

/**
 * Cookies of one call, for pages of the allowed origins only: whoever looks at one, or sets one, from elsewhere is refused with
 * ORIGIN_NOT_ALLOWED, so that no other site's page can make a browser's cookie act. Nothing is parsed before it is asked for.
 */
export function webCookies(header: string | undefined, originAllowed: boolean, setCookie: (value: string) => void): Cookies {
  const guard = () => {
    if (!originAllowed) throw commonRefusal(ErrorReason.ORIGIN_NOT_ALLOWED)
  }
  const write = (name: string, value: string, path: string, maxAge: number, sameSite: 'strict' | 'lax' = 'strict') =>
    setCookie(stringifySetCookie({ name, value, path, maxAge, httpOnly: true, secure: true, sameSite }))

  return {
    get(name) {
      guard()
      return readCookie(header, name)
    },
    set(name, value, { maxAgeSeconds, path = '/', sameSite }) {
      guard()
      write(name, value, path, maxAgeSeconds, sameSite)
    },
    clear(name) {
      guard()
      write(name, '', '/', 0)
    },
  }
}

/** The cookie of a `Cookie` header, for routes that keep other sites' pages out by something else than the Origin. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  if (header === undefined || count(header, name) !== 1) return undefined
  return parseCookie(header)[name]
}

// Two cookies of one name mean that somebody planted one beside ours: neither is believed.
function count(header: string, name: string): number {
  return header.split(';').filter((pair) => pair.trimStart().startsWith(`${name}=`)).length
}
