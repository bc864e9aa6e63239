import {
  duration,
  flag,
  integer,
  list,
  optional,
  type Rule,
  secret,
  serviceRules,
  serviceVariables,
  text,
  url,
  type Values,
} from '@gatehouse/config'
import type { Lifetimes } from './core/deps.ts'
import type { ClientRules } from './core/oidc/clients/validate-client.ts'
import { defaultRegistrationQuota } from './core/oidc/registration/quota.ts'
import { leastParameters, problemOfParameters } from './core/passwords/hash-parameters.ts'
import type { HashPoolOptions } from './core/passwords/hash-pool.ts'

const minute = 60_000
const day = 86_400_000

/** The variables of the auth service. */
export const variables = {
  ...serviceVariables,
  USER_URL: text({ about: 'gRPC door of the user service, host:port; without it nobody can sign in' }),
  AUTH_KEY_ENCRYPTION_KEY: secret({ about: 'encrypts the signing keys in the database, 32 bytes in base64', bytes: 32 }),
  AUTH_KEY_ENCRYPTION_KEY_PREVIOUS: optional(secret({ about: 'the key before, until `gatehouse keys reencrypt` has been run', bytes: 32 })),
  AUTH_KEY_UNWRAP_PROGRAM: optional(
    text({ about: 'absolute path of a program that unwraps the two above, where a key management service has wrapped them' }),
  ),
  AUTH_CHALLENGE_KEY: secret({
    about: 'makes the codes and links of mails, 32 bytes in base64; never in the database',
    bytes: 32,
  }),
  AUTH_CHALLENGE_KEY_PREVIOUS: optional(
    secret({ about: 'another key of that kind that is good too, while one replaces the other', bytes: 32 }),
  ),
  ACCESS_TOKEN_LIFETIME: duration({ about: 'how long an access token lives, 10m at most', default: 10 * minute }),
  SESSION_IDLE_LIFETIME: duration({
    about: 'how long a session lives that is not refreshed, where the policy of a tenant says nothing else',
    default: 14 * day,
  }),
  SESSION_LIFETIME: duration({
    about: 'how long a session lives at the longest, where the policy of a tenant says nothing else',
    default: 30 * day,
  }),
  REFRESH_GRACE: duration({
    about: 'how long a used-up refresh token still answers the same successor, 30s at most',
    default: 30_000,
  }),
  SIGNING_KEY_AGE: duration({ about: 'how long a signing key signs before the next one takes over', default: 30 * day }),
  OFFLINE_GRANT_LIFETIME: duration({
    about: 'how long a client of OpenID Connect acts for somebody at the longest, where they allowed that beyond their session',
    default: 90 * day,
  }),
  OFFLINE_GRANT_IDLE_LIFETIME: duration({ about: 'how long such a client may leave its refresh token unused', default: 30 * day }),
  OIDC_EGRESS_ALLOW: list({
    about: 'host[:port] of providers and clients that may be at private addresses, and on this machine without TLS',
    default: [],
  }),
  OIDC_PAGES: optional(
    text({
      about: 'folder of the built console, for the pages on which people sign in to other programs; that of the workspace unless given',
    }),
  ),
  OIDC_CONFORMANCE: flag({
    about: 'lets clients that are registered for the conformance suite leave PKCE out; never in production',
    default: false,
  }),
  OIDC_REGISTRATION: flag({
    about: 'lets programs register themselves as clients of OpenID Connect that show a token of `gatehouse clients registration-token`',
    default: false,
  }),
  OIDC_REGISTRATION_QUOTA: integer({
    about: 'how many clients of a tenant may have registered themselves',
    min: 1,
    max: 100_000,
    default: defaultRegistrationQuota,
  }),
  OIDC_PAIRWISE_KEY: optional(
    secret({ about: 'makes the ids by which pairwise clients know people, 32 bytes in base64; it may never change', bytes: 32 }),
  ),
  AUTH_AUDIENCES: list({ about: 'audiences that tokens may be issued for, in every tenant', default: [] }),
  PASSWORD_HASHES: optional(
    integer({ about: 'password hashes computed at once; as many as there are cores unless given', min: 1, max: 256 }),
  ),
  PASSWORD_MEMORY_KIB: integer({
    about: 'memory of a password hash (Argon2id); hashes of less are made anew when their person signs in',
    default: leastParameters.memoryKib,
    min: 12_288,
    max: 1_048_576,
  }),
  PASSWORD_PASSES: integer({ about: 'passes of a password hash over its memory', default: leastParameters.passes, min: 1, max: 16 }),
  PASSWORD_BREACH_URL: optional(
    url({
      about: 'where new passwords are looked up by the first five digits of their SHA-1, which are added to it: https://…/range',
      protocols: ['https:', 'http:'],
    }),
  ),
  PASSWORD_BREACH_FILTER: optional(text({ about: 'a file that "gatehouse auth breach-filter" made, in place of the list on board' })),
}

/** The values of {@link variables}. */
export type AuthConfig = Values<typeof variables>

