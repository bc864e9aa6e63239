export { databaseInWords, type Environment, print } from './command-parts.ts'
export { type Check, type Finding, note, ok, wrong } from './doctor/findings.ts'
export type { ServiceIdentity } from './follow-auth.ts'
export {
  migrationsOf,
  type OpenOptions,
  openService,
  type Served,
  type ServeOptions,
  type Service,
  served,
  servedAs,
} from './open-service.ts'
export { openSigner } from './open-signer.ts'
export type { PeerName } from './peers.ts'
export { type App, type Program, runService } from './run-service.ts'
export { type CommandedService, serviceCommands } from './service-commands.ts'
