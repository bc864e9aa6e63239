import type { IncomingMessage } from 'node:http'

/** Where OpenID Connect lives on every host; its issuer ends with it. */
export const mountPath = '/oidc'

const WELL_KNOWN = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']

/** A request of which the library reads the mount path from the difference of the two. */
type MountedRequest = IncomingMessage & { originalUrl?: string }

/**
 * The path below the mount, query included, as the library routes it. A well-known path with the issuer's path at its end (RFC 8414 section 3.1) is that of
 * the issuer; undefined of what is neither.
 */
export function pathBelowMount(url: string): string | undefined {
  const at = url.indexOf('?')
  const path = at === -1 ? url : url.slice(0, at)
  const query = at === -1 ? '' : url.slice(at)
  const wellKnown = WELL_KNOWN.find((each) => path === `${each}${mountPath}`)
  if (wellKnown !== undefined) return wellKnown + query
  if (path === mountPath) return `/${query}`
  return path.startsWith(`${mountPath}/`) ? path.slice(mountPath.length) + query : undefined
}

/** The path of a request below the mount as the library's router compares it: the case of letters counts for nothing there. */
export function routePath(below: string): string {
  const query = below.indexOf('?')
  return (query === -1 ? below : below.slice(0, query)).toLowerCase()
}

/**
 * Overwrites everything from which the library would take its own address or the caller's. Whatever the client wrote is gone afterwards, so that the headers
 * may be believed.
 */
export function rewrite(request: MountedRequest, below: string, issuer: URL, source: string): void {
  const { headers } = request
  for (const name of Object.keys(headers)) {
    if (name.startsWith('x-forwarded-') || name === 'forwarded' || name === 'x-real-ip' || name === ':authority') delete headers[name]
  }
  headers.host = issuer.host
  headers['x-forwarded-proto'] = issuer.protocol.slice(0, -1)
  headers['x-forwarded-for'] = source
  request.originalUrl = mountPath + below
  request.url = below
}
