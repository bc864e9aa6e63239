import type { Configuration } from 'oidc-provider'
import { accountOf } from './accounts.ts'
import { acrValues } from './acr.ts'
import { adapterOf } from './adapter.ts'
import { factNames, factsOf } from './client-facts.ts'
import { cookieNames, sessionCookie, stepCookie } from './cookies.ts'
import { existingGrant } from './existing-grant.ts'
import { featuresOf } from './features.ts'
import { policyOf } from './interaction-policy.ts'
import { lifetimesOf } from './lifetimes.ts'
import { offeredClaims, offeredScopes } from './offered-scopes.ts'
import type { ProviderParts } from './oidc-deps.ts'
import { tokenClaims } from './token-claims.ts'

/** Paths below the mount. */
const routes = {
  authorization: '/auth',
  token: '/token',
  userinfo: '/userinfo',
  jwks: '/jwks',
  introspection: '/token/introspection',
  revocation: '/token/revocation',
  end_session: '/session/end',
  device_authorization: '/device/auth',
  code_verification: '/device',
  pushed_authorization_request: '/request',
  registration: '/reg',
} as const

/** What signs ID tokens and logout tokens: RS256 for clients that are registered for it. */
export const idTokenAlgorithms = ['ES256', 'RS256'] as const

/** No algorithm with a shared secret anywhere: secrets of clients are kept as hashes, and sign nothing. */
const enabledJWA: NonNullable<Configuration['enabledJWA']> = {
  idTokenSigningAlgValues: [...idTokenAlgorithms],
  clientAuthSigningAlgValues: ['ES256', 'EdDSA', 'Ed25519', 'PS256'],
  dPoPSigningAlgValues: ['ES256', 'Ed25519', 'EdDSA'],
  requestObjectSigningAlgValues: ['ES256'],
  userinfoSigningAlgValues: ['ES256'],
  introspectionSigningAlgValues: ['ES256'],
  authorizationSigningAlgValues: ['ES256'],
}

/** How the library is set up for one tenant and one set of keys. */
export function configurationOf(parts: ProviderParts): Configuration {
  return {
    adapter: adapterOf(parts),
    jwks: { keys: parts.jwks },
    clients: [],
    acrValues: [...acrValues],
    acceptQueryParamAccessTokens: false,
    allowOmittingSingleRegisteredRedirectUri: false,
    enableHttpPostMethods: false,
    claims: {
      // How somebody signed in is part of who signed in: clients that do not ask for it go by it too.
      openid: ['sub', 'acr', 'amr', 'auth_time'],
      iss: null,
      sid: null,
      profile: [...offeredClaims.profile],
      email: [...offeredClaims.email],
      groups: [...offeredClaims.groups],
    },
    scopes: [...offeredScopes],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    clientDefaults: {
      grant_types: ['authorization_code'],
      response_types: ['code'],
      id_token_signed_response_alg: 'ES256',
      token_endpoint_auth_method: 'client_secret_basic',
    },
    // Named by whoever registered the client, never concluded from a redirect URI.
    clientBasedCORS: (_context, origin, client) => origin !== 'null' && factsOf(client).gatehouse_origins.includes(origin),
    clockTolerance: 5,
    conformIdTokenClaims: true,
    // An id of 256 random bits, or an HMAC, needs no second signature beside it.
    cookies: { keys: [], names: cookieNames, long: sessionCookie, short: stepCookie },
    discovery: { ui_locales_supported: ['en', 'de'] },
    enabledJWA,
    expiresWithSession: (_context, source) => !source.scopes.has('offline_access'),
    issueRefreshToken: (_context, client) => client.grantTypeAllowed('refresh_token'),
    extraClientMetadata: { properties: [...factNames], validator() {} },
    extraTokenClaims: tokenClaims(parts),
    features: featuresOf(parts),
    fetch: (to, init) => parts.egress(to instanceof Request ? to.url : to, init),
    fetchResponseBodyLimits: { jwks_uri: 64 * 1024, sector_identifier_uri: 64 * 1024 },
    findAccount: accountOf(parts),
    formats: { bitsOfOpaqueRandomness: 256 },
    interactions: { policy: policyOf(), url: (_context, interaction) => `${parts.issuer}/i/${interaction.uid}` },
    loadExistingGrant: existingGrant(parts),
    pkce: { required: (_context, client) => !(parts.conformance && factsOf(client).gatehouse_conformance) },
    renderError: (context, problem) => parts.pages.error(context, problem),
    responseTypes: ['code'],
    // A client that gives an access token back wants to go on with its refresh token.
    revokeGrantPolicy: ({ oidc }) => !(oidc.route === 'revocation' && oidc.entities.AccessToken !== undefined),
    rotateRefreshToken: true,
    routes,
    subjectTypes: parts.acts.clients.pairwise ? ['public', 'pairwise'] : ['public'],
    pairwiseIdentifier: async (_context, userId, { clientId }) => {
      const client = await parts.acts.clients.known(parts.tenant, clientId)
      if (client === undefined) throw new TypeError('a client that is gone knows nobody')
      return parts.acts.clients.subject(parts.tenant, client, userId)
    },
    ttl: lifetimesOf(parts),
  }
}
