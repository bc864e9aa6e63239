import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { Databases } from './databases.ts'

const lookEveryMs = 500
const lookPatienceMs = 1_000
/** So many looks in a row find nothing, and the primary is given up. */
const looksBeforeGivenUp = 3

export interface OperatorOptions {
  readonly databases: Databases
  readonly onFault: (fault: string) => void
  /** Makes certain that the old primary acknowledges nothing any more, before there is another. */
  readonly fence: () => Promise<void>
}

/** What an operator of databases does, CloudNativePG say, and nothing more: it looks at the primary, and when that is gone fences it, promotes the standby and moves the name. */
export class DatabaseOperator implements AsyncDisposable {
  readonly #options: OperatorOptions
  readonly #running: Promise<void>
  #stopped = false
  #failovers = 0

  constructor(options: OperatorOptions) {
    this.#options = options
    this.#running = this.#run()
  }

  /** Since the start. */
  get failovers(): number {
    return this.#failovers
  }

  async #run(): Promise<void> {
    const { databases, onFault, fence } = this.#options
    for (let missed = 0; !this.#stopped; await delay(lookEveryMs)) {
      missed = (await answers(databases.primary.server.url)) ? 0 : missed + 1
      if (missed < looksBeforeGivenUp || this.#stopped) continue
      onFault(`failover from ${databases.primary.name} to ${databases.standby.name}`)
      await fence()
      await databases.promote()
      this.#failovers++
      missed = 0
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true
    await this.#running
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: lookPatienceMs, query_timeout: lookPatienceMs })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('select 1')
    return true
  } catch {
    return false
  } finally {
    void client.end().catch(() => undefined)
  }
}
