import { metrics, type ObservableResult } from '@opentelemetry/api'
import { Kysely, PostgresDialect, type PostgresPool } from 'kysely'
import pg from 'pg'
import { currentBounds, refuseWhenOver } from './bounds.ts'
import { asKnown, DatabaseUnavailable } from './errors.ts'
import { LeasedClient } from './leased-client.ts'
import { parseTime } from './parse-time.ts'
import { RoleClient, refuseStandby } from './refuse-standby.ts'
import { StatementNames } from './statement-names.ts'

export type ConnectOptions = {
  /**
   * `postgres://role:password@host:port/database`; `sslmode=verify-full&sslrootcert=…` for TLS. A function is asked for what it is now: connections that
   * were made by another one are used no more, so that a role or its password is replaced while calls go on.
   */
  readonly url: string | (() => string)
  /** Connections held at most. Default 10. */
  readonly poolSize?: number
  /** Whether statements are prepared by name. Switch it off behind a pooler that cannot carry them. Default true. */
  readonly namedStatements?: boolean
  /** Seen in pg_stat_activity. */
  readonly applicationName?: string
  /** Longest run of one statement, also for whoever waits longer. Default 5000. */
  readonly statementTimeoutMs?: number
  /** Longest wait for a connection. Default 2000. */
  readonly connectTimeoutMs?: number
  /** Calls that may wait for a connection at once; more are refused. Default 100 for each connection. */
  readonly maxWaiting?: number
}

/** A Kysely or one of its transactions: what functions of `store/` take first. */
export type Db<DB> = Kysely<DB>

/** A Kysely or a transaction, whatever its tables: for SQL over tables of our own. */
export type Executor = Pick<Kysely<unknown>, 'getExecutor' | 'isTransaction'>

export type Database<DB> = AsyncDisposable & {
  readonly kysely: Db<DB>
  /** Connections and waiting calls at this moment. */
  readonly usage: () => { readonly open: number; readonly idle: number; readonly waiting: number }
}

/**
 * Opens a pool. Nothing is connected until the first statement, and a database that is away is found again by itself:
 * every statement meanwhile fails with an error for which isUnavailable() is true. So it does where a standby answers.
 *
 * Values read: `int8` (and count(*)) is a bigint, `timestamptz` a Date, `bytea` a Buffer, `numeric` a string.
 * Tables are found through the role's search_path: a role named like its schema needs no setting.
 */
export function connect<DB>(options: ConnectOptions): Database<DB> {
  const { poolSize = 10, namedStatements = true, statementTimeoutMs = 5000, connectTimeoutMs = 2000 } = options
  const { maxWaiting = 100 * poolSize } = options
  const url = typeof options.url === 'string' ? () => options.url as string : options.url
  const pool = new pg.Pool({
    Client: clientsOf(url),
    max: poolSize,
    application_name: options.applicationName ?? 'gatehouse',
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    // Shorter, so that a rival's lock is told apart from a server that is slow: a joint write that waited for a lock is written one by one.
    lock_timeout: Math.ceil(0.8 * statementTimeoutMs),
    idle_in_transaction_session_timeout: 2 * statementTimeoutMs,
    // The server's own timeout does not fire when the server is frozen or the network is gone.
    query_timeout: statementTimeoutMs + 1000,
    keepAlive: true,
    idleTimeoutMillis: 60_000,
    maxLifetimeSeconds: 1800,
    types: { getTypeParser: parserOf },
    verify: refuseStandby,
  })
  // An idle connection that dies is replaced at the next call; without a listener it would end the process.
  pool.on('error', () => {})
  // Nor has one that dies in the middle of a transaction a listener: its next statement tells.
  pool.on('connect', (client) => void client.on('error', () => {}))

  const take = async (): Promise<pg.PoolClient> => {
    refuseWhenOver(currentBounds())
    if (pool.waitingCount >= maxWaiting) throw new DatabaseUnavailable(`${pool.waitingCount} calls wait for a database connection already`)
    try {
      for (;;) {
        const client = await pool.connect()
        if (madeBy.get(client) === url()) return client
        client.release(true)
      }
    } catch (error) {
      throw asKnown(error)
    }
  }
  const names = namedStatements ? new StatementNames() : undefined
  const leasing: PostgresPool = {
    connect: async () => new LeasedClient(await take(), take, names),
    end: () => pool.end(),
    options: pool.options,
  }
  const kysely = new Kysely<DB>({ dialect: new PostgresDialect({ pool: leasing }) })
  const usage = () => ({ open: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount })
  const unobserve = observe(usage, poolSize)
  let ended: Promise<void> | undefined
  const end = async (): Promise<void> => {
    unobserve()
    await kysely.destroy()
    // Kysely ends only a pool that it has used.
    if (!pool.ending) await pool.end()
  }
  return {
    kysely,
    usage,
    [Symbol.asyncDispose]: () => {
      ended ??= end()
      return ended
    },
  }
}

const madeBy = new WeakMap<pg.ClientBase, string>()

/** What logs in by the URL of that moment. */
function clientsOf(url: () => string): typeof pg.Client {
  return class extends RoleClient {
    constructor(config?: pg.ClientConfig) {
      const connectionString = url()
      super({ ...config, connectionString })
      madeBy.set(this, connectionString)
    }
  }
}

const int8 = 20
const timestamptz = 1184

const parserOf: typeof pg.types.getTypeParser = (oid: number, format?: 'text' | 'binary') => {
  if (format !== 'binary') {
    if (oid === int8) return BigInt
    if (oid === timestamptz) return parseTime
  }
  return pg.types.getTypeParser(oid, format as 'text')
}

function observe(usage: Database<unknown>['usage'], poolSize: number): () => void {
  const meter = metrics.getMeter('gatehouse.postgres')
  const connections = meter.createObservableGauge('db.client.connection.count', { description: 'Connections of the pool by state' })
  const waiting = meter.createObservableGauge('db.client.connection.pending_requests', { description: 'Calls that wait for a connection' })
  const max = meter.createObservableGauge('db.client.connection.max', { description: 'Connections that the pool may have' })
  const seeMax = (result: ObservableResult): void => result.observe(poolSize)
  max.addCallback(seeMax)
  const seeConnections = (result: ObservableResult): void => {
    const { open, idle } = usage()
    result.observe(idle, { 'db.client.connection.state': 'idle' })
    result.observe(open - idle, { 'db.client.connection.state': 'used' })
  }
  const seeWaiting = (result: ObservableResult): void => result.observe(usage().waiting)
  connections.addCallback(seeConnections)
  waiting.addCallback(seeWaiting)
  return () => {
    connections.removeCallback(seeConnections)
    waiting.removeCallback(seeWaiting)
    max.removeCallback(seeMax)
  }
}
