import { create } from '@bufbuild/protobuf'
import { durationFromMs, durationMs } from '@bufbuild/protobuf/wkt'
import {
  ClientAuthMethod,
  ClientGrantType,
  ClientKind,
  ClientOptionsSchema,
  ClientResponseMode,
  type ClientSettings,
  ClientSettingsSchema,
} from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import type { Strength } from '@gatehouse/identity'
import type { ClientContent } from '../../../store/oidc/clients.ts'
import { keyFor, namesOfAuth, namesOfGrants, namesOfKinds, namesOfModes } from './metadata-names.ts'

/** What the library knows of a client, in the words of RFC 7591, and ours beside it. */
interface StoredMetadata {
  readonly application_type: 'web' | 'native'
  readonly redirect_uris: readonly string[]
  readonly post_logout_redirect_uris: readonly string[]
  readonly grant_types: readonly string[]
  readonly response_types: readonly string[]
  readonly token_endpoint_auth_method: string
  readonly jwks?: unknown
  readonly jwks_uri?: string
  readonly scope?: string
  readonly require_pushed_authorization_requests?: true
  readonly dpop_bound_access_tokens?: true
  readonly id_token_signed_response_alg: 'ES256' | 'RS256'
  readonly default_max_age?: number
  readonly subject_type?: 'pairwise'
  readonly response_modes?: readonly string[]
  readonly gatehouse_kind: string
  readonly gatehouse_origins: readonly string[]
  readonly gatehouse_id_token_seconds: number
  readonly gatehouse_claims_in_id_token: boolean
  readonly gatehouse_min_strength: number
  readonly gatehouse_conformance: boolean
  /** It came by itself (RFC 7591). */
  readonly gatehouse_registered?: true
}

const idTokenSeconds = 3_600

/** What is kept of settings that keep the rules. */
export function contentOf(settings: ClientSettings): ClientContent {
  const { options } = settings
  const grantTypes = settings.grantTypes.map((type) => namesOfGrants.get(type) ?? '')
  const metadata: StoredMetadata = {
    application_type: settings.kind === ClientKind.NATIVE ? 'native' : 'web',
    redirect_uris: settings.redirectUris,
    post_logout_redirect_uris: settings.postLogoutRedirectUris,
    grant_types: grantTypes,
    response_types: settings.grantTypes.includes(ClientGrantType.AUTHORIZATION_CODE) ? ['code'] : [],
    token_endpoint_auth_method: namesOfAuth.get(settings.authMethod) ?? 'none',
    ...(settings.jwksJson !== '' && { jwks: JSON.parse(settings.jwksJson) as unknown }),
    ...(settings.jwksUri !== '' && { jwks_uri: settings.jwksUri }),
    ...(settings.scopes.length > 0 && { scope: settings.scopes.join(' ') }),
    ...(options?.requirePushedRequests && { require_pushed_authorization_requests: true as const }),
    ...(options?.dpopBound && { dpop_bound_access_tokens: true as const }),
    id_token_signed_response_alg: options?.rs256 ? 'RS256' : 'ES256',
    ...(options?.pairwise && { subject_type: 'pairwise' as const }),
    ...(options?.defaultMaxAge && { default_max_age: durationMs(options.defaultMaxAge) / 1000 }),
    ...(options &&
      options.responseModes.length > 0 && { response_modes: options.responseModes.map((mode) => namesOfModes.get(mode) ?? '') }),
    gatehouse_kind: namesOfKinds.get(settings.kind) ?? '',
    gatehouse_origins: settings.origins,
    gatehouse_id_token_seconds: options?.idTokenLifetime ? durationMs(options.idTokenLifetime) / 1000 : idTokenSeconds,
    gatehouse_claims_in_id_token: options?.claimsInIdToken ?? false,
    gatehouse_min_strength: options?.minStrength ?? 0,
    gatehouse_conformance: options?.conformance ?? false,
  }
  return {
    name: settings.name,
    metadata: { ...metadata },
    first_party: settings.firstParty,
    resources: settings.resources,
    introspects: settings.introspects,
    backchannel_logout_uri: settings.backchannelLogoutUri || null,
  }
}

/** The same of a program that came by itself. */
export function registered(settings: ClientSettings): ClientContent {
  const content = contentOf(settings)
  return { ...content, metadata: { ...content.metadata, gatehouse_registered: true } }
}

export function isRegistered({ metadata }: Pick<ClientContent, 'metadata'>): boolean {
  return metadata.gatehouse_registered === true
}

/** The settings that a client was given. */
export function settingsOf(content: ClientContent): ClientSettings {
  const metadata = content.metadata as unknown as StoredMetadata
  return create(ClientSettingsSchema, {
    name: content.name,
    kind: keyFor(namesOfKinds, metadata.gatehouse_kind) ?? ClientKind.UNSPECIFIED,
    redirectUris: [...metadata.redirect_uris],
    postLogoutRedirectUris: [...metadata.post_logout_redirect_uris],
    grantTypes: metadata.grant_types.map((name) => keyFor(namesOfGrants, name) ?? ClientGrantType.UNSPECIFIED),
    authMethod: keyFor(namesOfAuth, metadata.token_endpoint_auth_method) ?? ClientAuthMethod.UNSPECIFIED,
    jwksJson: metadata.jwks === undefined ? '' : JSON.stringify(metadata.jwks),
    jwksUri: metadata.jwks_uri ?? '',
    scopes: metadata.scope?.split(' ') ?? [],
    resources: [...content.resources],
    introspects: [...content.introspects],
    firstParty: content.first_party,
    backchannelLogoutUri: content.backchannel_logout_uri ?? '',
    origins: [...metadata.gatehouse_origins],
    options: create(ClientOptionsSchema, {
      requirePushedRequests: metadata.require_pushed_authorization_requests ?? false,
      dpopBound: metadata.dpop_bound_access_tokens ?? false,
      rs256: metadata.id_token_signed_response_alg === 'RS256',
      idTokenLifetime: durationFromMs(metadata.gatehouse_id_token_seconds * 1000),
      pairwise: metadata.subject_type === 'pairwise',
      claimsInIdToken: metadata.gatehouse_claims_in_id_token,
      minStrength: metadata.gatehouse_min_strength as Strength,
      ...(metadata.default_max_age !== undefined && { defaultMaxAge: durationFromMs(metadata.default_max_age * 1000) }),
      responseModes: (metadata.response_modes ?? []).map((name) => keyFor(namesOfModes, name) ?? ClientResponseMode.UNSPECIFIED),
      conformance: metadata.gatehouse_conformance,
    }),
  })
}

/** Whether its ID tokens are signed by RS256. */
export function asksForRs256({ metadata }: Pick<ClientContent, 'metadata'>): boolean {
  return metadata.id_token_signed_response_alg === 'RS256'
}

/** Whether it proves itself by a secret. */
export function hasSecrets({ metadata }: Pick<ClientContent, 'metadata'>): boolean {
  return ['client_secret_basic', 'client_secret_post'].includes(String(metadata.token_endpoint_auth_method))
}
