import { type Rule, readConfig, type Table, type Values } from '@gatehouse/config'
import { variables as console } from '@gatehouse/console-server/config'
import { variables as auth, rules as authRules } from '../../../services/auth/src/config.ts'
import { variables as notification, rules as notificationRules } from '../../../services/notification/src/config.ts'
import { variables as user, rules as userRules } from '../../../services/user/src/config.ts'

/** What a program reads of its environment, as it declares it itself. */
export type Declared = {
  readonly variables: Table
  /** Reads an environment as the program does when it starts: throws its `ConfigError`. */
  readonly read: (env: Readonly<Record<string, string>>) => unknown
}

const program = <T extends Table>(variables: T, rules: readonly Rule<Values<T>>[]): Declared => ({
  variables,
  read: (env) => readConfig(variables, env, rules),
})

export const declared: Readonly<Record<string, Declared>> = {
  user: program(user, userRules),
  auth: program(auth, authRules),
  notification: program(notification, notificationRules),
  console: program(console, []),
}

/** What Node and the libraries below it read, in every program. */
export const ofTheRuntime: ReadonlySet<string> = new Set([
  'NODE_EXTRA_CA_CERTS',
  'NODE_OPTIONS',
  'NODE_COMPILE_CACHE',
  'UV_THREADPOOL_SIZE',
  'MALLOC_ARENA_MAX',
])

/** Whether the program cannot start without it. */
export const isRequired = (table: Table, name: string): boolean => table[name] !== undefined && table[name].fallback === undefined
