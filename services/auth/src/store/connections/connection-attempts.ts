import { type Insertable, type Selectable, sql } from 'kysely'
import type { Db } from '../schema.ts'
import type { ConnectionAttemptsTable } from './connection-tables.ts'

export type ConnectionAttemptRow = Selectable<ConnectionAttemptsTable>

export async function insertConnectionAttempt(db: Db, row: Insertable<ConnectionAttemptsTable>): Promise<void> {
  await db.insertInto('connection_attempts').values(row).execute()
}

/** Uses an attempt up: of many at once exactly one gets it, in the browser, for the connection and by the person that it was begun with, and nobody else ends it. */
export async function takeConnectionAttempt(
  db: Db,
  which: Pick<ConnectionAttemptRow, 'tenant' | 'state_hash' | 'browser_hash' | 'connection_id' | 'user_id' | 'session_id'> & {
    readonly time: Date
  },
): Promise<boolean> {
  const row = await db
    .deleteFrom('connection_attempts')
    .where('tenant', '=', which.tenant)
    .where('state_hash', '=', which.state_hash)
    .where('browser_hash', '=', which.browser_hash)
    .where('connection_id', '=', which.connection_id)
    .where('user_id', 'is not distinct from', which.user_id)
    .where('session_id', 'is not distinct from', which.session_id)
    .where('expire_time', '>', which.time)
    .returning('state_hash')
    .executeTakeFirst()
  return row !== undefined
}

export async function pruneConnectionAttempts(db: Db, before: Date, limit: number): Promise<number> {
  const pruned = await sql`
    delete from connection_attempts where (tenant, state_hash) in (
      select tenant, state_hash from connection_attempts where expire_time < ${before} order by expire_time
      limit ${limit}::integer for update skip locked)`.execute(db)
  return Number(pruned.numAffectedRows ?? 0n)
}
