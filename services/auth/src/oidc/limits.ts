import { sourceNetwork } from '@gatehouse/rpc'
import type { OidcDeps } from './oidc-deps.ts'

interface SourceLimit {
  readonly count: number
  readonly windowSeconds: number
}

/** What a stranger can have written, or guess at, by method and path below the mount. Whoever has to authenticate first is not counted. */
const LIMITS: Readonly<Record<string, SourceLimit>> = {
  'GET /auth': { count: 1200, windowSeconds: 300 },
  // A page of ours asks, and answers, for somebody whom a client sent.
  'GET /i': { count: 1200, windowSeconds: 300 },
  'POST /i': { count: 1200, windowSeconds: 300 },
  'GET /session/end': { count: 600, windowSeconds: 300 },
  'GET /device': { count: 600, windowSeconds: 300 },
  'POST /device': { count: 10, windowSeconds: 600 },
  'POST /device/auth': { count: 60, windowSeconds: 300 },
  // Whoever has a token has it for a few.
  'POST /reg': { count: 120, windowSeconds: 300 },
  // A program pushes for all of its people.
  'POST /request': { count: 6000, windowSeconds: 300 },
}

/** Seconds until a source may come again; undefined where it may now. `path` is that of the route, in small letters. */
export async function secondsToWait(
  { limits }: Pick<OidcDeps, 'limits'>,
  { method, path, source }: { readonly method: string; readonly path: string; readonly source: string },
): Promise<number | undefined> {
  // The library answers HEAD as GET, and does everything for it.
  const limit = LIMITS[`${method === 'HEAD' ? 'GET' : method} ${path}`]
  if (limit === undefined) return undefined
  const answer = await limits.take([{ key: `oidc ${path} ${sourceNetwork(source)}`, tenant: '', ...limit }])
  return answer.allowed ? undefined : answer.retryAfterSeconds
}
