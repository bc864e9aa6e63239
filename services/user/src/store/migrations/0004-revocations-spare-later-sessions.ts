import { type Kysely, sql } from 'kysely'

/** Somebody who is let back before auth has ended the sessions keeps those that come after. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table pending_revocations add column opened_until timestamptz(3)`.execute(db)
}
