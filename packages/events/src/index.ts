export { addEvent, currentTraceparent, type EventRow, eventRow, type NewEvent } from './add-event.ts'
export { addEvents } from './add-events.ts'
export { type Consumer, type ConsumerOptions, defineConsumer, isNewer, PermanentFailure, TransientFailure } from './consumer.ts'
export { askRetry, type DeadLetter, deadLetters, deadLettersOf, dropDeadLetter } from './dead-letters.ts'
export type { Difference } from './differences.ts'
export type { Envelope } from './envelope.ts'
export { eventContract } from './event-contract.ts'
export { eventMigrations } from './event-migrations.ts'
export { insertEvents } from './insert-events.ts'
export { Lease, type LeaseRow } from './lease.ts'
export type { Log } from './log.ts'
export { connectNats, type Nats, type NatsOptions } from './nats.ts'
export { catchUpOf, inboxPrefixOf, streamOf, subscriberOf } from './nats-names.ts'
export { streamKeeper } from './nats-rights.ts'
export { type LogEntry, type LogPlace, logEnd, PlaceForgotten, readLog, requirePlace } from './outbox-log.ts'
export { isInOutbox, type OutboxStatus, outboxStatus } from './outbox-status.ts'
export { refusedSubjects } from './publish-rights.ts'
export { createRelay, type Relay, type RelayOptions } from './relay.ts'
export { type FillOptions, fillStream, type ReplayOptions, replay } from './replay.ts'
export {
  type ConsumerQuestion,
  type ConsumerReport,
  lastEventOf,
  reportConsumer,
  reportStream,
  type StreamReport,
} from './road-report.ts'
export { isNewEnough, natsVersionFloor } from './server-version.ts'
export { type ConsumersOptions, startConsumers } from './start-consumers.ts'
export { applyStream, StreamRefused, type StreamSettings } from './stream.ts'
export { type SubscribeOptions, subscribe } from './subscribe.ts'
