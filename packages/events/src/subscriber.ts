// What it takes to be told of events, without what it takes to tell them: for programs that have no outbox and no database.
export type { Envelope } from './envelope.ts'
export type { Log } from './log.ts'
export { connectNats, type Nats, type NatsOptions } from './nats.ts'
export { type SubscribeOptions, subscribe } from './subscribe.ts'
