export { type BatchedRead, type BatchOptions, batched } from './batched.ts'
export { batchedByTenant } from './batched-by-tenant.ts'
export { type Bounds, currentBounds, unbounded, withinBounds } from './bounds.ts'
export { compiledOnce, type Value } from './compiled-once.ts'
export { type ConnectOptions, connect, type Database, type Db, type Executor } from './connect.ts'
export { type CopyField, copyRows } from './copy.ts'
export { DatabaseUnavailable, isConflict, isRolledBack, isUnavailable, isUniqueViolation, StatementAbandoned, sqlState } from './errors.ts'
export { type JoinOptions, joined } from './joined.ts'
export { type Charge, type LimitStore, postgresLimits, pruneLimits, type Taken } from './limits.ts'
export {
  assertSchema,
  hashOfSets,
  type MigrateOptions,
  type Migration,
  MigrationRefused,
  type MigrationSet,
  migrate,
  SchemaBusy,
  SchemaOutdated,
  schemaVersion,
} from './migrate.ts'
export { once, pruneRequests, type Request, RequestIdReused, requestsKeptSeconds } from './once.ts'
export { decodePageToken, encodePageToken, PageTokenInvalid } from './page-token.ts'
export { type ColumnTypes, rowsAsTable } from './rows-as-table.ts'
export { sharedMigrations } from './shared-migrations.ts'
export { transact } from './transact.ts'
