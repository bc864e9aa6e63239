import { setTimeout as delay } from 'node:timers/promises'
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import type { PostgresPoolClient, PostgresQueryResult } from 'kysely'
import type pg from 'pg'
import { currentBounds, refuseWhenOver } from './bounds.ts'
import { CopyRows } from './copy.ts'
import {
  asKnown,
  DatabaseUnavailable,
  isConflict,
  isConnectionLost,
  isDeadConnection,
  isStalePlan,
  isStaleStatement,
  sqlState,
} from './errors.ts'
import { sendCopy } from './send-copy.ts'
import type { StatementNames } from './statement-names.ts'
import { whileAwaited } from './while-awaited.ts'

/** After a restart of the server, as many idle connections of the pool may be dead. */
const maxDead = 50

/** As often a statement that is a transaction of its own is tried that lost against another one: the server has undone it. */
const maxConflicts = 5

const isBegin = (text: string): boolean => text === 'begin' || text.startsWith('start transaction')

const tracer = trace.getTracer('gatehouse.postgres')

/** What Kysely holds between taking a connection and giving it back: names statements, and never gives back a connection that is of no more use. */
export class LeasedClient implements PostgresPoolClient {
  readonly #connect: () => Promise<pg.PoolClient>
  readonly #names: StatementNames | undefined
  #client: pg.PoolClient | undefined
  #lost = false

  constructor(client: pg.PoolClient, connect: () => Promise<pg.PoolClient>, names: StatementNames | undefined) {
    this.#client = client
    this.#connect = connect
    this.#names = names
  }

  get processID(): number {
    return (this.#client as (pg.PoolClient & { processID: number }) | undefined)?.processID ?? 0
  }

  /** Cursors are not served: a page is read by its key. */
  query(...args: unknown[]): never
  query<R>(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<R>>
  query<R>(text: string, values: readonly unknown[] = []): Promise<PostgresQueryResult<R>> {
    if (trace.getSpan(context.active())?.isRecording() !== true) return this.#run(text, values)
    // Values never stand in the text, so the text may be seen by whoever sees traces.
    const operation = text.trimStart().split(/\s/, 1)[0] ?? ''
    const attributes = { 'db.system.name': 'postgresql', 'db.query.text': text.slice(0, 2000), 'db.query.summary': operation }
    return tracer.startActiveSpan(operation === '' ? 'postgresql' : operation, { kind: SpanKind.CLIENT, attributes }, async (span) => {
      try {
        return await this.#run<R>(text, values)
      } catch (error) {
        const state = sqlState(error)
        if (state !== undefined) span.setAttribute('db.response.status_code', state)
        span.setAttribute('error.type', state ?? (error instanceof Error ? error.name : '_OTHER'))
        span.setStatus({ code: SpanStatusCode.ERROR })
        throw error
      } finally {
        span.end()
      }
    })
  }

  async #run<R>(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<R>> {
    // A lost connection has rolled back by itself; saying so lets the first error, which tells more, reach the caller.
    if (this.#lost && text === 'rollback') return { command: 'ROLLBACK', rowCount: 0, rows: [] }
    const inTransaction = transactionStatus(this.#client) !== 'I'
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#send<R>(text, values)
      } catch (error) {
        if (!inTransaction && isConflict(error) && attempt < maxConflicts) {
          await delay(Math.random() * 10 * 2 ** attempt)
          continue
        }
        if (isStalePlan(error)) this.#names?.renew(text)
        const again =
          !inTransaction && ((isStaleStatement(error) && attempt === 1) || (isBegin(text) && isDeadConnection(error) && attempt <= maxDead))
        this.#lost ||= isConnectionLost(error) || isStaleStatement(error)
        if (!again) throw asKnown(error)
        await this.#replace()
      }
    }
  }

  async #replace(): Promise<void> {
    this.release(true)
    this.#client = await this.#connect()
    this.#lost = false
  }

  async #send<R>(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<R>> {
    if (this.#client === undefined) throw new DatabaseUnavailable('the connection is lost, and there was no other')
    // Whoever does not wait any more frees what the transaction holds.
    const bounds = text === 'rollback' ? undefined : currentBounds()
    refuseWhenOver(bounds)
    const [first] = values
    if (first instanceof CopyRows) return (await sendCopy(this.#client, text, first)) as unknown as PostgresQueryResult<R>
    const named = values.length > 0 ? this.#names?.of(text) : undefined
    const client = this.#client
    const sent = client.query({ ...(named ?? { text }), values: values as unknown[] }) as unknown as Promise<PostgresQueryResult<R>>
    // A commit that was cancelled may have happened.
    if (bounds === undefined || text === 'commit') return await sent
    return await whileAwaited(sent, {
      bounds,
      client,
      onLost: () => {
        this.#lost = true
      },
    })
  }

  release(destroy = false): void {
    this.#client?.release(destroy || this.#lost)
    this.#client = undefined
  }
}

/** `I` idle, `T` in a transaction, `E` in a failed one (PostgreSQL protocol, ReadyForQuery). */
function transactionStatus(client: pg.PoolClient | undefined): string {
  return (client as (pg.PoolClient & { getTransactionStatus(): string | null }) | undefined)?.getTransactionStatus() ?? 'I'
}
