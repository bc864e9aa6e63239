import { create } from '@bufbuild/protobuf'
import {
  type Client,
  ClientAuthMethod,
  ClientGrantType,
  ClientKind,
  type ClientSettings,
  ClientSettingsSchema,
} from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'

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

/** All that a client is, with other addresses: an update says the whole. */
export function withAddresses(client: Client, redirectUris: string, postLogoutRedirectUris: string): ClientSettings {
  const { $typeName: _name, $unknown: _unknown, clientId: _id, secrets: _secrets, ...settings } = client
  const { etag: _etag, createTime: _created, updateTime: _updated, disableTime: _disabled, ...kept } = settings
  return create(ClientSettingsSchema, {
    ...kept,
    redirectUris: linesOf(redirectUris),
    postLogoutRedirectUris: linesOf(postLogoutRedirectUris),
  })
}

function linesOf(text: string): string[] {
  return text.split(/\s+/).filter((line) => line !== '')
}
