import { createAccessTokenVerifier, createTokenInspector, followIssuers } from '@gatehouse/identity'
import { withinBounds } from '@gatehouse/postgres'
import { createWebDoor, type Log } from '@gatehouse/rpc'
import type Provider from 'oidc-provider'
import * as relying from 'openid-client'
import type { Deps } from '../src/core/deps.ts'
import { createEgress } from '../src/core/egress/egress.ts'
import { createTokenLook } from '../src/core/oidc/introspect-token.ts'
import type { OidcActs } from '../src/core/oidc/oidc-parts.ts'
import { createTenant } from '../src/core/tenants/create-tenant.ts'
import { listIssuers } from '../src/core/tenants/list-issuers.ts'
import { interactionRoutes } from '../src/oidc/interactions/interaction-routes.ts'
import type { OidcDeps } from '../src/oidc/oidc-deps.ts'
import { oidcRoutes } from '../src/oidc/oidc-routes.ts'
import { plainPages } from '../src/oidc/plain-pages.ts'
import { createProviders } from '../src/oidc/providers.ts'
import { jwksRoute } from '../src/rpc/jwks-route.ts'
import { type OpenedDeps, openDeps, origin } from './open-deps.ts'
import { type Visitor, visitorAt } from './page-visitor.ts'

export const ISSUER = `${origin}/oidc`
export const OTHER_ORIGIN = 'http://other.localhost:8080'

/** What the doors serve for a console. */
export const PAGE = '<!doctype html><html><head><title>Gatehouse</title></head><body></body></html>'

/** A web door with OpenID Connect, and another on the same database. */
export interface OidcHouse extends AsyncDisposable {
  readonly opened: OpenedDeps
  readonly port: number
  /** What the door logged above `info`. */
  readonly faults: string[]
  visitor(): Visitor
  provider(tenant?: string): Promise<Provider>
  /** The other replica's door. */
  replica(): Promise<{ readonly port: number }>
  /** A relying party that found everything by discovery. */
  client(id: string, auth: relying.ClientAuth, at?: { port?: number; issuer?: string }): Promise<relying.Configuration>
}

export async function openOidcHouse(actsOf: (deps: Deps) => OidcActs, changes: Partial<OidcDeps> = {}): Promise<OidcHouse> {
  await using parts = new AsyncDisposableStack()
  const opened = parts.use(await openDeps())
  await createTenant(opened.deps, { id: 'other', origin: OTHER_ORIGIN })
  const faults: string[] = []
  const first = await openDoor(opened.deps, actsOf(opened.deps), faults, changes, parts)
  const owned = parts.move()
  return {
    opened,
    port: first.port,
    faults,
    visitor: () => visitorAt(first.port),
    provider: async (tenant = 'default') => (await first.providers.of(tenant)).provider,
    async replica() {
      const deps = opened.replica()
      return await openDoor(deps, actsOf(deps), faults, changes, owned)
    },
    client: (id, auth, { port = first.port, issuer = ISSUER } = {}) => {
      const { visit } = visitorAt(port)
      const customFetch = (url: string, { method, headers, body }: relying.CustomFetchOptions) =>
        visit(url, { method, headers, body: body === undefined || body === null ? undefined : String(body) })
      return relying.discovery(new URL(issuer), id, undefined, auth, {
        [relying.customFetch]: customFetch,
        execute: [relying.allowInsecureRequests],
      })
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function openDoor(deps: Deps, acts: OidcActs, faults: string[], changes: Partial<OidcDeps>, parts: AsyncDisposableStack) {
  const note = (fields: object, message?: string) => void faults.push(`${message} ${JSON.stringify(fields)}`)
  const log: Log = { debug() {}, info() {}, warn: note, error: note }
  const issuers = parts.use(followIssuers(() => listIssuers(deps)))
  const inspector = createTokenInspector({ issuers, now: deps.now })
  const oidc: OidcDeps = {
    acts,
    inspector,
    look: createTokenLook({ deps, inspector, clients: acts.clients }),
    keys: deps.keys,
    issuers,
    limits: deps.limits,
    log: log as unknown as OidcDeps['log'],
    egress: createEgress(),
    now: deps.now,
    pages: plainPages,
    offline: { absoluteSeconds: 90 * 86_400, idleSeconds: 30 * 86_400 },
    challengeKeys: deps.challengeKeys,
    cookiesOfSession: ['__Host-gatehouse-refresh'],
    conformance: false,
    registration: false,
    ...changes,
  }
  const providers = createProviders(oidc)
  const verifier = createAccessTokenVerifier({ audience: 'gatehouse', issuers, now: deps.now })
  const door = parts.use(
    await createWebDoor({
      services: [],
      host: '127.0.0.1',
      port: 0,
      allowedOrigins: [origin],
      trustedProxies: [],
      within: withinBounds,
      log,
      async routes(scope, raw) {
        await jwksRoute(deps, issuers)(scope, raw)
        await interactionRoutes({ ...oidc, verifier, page: async () => PAGE })(scope, raw)
        await oidcRoutes(oidc, providers)(scope, raw)
      },
    }),
  )
  return { port: door.port, providers }
}
