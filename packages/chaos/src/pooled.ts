import { type PgBouncer, StatementLog, startPgBouncer, statementLogSettings } from '@gatehouse/testkit'
import { Conflicts } from './conflicts.ts'

/** What a house has besides whose services reach Postgres through PgBouncer in transaction mode. */
export class Pooled {
  readonly statements = new StatementLog()
  readonly conflicts = new Conflicts()
  #pooler: PgBouncer | undefined

  /** For `startPostgres`: everything that is sent there is read. */
  readonly ofServer = {
    settings: statementLogSettings,
    log: (line: string): void => {
      this.statements.line(line)
      this.conflicts.line(line)
    },
  }

  /** Puts the pooler before the server, whose roles are there; the URL is a superuser's, of the services' database. */
  async open(url: string): Promise<PgBouncer> {
    await this.conflicts.prepare(url)
    this.#pooler = await startPgBouncer({ postgresUrl: url })
    return this.#pooler
  }

  get pooler(): PgBouncer {
    if (!this.#pooler) throw new TypeError('the pooler is not open yet')
    return this.#pooler
  }
}
