import { create } from '@bufbuild/protobuf'
import type { ClientSettings } from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import { CreateClientRequestSchema } from '@gatehouse/contracts/gatehouse/auth/v1/client_service_pb'
import { compileRequestCheck, Refusal } from '@gatehouse/rpc'
import type { ClientContent } from '../../../store/oidc/clients.ts'
import type { Deps } from '../../deps.ts'
import { contentOf } from '../clients/client-metadata.ts'
import { type ClientRules, validateClient } from '../clients/validate-client.ts'
import { type AskedMetadata, refuseMetadata } from './asked-metadata.ts'
import { askedSettings } from './asked-settings.ts'

/** What a program may have. */
export interface JudgedClient {
  readonly settings: ClientSettings
  /** The same in the words of RFC 7591, as it is answered. */
  readonly metadata: Readonly<Record<string, unknown>>
}

/** Compiled with the first registration: most installations have none. */
let check: ReturnType<typeof compileRequestCheck> | undefined

/** Judges what a program asks to be by the rules for what administrators make: those of the contract, and those beyond it. */
export async function judgeMetadata(
  deps: Pick<Deps, 'db'>,
  { tenant, asked }: { readonly tenant: string; readonly asked: AskedMetadata },
  rules: Pick<ClientRules, 'pairwise' | 'egressAllow'> = {},
): Promise<JudgedClient> {
  try {
    const settings = askedSettings(asked)
    check ??= compileRequestCheck(CreateClientRequestSchema, [])
    check(create(CreateClientRequestSchema, { settings }))
    await validateClient(deps, tenant, settings, rules)
    return { settings, metadata: metadataOf(contentOf(settings)) }
  } catch (error) {
    throw inTheirWords(error)
  }
}

/** What programs are told of themselves: nothing under names of ours. */
export function metadataOf({ name, metadata, backchannel_logout_uri: logoutUri }: ClientContent): Readonly<Record<string, unknown>> {
  const theirs = Object.entries(metadata).filter(([member]) => !member.startsWith('gatehouse_'))
  return {
    client_name: name,
    ...Object.fromEntries(theirs),
    ...(logoutUri !== null && { backchannel_logout_uri: logoutUri, backchannel_logout_session_required: true }),
  }
}

/** Names of RFC 7591 for those of the contract. */
const theirNames: Readonly<Record<string, string>> = {
  auth_method: 'token_endpoint_auth_method',
  authMethod: 'token_endpoint_auth_method',
  backchannelLogoutUri: 'backchannel_logout_uri',
  grantTypes: 'grant_types',
  jwks_json: 'jwks',
  jwksJson: 'jwks',
  jwksUri: 'jwks_uri',
  postLogoutRedirectUris: 'post_logout_redirect_uris',
  redirectUris: 'redirect_uris',
  scopes: 'scope',
  'options.pairwise': 'subject_type',
  'options.rs256': 'id_token_signed_response_alg',
  'options.defaultMaxAge': 'default_max_age',
  'options.responseModes': 'response_modes',
}

function inTheirWords(error: unknown): unknown {
  if (!(error instanceof Refusal)) return error
  const [violation] = error.violations
  const { field = '', problem = '' } = error.metadata
  if (error.reason === 'CLIENT_METADATA_INVALID') return refuseMetadata(theirName(field), theirWords(problem))
  if (violation === undefined) return error
  const of = violation.field.replace(/^settings\.?/, '')
  // A rule about several of them begins with the one that it is about.
  const [first = '', ...rest] = of === '' ? violation.description.split(' ') : [of, violation.description]
  return refuseMetadata(theirName(first), theirWords(rest.join(' ')))
}

function theirName(field: string): string {
  const [, name = field, index = ''] = /^(.*?)(\[\d+\])?$/.exec(field) ?? []
  return (name === 'name' ? 'client_name' : (theirNames[name] ?? name)) + index
}

function theirWords(text: string): string {
  return text.replace(/\b(auth_method|jwks_json)\b/g, (name) => theirNames[name] ?? name)
}
