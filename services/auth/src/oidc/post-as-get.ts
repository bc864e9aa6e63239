import type { IncomingMessage, ServerResponse } from 'node:http'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { commonRefusal } from '@gatehouse/rpc'
import { readForm } from './token-requests.ts'

/** What a client may have a browser post instead of opening it (OpenID Connect Core 1.0 section 3.1.2.1, RP-Initiated Logout 1.0 section 2). */
const PATHS: ReadonlySet<string> = new Set(['/auth', '/session/end'])

/** A door reads 16 KiB of headers, and a proxy before it may read less. */
const MAX_QUERY_BYTES = 8 * 1024

/**
 * Sends the browser on to the same request by GET. A form of another site comes without the cookie that a browser is known by (SameSite=Lax), so that here
 * everybody would be a stranger; with what a 303 makes of it the cookie comes along, and it can do what a link can, and no more. Answers whether it was one.
 */
export async function postAsGet(
  request: IncomingMessage,
  response: ServerResponse,
  { issuer, path }: { issuer: string; path: string },
): Promise<boolean> {
  if (!PATHS.has(path)) return false
  const form = await readForm(request)
  if (form === undefined) return false
  const query = String(new URLSearchParams(form.text))
  if (query.length > MAX_QUERY_BYTES) throw commonRefusal(ErrorReason.REQUEST_TOO_LARGE)
  response.writeHead(303, { location: `${issuer}${path}${query && `?${query}`}`, 'content-length': 0 }).end()
  return true
}
