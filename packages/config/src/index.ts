export { latest } from './latest.ts'
export { ConfigError, type Rule, readConfig, type Table, type Values } from './read-config.ts'
export { migrationVariables, type ServiceConfig, serviceRules, serviceVariables } from './service-variables.ts'
export {
  duration,
  flag,
  integer,
  list,
  oneOf,
  optional,
  origin,
  port,
  sameEverywhere,
  secret,
  text,
  url,
  type Variable,
} from './variables.ts'
