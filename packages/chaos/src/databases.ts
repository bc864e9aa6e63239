import { join } from 'node:path'
import {
  copyAsStandby,
  type FaultProxy,
  type Frozen,
  freeze,
  type PostgresOptions,
  type PostgresServer,
  replicated,
  startFaultProxy,
  startPostgres,
} from '@gatehouse/testkit'
import pg from 'pg'
import { within } from './until.ts'

/** Whether a commit waits until the standby has it. */
export type Replication = 'synchronous' | 'asynchronous'

/** What its servers are started with besides. */
export type ServerOptions = Pick<PostgresOptions, 'settings' | 'log'>

/** One PostgreSQL server of a house, through all its lives; its port stays the same. */
export class DatabaseNode {
  readonly name: string
  readonly folder: string
  readonly #options: ServerOptions
  #server: PostgresServer | undefined
  #frozen: Frozen | undefined
  #isUp = false

  constructor(name: string, folder: string, options: ServerOptions) {
    this.name = name
    this.folder = folder
    this.#options = options
  }

  /** As it runs, or ran last. */
  get server(): PostgresServer {
    if (!this.#server) throw new TypeError(`${this.name} has not run yet`)
    return this.#server
  }

  get isUp(): boolean {
    return this.#isUp
  }

  async start(): Promise<void> {
    if (this.#isUp) return
    const port = this.#server?.port ?? 0
    this.#server = await startPostgres({ dataDir: this.folder, durable: false, port, maxConnections: 300, ...this.#options })
    this.#isUp = true
  }

  /** Ends its connections; what it has to tell a standby it tells. */
  async stop(): Promise<void> {
    this.#isUp = false
    await this.#server?.stop()
  }

  /** As if its machine were gone: nothing of it says a word any more, its connections stay. */
  async freeze(): Promise<void> {
    this.#frozen ??= await freeze(this.server.pid)
  }

  /** `kill -9` of all of its processes, so that none of them goes on answering. Calling twice is harmless. */
  async kill(): Promise<void> {
    if (!this.#isUp) return
    await this.freeze()
    for (const pid of this.#frozen?.pids ?? []) process.kill(pid, 'SIGKILL')
    await this.#frozen?.thaw()
    this.#frozen = undefined
    this.#isUp = false
    await this.server.exited
  }

  async ask<Row extends pg.QueryResultRow>(statement: string, values: readonly unknown[] = []): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.server.url, connectionTimeoutMillis: 1_000, query_timeout: 10_000 })
    client.on('error', () => undefined)
    await client.connect()
    try {
      return (await client.query<Row>(statement, [...values])).rows
    } finally {
      await client.end()
    }
  }
}

const patienceMs = 30_000

/** The database of a house: one server, or one and a standby that takes its place. */
export class Databases implements AsyncDisposable {
  readonly #nodes: readonly [DatabaseNode, DatabaseNode?]
  readonly #replication: Replication | undefined
  #way: FaultProxy | undefined
  #primary: DatabaseNode
  /** Where the name of the database leads, as the Service of the primary does in a cluster; new connections go there. */
  service: DatabaseNode

  private constructor(nodes: readonly [DatabaseNode, DatabaseNode?], replication: Replication | undefined) {
    this.#nodes = nodes
    this.#replication = replication
    this.#primary = nodes[0]
    this.service = nodes[0]
  }

  /** Starts the first; `pair` makes the standby, once there is something to copy. */
  static async start(folder: string, replication?: Replication, options: ServerOptions = {}): Promise<Databases> {
    const all = replication === undefined ? options : { ...options, settings: { ...options.settings, ...replicated } }
    const first = new DatabaseNode('one', join(folder, 'postgres'), all)
    await first.start()
    return new Databases(
      replication === undefined ? [first] : [first, new DatabaseNode('two', join(folder, 'postgres-two'), all)],
      replication,
    )
  }

  get primary(): DatabaseNode {
    return this.#primary
  }

  get standby(): DatabaseNode {
    const standby = this.#nodes.find((node) => node !== this.#primary)
    if (!standby) throw new TypeError('this house has no standby')
    return standby
  }

  get hasStandby(): boolean {
    return this.#nodes[1] !== undefined
  }

  /** Nothing that the primary writes from now on reaches the standby. */
  async part(): Promise<void> {
    await this.#way?.set({ kind: 'blackhole' })
  }

  /** Copies the primary, and returns when the copy follows it and, where commits wait for it, they do. */
  async pair(): Promise<void> {
    const { standby, primary } = this
    this.#way ??= await startFaultProxy({ targets: () => [{ host: '127.0.0.1', port: this.#primary.server.port }] })
    await this.#way.set()
    const through = Object.assign(new URL(primary.server.url), { port: String(this.#way.port) }).href
    await copyAsStandby({ url: primary.server.url, through, from: primary.folder, to: standby.folder, name: standby.name })
    await standby.start()
    const follows = (state: string) => async () =>
      (
        await primary.ask<{ n: string }>('select application_name as n from pg_stat_replication where state = $1 and sync_state = $2', [
          'streaming',
          state,
        ])
      ).length === 1
    if (!(await within(patienceMs, follows('async')))) throw new Error(`${standby.name} does not follow ${primary.name}`)
    if (this.#replication === 'asynchronous') return
    await primary.ask(`alter system set synchronous_standby_names = '${standby.name}'`)
    await primary.ask('select pg_reload_conf()')
    if (!(await within(patienceMs, follows('sync')))) throw new Error(`nobody waits for ${standby.name}`)
    // Whoever has this has all that was committed before anybody waited.
    await primary.ask("select pg_logical_emit_message(true, 'gatehouse', 'all until here')")
  }

  /** The standby takes its place: only after the old one was fenced. New connections find it. */
  async promote(): Promise<void> {
    const { standby } = this
    this.#way?.cut()
    await standby.ask('select pg_promote(true, 30)')
    this.#primary = standby
    this.service = standby
  }

  /** What is dead starts; a standby that lost its place has to be made anew, by `pair`. */
  async startPrimary(): Promise<void> {
    await this.#primary.start()
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node?.stop()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Who stands still cannot be asked to end.
    if (this.hasStandby) await Promise.all(this.#nodes.map((node) => node?.kill()))
    await this.stopAll()
    await this.#way?.[Symbol.asyncDispose]()
  }
}
