export type { CaughtMail, Mailbox } from './mailbox.ts'
export { freePorts, type Ports, type ServiceName, serviceNames } from './options.ts'
export { type Local, type LocalOptions, startLocal } from './start-local.ts'
