import type { WebRoutes } from '@gatehouse/rpc'
import { mount } from './mount.ts'
import type { OidcDeps } from './oidc-deps.ts'
import { createProviders, type Providers } from './providers.ts'
import { mountPath, pathBelowMount, routePath } from './tenant-request.ts'

const URLS = [
  mountPath,
  `${mountPath}/*`,
  `/.well-known/oauth-authorization-server${mountPath}`,
  `/.well-known/openid-configuration${mountPath}`,
]

/** Routes of the library, without what may stand behind them. The rest of the world is `/oidc`. */
const NAMED = [
  '/auth',
  '/token',
  '/userinfo',
  '/jwks',
  '/token/introspection',
  '/token/revocation',
  '/session/end',
  '/session/end/confirm',
  '/session/end/success',
  '/device',
  '/device/auth',
  '/request',
  '/reg',
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
]

/** The library stops reading a form at 56 KiB. */
const MAX_BODY_BYTES = 64 * 1024
const DEADLINE_MS = 10_000

/** OpenID Connect of every tenant, under `/oidc` of its host. */
export function oidcRoutes(deps: OidcDeps, providers: Providers = createProviders(deps)): WebRoutes {
  const act = mount(deps, providers)
  return (scope, door) => {
    for (const url of URLS) door.raw(scope, { url, name: nameOf, maxBodyBytes: MAX_BODY_BYTES, deadlineMs: DEADLINE_MS }, act)
  }
}

function nameOf(path: string): string {
  const below = routePath(pathBelowMount(path) ?? '')
  if (NAMED.includes(below)) return mountPath + below
  return below.startsWith('/auth/') ? `${mountPath}/auth/:uid` : mountPath
}
