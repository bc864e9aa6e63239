export type { CaughtMail, Mailbox } from './mailbox.ts'
export { freePorts, type Ports, type ServiceName, serviceNames } from './options.ts'
export { runGatehouse } from './run-gatehouse.ts'
export { type Local, type LocalOptions, startLocal } from './start-local.ts'
