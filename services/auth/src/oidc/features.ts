import { hkdfSync } from 'node:crypto'
import type { Configuration, KoaContextWithOIDC } from 'oidc-provider'
import { type Client, factsOf } from './client-facts.ts'
import type { ProviderParts } from './oidc-deps.ts'
import { registrationOf } from './registration.ts'
import { resourceServerOf } from './resource-servers.ts'

type Features = NonNullable<Configuration['features']>

const off = { enabled: false } as const

/** What is on and, by name, what is off: a feature that an upgrade brings stays off only where its default is. */
export function featuresOf(parts: ProviderParts): Features {
  const { pages } = parts
  return {
    userinfo: { enabled: true },
    clientCredentials: { enabled: true },
    claimsParameter: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (context, form) => pages.logout(context, form),
      postLogoutSuccessSource: (context) => pages.signedOut(context),
    },
    deviceFlow: {
      enabled: true,
      charset: 'base-20',
      mask: '****-****',
      // Nobody's address is kept for a page that shows it to nobody.
      deviceInfo: () => ({}),
      userCodeInputSource: (context, form, out, error) => pages.deviceInput(context, form, out, error),
      userCodeConfirmSource: (context, form, client, _deviceInfo, userCode) => pages.deviceConfirm(context, form, client, userCode),
      successSource: (context) => pages.deviceDone(context),
    },
    dPoP: {
      enabled: true,
      nonceSecret: nonceSecretOf(parts.challengeKeys.current, parts.tenant),
      requireNonce: () => false,
      allowReplay: false,
    },
    introspection: { enabled: true, allowedPolicy: mayLookAt },
    revocation: { enabled: true, allowedPolicy: isOwn },
    pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: false, allowUnregisteredRedirectUris: false },
    resourceIndicators: {
      enabled: true,
      // A token for no resource in particular is the opaque one of userinfo. Where several were granted, the client says which.
      defaultResource: (_context, _client, oneOf) => oneOf ?? [],
      useGrantedResource: () => false,
      getResourceServerInfo: resourceServerOf(parts),
    },
    // By a worker: see the override.
    backchannelLogout: { enabled: true },
    devInteractions: off,
    encryption: off,
    jwtIntrospection: off,
    jwtResponseModes: off,
    jwtUserinfo: off,
    mTLS: off,
    registration: registrationOf(parts),
    registrationManagement: off,
    requestObjects: off,
  }
}

/** The same in every replica: a nonce that one gave is good at the next. */
export function nonceSecretOf(challengeKey: Uint8Array, tenant: string): Buffer {
  return Buffer.from(hkdfSync('sha256', challengeKey, tenant, 'gatehouse oidc dpop nonce', 32))
}

interface LookedAt {
  readonly clientId?: string | undefined
  readonly kind: string
  readonly aud?: unknown
}

/** Tokens of its own, and access tokens of the audiences that a client was registered to look at; `*` is all of them. */
function mayLookAt(_context: KoaContextWithOIDC, client: Client, token: LookedAt): boolean {
  if (isOwn(_context, client, token)) return true
  if (client.clientAuthMethod === 'none' || token.kind === 'RefreshToken') return false
  const audiences = factsOf(client).gatehouse_introspects
  return audiences.includes('*') || (typeof token.aud === 'string' && audiences.includes(token.aud))
}

function isOwn(_context: KoaContextWithOIDC, client: Client, token: LookedAt): boolean {
  return token.clientId === client.clientId
}
