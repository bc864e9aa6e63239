import { type Rule, serviceRules, serviceVariables, text, type Values } from '@gatehouse/config'

/** The environment of the user service: that of every service, and where auth is. */
export const variables = {
  ...serviceVariables,
  AUTH_URL: text({ about: 'gRPC door of the auth service, host:port: it verifies callers and ends the sessions of the suspended' }),
}

export type UserConfig = Values<typeof variables>

/** What has to hold between the values. */
export const rules: readonly Rule<UserConfig>[] = serviceRules
