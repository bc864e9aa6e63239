import { type Kysely, sql } from 'kysely'

/** What a lock-down closed, so that it is not chosen anew. The release before neither writes nor reads it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table credentials add column closed_hash text`.execute(db)
}
