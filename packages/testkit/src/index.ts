export { startBrowser } from './browser.ts'
export { type BringOptions, type Brought, bringDebianProgram } from './debian/bring-program.ts'
export { type DebianProgramName, debianPrograms } from './debian/programs.ts'
export { clockOffset } from './faults/clock-offset.ts'
export type { Fault } from './faults/fault.ts'
export { type FaultProxy, type FaultProxyOptions, type Passage, startFaultProxy, type Target } from './faults/fault-proxy.ts'
export { type Frozen, freeze } from './faults/freeze.ts'
export { type SmallDisk, type SmallDiskOptions, smallDisk } from './faults/full-disk.ts'
export { type SmtpBehaviour, type SmtpSink, type SunkMail, startSmtpSink } from './faults/smtp-sink.ts'
export { freePort } from './free-port.ts'
export { type FindNatsOptions, findNatsServer } from './nats-binary.ts'
export { type NatsPermissions, type NatsUser, type NatsUserName, natsServiceUsers, type SubjectRule } from './nats-permissions.ts'
export {
  type NatsClusterPlace,
  type NatsOptions,
  type NatsOptions,
  type NatsServer,
  type NatsServer,
  startNats,
  startNats,
} from './nats-server.ts'
export { type Collector, startCollector } from './otlp-collector.ts'
export type { Attribute, ReceivedSpan } from './otlp-spans.ts'
export { type OwnedProcess, type OwnedProcessOptions, type ProcessEnd, startOwned } from './owned-process.ts'
export { type PostgresOptions, type PostgresServer, startPostgres } from './postgres-server.ts'
export { refused } from './refused.ts'
export { SetupProblem } from './setup-problem.ts'
export { type TestDatabase, type TestDatabaseOptions, testDatabase } from './test-database.ts'
export { type TestNats, testNats } from './test-nats.ts'
export { type WorkloadKeys, workloadKeys } from './workload-keys.ts'