/** How long things live, by the configuration. */
export function lifetimesOf(config: AuthConfig): Lifetimes {
  return {
    accessTokenSeconds: config.accessTokenLifetime / 1000,
    sessionIdleSeconds: config.sessionIdleLifetime / 1000,
    sessionAbsoluteSeconds: config.sessionLifetime / 1000,
    refreshGraceSeconds: config.refreshGrace / 1000,
  }
}

/** How long a client acts for people whose session has ended. */
export function offlineLifetimesOf(config: AuthConfig): { readonly absoluteSeconds: number; readonly idleSeconds: number } {
  return { absoluteSeconds: config.offlineGrantLifetime / 1000, idleSeconds: config.offlineGrantIdleLifetime / 1000 }
}

/** What may be asked of a client of OpenID Connect. */
export function clientRulesOf(config: AuthConfig): Required<ClientRules> {
  return { conformance: config.oidcConformance, pairwise: config.oidcPairwiseKey !== undefined, egressAllow: config.oidcEgressAllow }
}

export function pairwiseKeyOf({ oidcPairwiseKey: key }: AuthConfig): Uint8Array | undefined {
  return key === undefined ? undefined : Buffer.from(key, 'base64')
}

/** What new hashes cost. */
export function hashingOf(config: AuthConfig): HashPoolOptions {
  const { passwordHashes: running, passwordMemoryKib: memoryKib, passwordPasses: passes } = config
  return { parameters: { memoryKib, passes }, ...(running !== undefined && { running }) }
}

/** What a network may not see, or does not. */
function isEncryptedOrHere(address: string): boolean {
  const { protocol, hostname } = new URL(address)
  return protocol === 'https:' || /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname)
}

/** What has to hold between the values. */
export const rules: readonly Rule<AuthConfig>[] = [
  ...serviceRules,
  ({ authKeyEncryptionKey, authKeyEncryptionKeyPrevious, authKeyUnwrapProgram }) => {
    // However long a wrapped key is, is known to whoever wrapped it.
    if (authKeyUnwrapProgram !== undefined) return []
    const keys = { AUTH_KEY_ENCRYPTION_KEY: authKeyEncryptionKey, AUTH_KEY_ENCRYPTION_KEY_PREVIOUS: authKeyEncryptionKeyPrevious }
    return Object.entries(keys).flatMap(([name, key]) => {
      const length = key === undefined ? 32 : Buffer.from(key, 'base64').length
      return length === 32 ? [] : [`${name} has to be 32 bytes, in base64; it has ${length}`]
    })
  },
  ({ authKeyUnwrapProgram: program }) =>
    program === undefined || program.startsWith('/') ? undefined : 'AUTH_KEY_UNWRAP_PROGRAM has to be an absolute path',
  (values) =>
    values.authKeyEncryptionKey === values.authChallengeKey
      ? 'AUTH_KEY_ENCRYPTION_KEY and AUTH_CHALLENGE_KEY have to be two keys'
      : undefined,
  ({ authChallengeKeyPrevious: previous, authChallengeKey, authKeyEncryptionKey }) =>
    previous !== undefined && [authChallengeKey, authKeyEncryptionKey].includes(previous)
      ? 'AUTH_CHALLENGE_KEY_PREVIOUS has to be another key than AUTH_CHALLENGE_KEY and AUTH_KEY_ENCRYPTION_KEY'
      : undefined,
  ({ accessTokenLifetime }) =>
    accessTokenLifetime < minute || accessTokenLifetime > 10 * minute ? 'ACCESS_TOKEN_LIFETIME has to be from 1m to 10m' : undefined,
  ({ passwordMemoryKib: memoryKib, passwordPasses: passes }) => problemOfParameters({ memoryKib, passes }),
  ({ passwordBreachUrl }) =>
    passwordBreachUrl !== undefined && !isEncryptedOrHere(passwordBreachUrl)
      ? 'PASSWORD_BREACH_URL has to be https, unless it is on this machine'
      : undefined,
  ({ refreshGrace }) => (refreshGrace > 30_000 ? 'REFRESH_GRACE has to be 30s or less' : undefined),
  (values) =>
    values.sessionIdleLifetime > values.sessionLifetime ? 'SESSION_IDLE_LIFETIME has to be no longer than SESSION_LIFETIME' : undefined,
  ({ offlineGrantLifetime, offlineGrantIdleLifetime }) =>
    offlineGrantIdleLifetime > offlineGrantLifetime
      ? 'OFFLINE_GRANT_IDLE_LIFETIME has to be no longer than OFFLINE_GRANT_LIFETIME'
      : undefined,
  ({ gatehouseMode, oidcConformance }) =>
    gatehouseMode === 'production' && oidcConformance ? 'OIDC_CONFORMANCE is not for production' : undefined,
  ({ authAudiences }) => (authAudiences.includes('gatehouse') ? 'AUTH_AUDIENCES must not name gatehouse itself' : undefined),
]
