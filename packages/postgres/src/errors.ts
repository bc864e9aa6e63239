import pg from 'pg'

/** The database cannot be reached, does not answer, or has no connection free in time. What it did before the error is unknown. */
export class DatabaseUnavailable extends Error {
  override readonly name: string = 'DatabaseUnavailable'
}

/** Nobody waited any more: the statement was not sent, or it was cancelled and is undone, unless it had ended just then. */
export class StatementAbandoned extends DatabaseUnavailable {
  override readonly name: string = 'StatementAbandoned'
}

/**
 * SQLSTATE classes and codes (PostgreSQL documentation, appendix A) that say "not now": connection trouble (08), too many
 * connections or no resources (53), shutdown and start-up (57P), a standby after a failover (25006), every timeout of ours, and a transaction that lost
 * against others as often as it was tried (40001, 40P01).
 */
const notNow = /^(08...|53...|57P0[1-5]|57014|55P03|25P0[34]|25006|40001|40P01)$/

/** What node-postgres says without a code; see pg/lib/client.js and pg-pool/index.js. */
const lostMessages =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client (has encountered a connection error|was closed) and is not queryable|Cannot use a pool after calling end on the pool)/

const lostCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
])

/** True when the same call can succeed later without anybody changing anything: answer `unavailable`, try again with backoff. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof DatabaseUnavailable) return true
  const code = sqlState(error)
  return code !== undefined && notNow.test(code)
}

/** True when a unique index refused the row; `constraint` narrows it to one index or constraint by name. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  if (sqlState(error) !== '23505') return false
  return constraint === undefined || (error as pg.DatabaseError).constraint === constraint
}

/** The five characters by which Postgres names its errors, or undefined when the error is not from Postgres. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined
}

/** Serialisation failure or deadlock: the whole transaction may simply be run again. */
export const isConflict = (error: unknown): boolean => sqlState(error) === '40001' || sqlState(error) === '40P01'

/**
 * Classes and codes that are about the values of a statement or about a rival, never about the statement itself: bad data (22), broken constraints
 * (23), conflicts (40), values beyond a limit (54), and waits for a lock that took too long. A statement that ran for too long (57014) is none of
 * them: the server is slow, and many statements instead of one would make it slower.
 */
const aboutValues = /^(22...|23...|40...|54...|55P03)$/

/** True when the server undid a statement for what may be the fault of one row of it: its rows may be tried one by one. */
export const isRolledBack = (error: unknown): boolean => aboutValues.test(sqlState(error) ?? '')

/** A named statement was planned against a table that has changed since, or is unknown to the server behind a pooler. */
export const isStaleStatement = (error: unknown): boolean => isStalePlan(error) || sqlState(error) === '26000'

/** The first of these: whoever prepares the same text on the same connection gets the same plan. */
export const isStalePlan = (error: unknown): boolean => sqlState(error) === '0A000' && /cached plan/.test((error as Error).message)

/** True when the connection that said this is of no more use. */
export const isConnectionLost = (error: unknown): boolean =>
  isLostByMessage(error) || /^(08...|57P0[1-5]|25P03|25006)$/.test(sqlState(error) ?? '')

/** True when the connection was dead already, so that the statement did nothing: the server or a proxy had closed it while it was idle. */
export const isDeadConnection = (error: unknown): boolean =>
  /^57P0[1-5]$/.test(sqlState(error) ?? '') ||
  (sqlState(error) === '08P01' && deadBehindPooler.test((error as Error).message)) ||
  (isLostByMessage(error) && (/^Connection terminated$|unexpectedly|not queryable/.test((error as Error).message) || isReset(error)))

/** What PgBouncer says of a connection to the server that had died while nobody used it: the settings of this client could not be put on it, or nothing could. */
const deadBehindPooler = /^(invalid server parameter|server conn crashed\?|server closed the connection)/

const isReset = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && ['ECONNRESET', 'EPIPE'].includes(String(error.code))

/**
 * Gives errors of the driver and the operating system the one class that callers know. From the server's it takes what repeats
 * values (`Key (email)=(…) already exists`): they are logged, and values can be personal.
 */
export function asKnown(error: unknown): unknown {
  if (error instanceof pg.DatabaseError) {
    error.detail = undefined
    error.where = undefined
  }
  if (!isLostByMessage(error)) return error
  return new DatabaseUnavailable(`the database cannot be reached: ${(error as Error).message}`, { cause: error })
}

function isLostByMessage(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof pg.DatabaseError) return false
  if (error instanceof AggregateError) return error.errors.every(isLostByMessage)
  return lostMessages.test(error.message) || ('code' in error && lostCodes.has(String(error.code)))
}
