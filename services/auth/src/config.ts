import { duration, integer, list, optional, type Rule, secret, serviceRules, serviceVariables, text, type Values } from '@gatehouse/config'
import type { Lifetimes } from './core/deps.ts'

const minute = 60_000
const day = 86_400_000

/** The variables of the auth service. */
export const variables = {
  ...serviceVariables,
  USER_URL: text({ about: 'gRPC door of the user service, host:port; without it nobody can sign in' }),
  AUTH_KEY_ENCRYPTION_KEY: secret({ about: 'encrypts the signing keys in the database, 32 bytes in base64', bytes: 32 }),
  AUTH_KEY_ENCRYPTION_KEY_PREVIOUS: optional(secret({ about: 'the key before, until `gatehouse keys reencrypt` has been run', bytes: 32 })),
  AUTH_CHALLENGE_KEY: secret({
    about: 'makes the codes and links of mails, 32 bytes in base64; never in the database',
    bytes: 32,
  }),
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
  AUTH_AUDIENCES: list({ about: 'audiences that tokens may be issued for, in every tenant', default: [] }),
  PASSWORD_HASHES: optional(
    integer({ about: 'password hashes computed at once; as many as there are cores unless given', min: 1, max: 256 }),
  ),
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

/** The keys that close and open what lies encrypted in the database. */
export function encryptionKeysOf(config: AuthConfig): { encryptionKey: Uint8Array; previousEncryptionKey: Uint8Array | undefined } {
  const { authKeyEncryptionKey: present, authKeyEncryptionKeyPrevious: previous } = config
  return {
    encryptionKey: Buffer.from(present, 'base64'),
    previousEncryptionKey: previous === undefined ? undefined : Buffer.from(previous, 'base64'),
  }
}

/** What has to hold between the values. */
export const rules: readonly Rule<AuthConfig>[] = [
  ...serviceRules,
  (values) => {
    const { encryptionKey, previousEncryptionKey } = encryptionKeysOf(values)
    const keys = { AUTH_KEY_ENCRYPTION_KEY: encryptionKey, AUTH_KEY_ENCRYPTION_KEY_PREVIOUS: previousEncryptionKey }
    return Object.entries(keys).flatMap(([name, key]) =>
      key === undefined || key.length === 32 ? [] : [`${name} has to be 32 bytes, in base64; it has ${key.length}`],
    )
  },
  (values) =>
    values.authKeyEncryptionKey === values.authChallengeKey
      ? 'AUTH_KEY_ENCRYPTION_KEY and AUTH_CHALLENGE_KEY have to be two keys'
      : undefined,
  ({ accessTokenLifetime }) =>
    accessTokenLifetime < minute || accessTokenLifetime > 10 * minute ? 'ACCESS_TOKEN_LIFETIME has to be from 1m to 10m' : undefined,
  ({ refreshGrace }) => (refreshGrace > 30_000 ? 'REFRESH_GRACE has to be 30s or less' : undefined),
  (values) =>
    values.sessionIdleLifetime > values.sessionLifetime ? 'SESSION_IDLE_LIFETIME has to be no longer than SESSION_LIFETIME' : undefined,
  ({ authAudiences }) => (authAudiences.includes('gatehouse') ? 'AUTH_AUDIENCES must not name gatehouse itself' : undefined),
]
