import type { AccessToken, AuthorizationCode, ClientCredentials, Configuration, DeviceCode, RefreshToken } from 'oidc-provider'
import type { ProviderParts } from './oidc-deps.ts'

type ExtraTokenClaims = NonNullable<Configuration['extraTokenClaims']>

import { carriedBy } from './token-exchange.ts'

/**
 * What access tokens say beyond the standard: the tenant, and of a person's the grant and the session that end them. Permissions are none of a client's
 * business, and a raise of the session does not concern what was given before.
 */
export function tokenClaims({ tenant }: Pick<ProviderParts, 'tenant'>): ExtraTokenClaims {
  return (context, token) => {
    if (!isOfPerson(token)) return { tid: tenant }
    const { entities } = context.oidc
    const source: AuthorizationCode | RefreshToken | DeviceCode | undefined =
      entities.AuthorizationCode ?? entities.RefreshToken ?? entities.DeviceCode
    const ends = { gid: token.grantId, sid: token.expiresWithSession ? token.sessionUid : token.grantId }
    const exchanged = carriedBy(token)
    if (exchanged !== undefined) return { tid: tenant, ...ends, ...exchanged }
    return {
      tid: tenant,
      ...ends,
      ...(source?.authTime !== undefined && { auth_time: source.authTime }),
      ...(source?.acr !== undefined && { acr: source.acr }),
      ...(source?.amr !== undefined && { amr: source.amr }),
    }
  }
}

function isOfPerson(token: AccessToken | ClientCredentials): token is AccessToken {
  return 'accountId' in token && token.accountId !== undefined
}
