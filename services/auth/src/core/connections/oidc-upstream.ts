import { canonicalEmail } from '@gatehouse/rpc'
import { LRUCache } from 'lru-cache'
import type * as Library from 'openid-client'
import type { ConnectionRow } from '../../store/connections/connections.ts'
import type { Deps } from '../deps.ts'
import { type Egress, EgressFailed } from '../egress/egress.ts'
import { openSecret } from './connection-secret.ts'
import { type UpstreamAssertion, UpstreamAway, UpstreamUnbelieved } from './upstream-assertion.ts'
import type { Upstream } from './upstreams.ts'

/** Signatures that say who signed: nothing symmetric, and not none. */
const algorithms = ['ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512', 'EdDSA', 'Ed25519']

/** A provider that changes its endpoints is noticed within this; its keys are read again as soon as one is unknown. */
const discoveredMs = 3_600_000

type Parts = Pick<Deps, 'keys' | 'now'> & { readonly egress: Egress }

/** OpenID Connect by `openid-client`, which is brought in with the first sign-in that needs it. */
export function oidcUpstream(parts: Parts): Upstream {
  const known = new LRUCache<string, Library.Configuration, ConnectionRow>({
    max: 1_000,
    ttl: discoveredMs,
    fetchMethod: async (_key, _stale, { context }) => await discover(parts, context),
  })
  const configurationOf = async (connection: ConnectionRow) => {
    const key = `${connection.tenant} ${connection.connection_id} ${connection.version} ${connection.create_time.getTime()}`
    const found = await known.fetch(key, { context: connection })
    if (found === undefined) throw new UpstreamAway('discovery', undefined)
    return found
  }
  return {
    async places(connection) {
      const server = (await discover(parts, connection)).serverMetadata()
      const { issuer, authorization_endpoint = '', token_endpoint = '' } = server
      return { issuer, authorizationEndpoint: authorization_endpoint, tokenEndpoint: token_endpoint }
    },
    async url(connection, { redirectUri, state, nonce, challenge, loginHint }) {
      const { buildAuthorizationUrl } = await import('openid-client')
      return buildAuthorizationUrl(await configurationOf(connection), {
        redirect_uri: redirectUri,
        scope: [...new Set(['openid', 'email', ...connection.scopes])].join(' '),
        state,
        nonce,
        code_challenge: challenge,
        code_challenge_method: 'S256',
        ...(loginHint !== '' && { login_hint: loginHint }),
      })
    },
    async assertion(connection, { redirectUri, state, code, iss, nonce, verifier }) {
      const library = await import('openid-client')
      const configuration = await configurationOf(connection)
      const callback = new URL(redirectUri)
      callback.search = String(new URLSearchParams({ code, state, ...(iss !== '' && { iss }) }))
      try {
        const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true }
        const tokens = await library.authorizationCodeGrant(configuration, callback, checks)
        const idToken = tokens.claims()
        if (idToken === undefined) throw new UpstreamUnbelieved('there is no ID token')
        const more = 'email' in idToken ? {} : await userinfoOf(library, configuration, tokens.access_token, idToken.sub)
        return assertionOf(connection.issuer, idToken.sub, { ...more, ...idToken })
      } catch (error) {
        throw judged(error)
      }
    },
  }
}

/** Some providers put into the ID token only who it is, and tell the rest where they are asked for it. */
async function userinfoOf(library: typeof Library, configuration: Library.Configuration, accessToken: string, subject: string) {
  if (configuration.serverMetadata().userinfo_endpoint === undefined) return {}
  return await library.fetchUserInfo(configuration, accessToken, subject)
}

async function discover({ egress, keys }: Parts, connection: ConnectionRow): Promise<Library.Configuration> {
  const library = await import('openid-client')
  const { issuer, client_id: clientId } = connection
  const customFetch = ((url: string, options: Library.CustomFetchOptions) => egress(url, options)) as Library.CustomFetch
  // The way out decides who may be spoken to without TLS.
  const execute = issuer.startsWith('http:') ? [library.allowInsecureRequests] : []
  const secret = openSecret({ keys }, connection)
  try {
    const found = await library.discovery(new URL(issuer), clientId, undefined, library.None(), {
      [library.customFetch]: customFetch,
      execute,
    })
    const server = { ...found.serverMetadata() }
    if (server.issuer !== issuer) throw new UpstreamAway('issuer', new Error(`it calls itself ${server.issuer}`))
    const signs = server.id_token_signing_alg_values_supported ?? ['RS256']
    server.id_token_signing_alg_values_supported = signs.filter((alg) => algorithms.includes(alg))
    const configuration = new library.Configuration(server, clientId, undefined, authenticationOf(library, server, secret))
    configuration[library.customFetch] = customFetch
    for (const each of execute) each(configuration)
    // Whoever answers at the token endpoint is not enough: the ID token has to be signed by a key of the issuer's.
    library.enableNonRepudiationChecks(configuration)
    return configuration
  } catch (error) {
    throw error instanceof UpstreamAway ? error : new UpstreamAway('discovery', error)
  }
}

function authenticationOf(library: typeof Library, server: Library.ServerMetadata, secret: string | undefined): Library.ClientAuth {
  if (secret === undefined) return library.None()
  const takesBasic = server.token_endpoint_auth_methods_supported?.includes('client_secret_basic') ?? true
  return takesBasic ? library.ClientSecretBasic(secret) : library.ClientSecretPost(secret)
}

/** Entra says `email_verified` of nobody; `xms_edov`, where the app asks for it, says that the tenant owns the domain of the address. */
const isEntra = (issuer: string) => new URL(issuer).hostname === 'login.microsoftonline.com'

/** The claims of an ID token that was checked. */
export function assertionOf(issuer: string, subject: string, claims: Readonly<Record<string, unknown>>): UpstreamAssertion {
  if (subject === '' || subject.length > 255) throw new UpstreamUnbelieved('the subject is none')
  const text = (value: unknown) => (typeof value === 'string' ? value : '')
  const email = canonicalEmail(text(claims.email)) ?? ''
  return {
    issuer,
    subject,
    email,
    // A text "true" is no true: who is careless there may be so with what it means.
    emailVerified: email !== '' && (claims.email_verified === true || (isEntra(issuer) && claims.xms_edov === true)),
    name: text(claims.name),
    locale: text(claims.locale),
    claims,
  }
}

/** What could not be had from whoever is there is told apart from what was said and does not hold. */
function judged(error: unknown): unknown {
  if (error instanceof UpstreamUnbelieved) return error
  for (let each: unknown = error; each instanceof Error; each = each.cause)
    if (each instanceof EgressFailed) return new UpstreamAway('token', error)
  // The library has the answer that it could not read as the cause.
  const { cause } = error as { cause?: unknown }
  if (cause instanceof Response && cause.status >= 500) return new UpstreamAway('token', error)
  return new UpstreamUnbelieved(error instanceof Error ? error.message : 'unknown', { cause: error })
}
