import { create } from '@bufbuild/protobuf'
import {
  type Client,
  ClientAuthMethod,
  ClientGrantType,
  ClientKind,
  type ClientSettings,
  ClientSettingsSchema,
} from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import { tickedIn } from './ticks.tsx'

/** What a form says of a new client. */
export interface NewClient {
  readonly name: string
  readonly kind: string
  readonly redirectUris: string
  readonly postLogoutRedirectUris: string
  readonly firstParty: boolean
}

/** The kinds that a form offers: programs that sign people in. */
export const kinds: ReadonlyMap<string, { readonly kind: ClientKind; readonly title: string; readonly withSecret: boolean }> = new Map([
  ['web', { kind: ClientKind.WEB, title: 'A program on a server', withSecret: true }],
  ['browser', { kind: ClientKind.BROWSER, title: 'Pages of a browser alone', withSecret: false }],
  ['native', { kind: ClientKind.NATIVE, title: 'An app on somebody’s device', withSecret: false }],
])

/** Settings that are right for most: a code with PKCE, and refresh tokens. The rest is set by the command or the API. */
export function settingsOfNew({ name, kind, redirectUris, postLogoutRedirectUris, firstParty }: NewClient): ClientSettings {
  const chosen = kinds.get(kind)
  return create(ClientSettingsSchema, {
    name,
    kind: chosen?.kind ?? ClientKind.UNSPECIFIED,
    redirectUris: linesOf(redirectUris),
    postLogoutRedirectUris: linesOf(postLogoutRedirectUris),
    grantTypes: [ClientGrantType.AUTHORIZATION_CODE, ClientGrantType.REFRESH_TOKEN],
    authMethod: chosen?.withSecret ? ClientAuthMethod.CLIENT_SECRET_BASIC : ClientAuthMethod.NONE,
    firstParty,
  })
}

/** What a client may ask people for. */
export const scopes: ReadonlyMap<string, string> = new Map([
  ['openid', 'Who they are (openid)'],
  ['profile', 'Name, language and time zone (profile)'],
  ['email', 'E-mail address (email)'],
  ['groups', 'Groups (groups)'],
  ['offline_access', 'To go on while they are away (offline_access)'],
])

/** By what a client gets tokens, by its number in the contract. */
export const grants: ReadonlyMap<string, string> = new Map([
  [String(ClientGrantType.AUTHORIZATION_CODE), 'People who come by a browser'],
  [String(ClientGrantType.REFRESH_TOKEN), 'Refresh tokens'],
  [String(ClientGrantType.DEVICE_CODE), 'A code that people type elsewhere'],
  [String(ClientGrantType.CLIENT_CREDENTIALS), 'For itself'],
  [String(ClientGrantType.TOKEN_EXCHANGE), 'Another token'],
])

/** None that is named is all of them. */
export function scopesOf({ scopes: named }: Pick<Client, 'scopes'>): readonly string[] {
  return named.length === 0 ? [...scopes.keys()] : named
}

/** All that a client is, with what a form says of it: an update says the whole. */
export function settingsChanged(client: Client, fields: Readonly<Record<string, string>>): ClientSettings {
  const { $typeName: _name, $unknown: _unknown, clientId: _id, secrets: _secrets, registered: _registered, ...settings } = client
  const { etag: _etag, createTime: _created, updateTime: _updated, disableTime: _disabled, ...kept } = settings
  const { name = '', redirectUris = '', postLogoutRedirectUris = '', backchannelLogoutUri = '', firstParty } = fields
  const ticked = tickedIn(fields, 'scope:')
  return create(ClientSettingsSchema, {
    ...kept,
    name,
    grantTypes: grantsOf(tickedIn(fields, 'grant:')),
    ...(client.kind !== ClientKind.SERVICE && {
      redirectUris: linesOf(redirectUris),
      postLogoutRedirectUris: linesOf(postLogoutRedirectUris),
      backchannelLogoutUri: backchannelLogoutUri.trim(),
      // Nothing at all would be everything.
      scopes: ticked.length === scopes.size ? [] : ticked.length === 0 ? ['openid'] : ticked,
      firstParty: firstParty !== undefined,
    }),
  })
}

const grantsOf = (values: readonly string[]) => values.map((value) => Number(value) as ClientGrantType)

function linesOf(text: string): string[] {
  return text.split(/\s+/).filter((line) => line !== '')
}
