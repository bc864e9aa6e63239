import pg from 'pg'
import { DatabaseUnavailable } from './errors.ts'

type Reporting = { readonly connection: { on(event: 'parameterStatus', listener: (status: Status) => void): void } }
type Status = { readonly parameterName: string; readonly parameterValue: string }

/**
 * A connection that knows whether its server is a standby: PostgreSQL (14 and newer) says so unasked before the first statement, in `in_hot_standby`. It is
 * what libpq's `target_session_attrs=read-write` goes by, without its round trip. A pooler that does not pass it on is believed.
 */
export class RoleClient extends pg.Client {
  #isStandby = false

  constructor(config?: pg.ClientConfig) {
    super(config)
    const { connection } = this as unknown as Reporting
    connection.on('parameterStatus', ({ parameterName, parameterValue }) => {
      if (parameterName === 'in_hot_standby') this.#isStandby = parameterValue === 'on'
    })
  }

  get isStandby(): boolean {
    return this.#isStandby
  }
}

/** For pg-pool's `verify`: reads of a standby may be older than what was written, and nothing can be written there. */
export function refuseStandby(client: unknown, done: (error?: Error) => void): void {
  const isStandby = client instanceof RoleClient && client.isStandby
  done(isStandby ? new DatabaseUnavailable('the database that answers is a standby: its name leads to the wrong server') : undefined)
}
