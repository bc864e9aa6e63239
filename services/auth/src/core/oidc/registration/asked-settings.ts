import { create } from '@bufbuild/protobuf'
import { durationFromMs } from '@bufbuild/protobuf/wkt'
import {
  ClientGrantType,
  ClientKind,
  ClientOptionsSchema,
  type ClientSettings,
  ClientSettingsSchema,
} from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import { keyFor, namesOfAuth, namesOfGrants, namesOfModes } from '../clients/metadata-names.ts'
import { type AskedMetadata, flagIn, numberIn, objectIn, refuseMetadata, wordIn, wordsIn } from './asked-metadata.ts'

/** How a client can sign what proves who it is. */
const assertionAlgorithms = ['ES256', 'EdDSA', 'Ed25519', 'PS256']

/**
 * The settings that a program asks for in the words of RFC 7591. What those have no word for (a first party, resources, whose tokens it may look at) cannot be
 * asked for; what changes how answers are protected is refused where it is not offered, and what only describes a program is left out.
 */
export function askedSettings(asked: AskedMetadata): ClientSettings {
  refuseUnoffered(asked)
  const authMethod = wordIn(asked, 'token_endpoint_auth_method') ?? 'client_secret_basic'
  const redirectUris = wordsIn(asked, 'redirect_uris') ?? []
  const grantTypes = (wordsIn(asked, 'grant_types') ?? ['authorization_code']).map((name) =>
    known('grant_types', keyFor(namesOfGrants, name)),
  )
  const wanted = { redirectUris, grantTypes, isPublic: authMethod === 'none' }
  refuseOtherResponses(asked, grantTypes)
  const jwks = objectIn(asked, 'jwks')
  return create(ClientSettingsSchema, {
    name: wordIn(asked, 'client_name') ?? nameAfter(redirectUris),
    kind: kindOf(asked, wanted),
    redirectUris,
    postLogoutRedirectUris: wordsIn(asked, 'post_logout_redirect_uris') ?? [],
    grantTypes,
    authMethod: known('token_endpoint_auth_method', keyFor(namesOfAuth, authMethod)),
    jwksJson: jwks === undefined ? '' : JSON.stringify(jwks),
    jwksUri: wordIn(asked, 'jwks_uri') ?? '',
    scopes: [...new Set(wordIn(asked, 'scope')?.split(' ') ?? [])],
    backchannelLogoutUri: wordIn(asked, 'backchannel_logout_uri') ?? '',
    options: optionsOf(asked),
  })
}

function optionsOf(asked: AskedMetadata): ClientSettings['options'] {
  const maxAge = numberIn(asked, 'default_max_age')
  return create(ClientOptionsSchema, {
    requirePushedRequests: flagIn(asked, 'require_pushed_authorization_requests'),
    dpopBound: flagIn(asked, 'dpop_bound_access_tokens'),
    pairwise: wordIn(asked, 'subject_type') === 'pairwise',
    rs256: wordIn(asked, 'id_token_signed_response_alg') === 'RS256',
    ...(maxAge !== undefined && { defaultMaxAge: durationFromMs(maxAge * 1000) }),
    responseModes: (wordsIn(asked, 'response_modes') ?? []).map((name) => known('response_modes', keyFor(namesOfModes, name))),
  })
}

interface Wanted {
  readonly redirectUris: readonly string[]
  readonly grantTypes: readonly ClientGrantType[]
  readonly isPublic: boolean
}

function kindOf(asked: AskedMetadata, { redirectUris, grantTypes, isPublic }: Wanted): ClientKind {
  const type = wordIn(asked, 'application_type') ?? 'web'
  if (type === 'native') return ClientKind.NATIVE
  if (type !== 'web') throw refuseMetadata('application_type', 'is neither web nor native')
  if (isPublic) return ClientKind.BROWSER
  const alone: readonly ClientGrantType[] = [ClientGrantType.CLIENT_CREDENTIALS, ClientGrantType.TOKEN_EXCHANGE]
  return redirectUris.length === 0 && grantTypes.every((grant) => alone.includes(grant)) ? ClientKind.SERVICE : ClientKind.WEB
}

/** A program that says no name is asked about by where it lives. */
function nameAfter([first]: readonly string[]): string {
  return (first !== undefined && URL.canParse(first) && new URL(first).host.slice(0, 100)) || 'a program without a name'
}

function refuseOtherResponses(asked: AskedMetadata, grantTypes: readonly ClientGrantType[]): void {
  const expected = grantTypes.includes(ClientGrantType.AUTHORIZATION_CODE) ? 'code' : ''
  if ((wordsIn(asked, 'response_types') ?? [expected]).join() !== expected)
    throw refuseMetadata('response_types', 'has to be ["code"] with authorization_code, and empty without')
}

/** A program that asks for protection, and is not told that it has none, believes that it has. */
const unoffered = [
  'sector_identifier_uri',
  'require_signed_request_object',
  'tls_client_certificate_bound_access_tokens',
  'default_acr_values',
  'require_auth_time',
] as const

function refuseUnoffered(asked: AskedMetadata): void {
  for (const name of Object.keys(asked)) {
    // Names of ours that the library carries along from the store.
    if (name.startsWith('gatehouse_')) throw refuseMetadata('metadata', 'has a name of ours, which nobody gives to themselves')
    if (/_(alg|enc)$/.test(name) && !offeredFor(name).includes(wordIn(asked, name) ?? '')) throw refuseMetadata(name, 'is not offered so')
  }
  if (!['public', 'pairwise'].includes(wordIn(asked, 'subject_type') ?? 'public')) throw refuseMetadata('subject_type', 'is not offered so')
  for (const name of unoffered) if (asked[name] !== undefined && asked[name] !== false) throw refuseMetadata(name, 'is not offered')
  if (asked.jwks_uri !== undefined && asked.jwks !== undefined) throw refuseMetadata('jwks', 'is given, and jwks_uri too')
}

function offeredFor(name: string): readonly string[] {
  if (name === 'id_token_signed_response_alg') return ['ES256', 'RS256']
  return name === 'token_endpoint_auth_signing_alg' ? assertionAlgorithms : []
}

function known<Value>(field: string, value: Value | undefined): Value {
  if (value === undefined) throw refuseMetadata(field, 'has what is not offered')
  return value
}
