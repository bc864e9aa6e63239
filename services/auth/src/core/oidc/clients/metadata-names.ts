import { ClientAuthMethod, ClientGrantType, ClientKind, ClientResponseMode } from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'

export const namesOfKinds: ReadonlyMap<ClientKind, string> = new Map([
  [ClientKind.WEB, 'web'],
  [ClientKind.BROWSER, 'browser'],
  [ClientKind.NATIVE, 'native'],
  [ClientKind.SERVICE, 'service'],
])

/** As RFC 7591 and those after it call them. */
export const namesOfGrants: ReadonlyMap<ClientGrantType, string> = new Map([
  [ClientGrantType.AUTHORIZATION_CODE, 'authorization_code'],
  [ClientGrantType.REFRESH_TOKEN, 'refresh_token'],
  [ClientGrantType.CLIENT_CREDENTIALS, 'client_credentials'],
  [ClientGrantType.DEVICE_CODE, 'urn:ietf:params:oauth:grant-type:device_code'],
  [ClientGrantType.TOKEN_EXCHANGE, 'urn:ietf:params:oauth:grant-type:token-exchange'],
])

export const namesOfAuth: ReadonlyMap<ClientAuthMethod, string> = new Map([
  [ClientAuthMethod.NONE, 'none'],
  [ClientAuthMethod.CLIENT_SECRET_BASIC, 'client_secret_basic'],
  [ClientAuthMethod.CLIENT_SECRET_POST, 'client_secret_post'],
  [ClientAuthMethod.PRIVATE_KEY_JWT, 'private_key_jwt'],
])

export const namesOfModes: ReadonlyMap<ClientResponseMode, string> = new Map([
  [ClientResponseMode.QUERY, 'query'],
  [ClientResponseMode.FORM_POST, 'form_post'],
])

export function keyFor<Key>(names: ReadonlyMap<Key, string>, name: string): Key | undefined {
  for (const [key, each] of names) if (each === name) return key
  return undefined
}
