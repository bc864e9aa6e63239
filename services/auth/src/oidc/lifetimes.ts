import type { Configuration } from 'oidc-provider'
import { factsOf } from './client-facts.ts'
import { ANONYMOUS_SECONDS } from './cookies.ts'
import type { OfflineLifetimes, ProviderParts } from './oidc-deps.ts'

const minute = 60
const hour = 60 * minute
const day = 24 * hour

/**
 * How long what the library makes lives. Whatever belongs to a session is found only under a living one, so its own time is a bound and no more; what outlives
 * the session has the bounds of the configuration.
 */
export function lifetimesOf({ offline }: Pick<ProviderParts, 'offline'>): NonNullable<Configuration['ttl']> {
  return {
    AuthorizationCode: minute,
    DeviceCode: 10 * minute,
    Interaction: hour,
    // Opaque ones are looked up at each use.
    AccessToken: (_context, token) => token.resourceServer?.accessTokenTTL ?? hour,
    ClientCredentials: (_context, token) => token.resourceServer?.accessTokenTTL ?? 10 * minute,
    IdToken: (_context, _token, client) => factsOf(client).gatehouse_id_token_seconds || hour,
    Session: (_context, session) =>
      session.accountId === undefined ? ANONYMOUS_SECONDS : Math.max(1, (session.exp ?? 0) - Math.floor(Date.now() / 1000)),
    Grant: () => grantSeconds(offline),
    RefreshToken: (_context, token) => (token.expiresWithSession ? 90 * day : offline.idleSeconds),
  }
}

/** A bound, and no more: what is given within a session ends with it. */
export function grantSeconds({ absoluteSeconds }: OfflineLifetimes): number {
  return Math.max(absoluteSeconds, 90 * day)
}
