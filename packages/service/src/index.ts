export { migrateCommand } from './migrate-command.ts'
export {
  migrationsOf,
  type OpenOptions,
  openService,
  type Served,
  type ServeOptions,
  type Service,
  type ServiceIdentity,
  served,
} from './open-service.ts'
export type { PeerName } from './peers.ts'
export { replayCommand } from './replay-command.ts'
export { type App, type Program, runService } from './run-service.ts'
