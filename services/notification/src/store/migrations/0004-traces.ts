import { type Kysely, sql } from 'kysely'

/** A mail leaves long after the call that caused it, and perhaps from another process: its row says which trace it belongs to. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table deliveries add column traceparent text`.execute(db)
}
