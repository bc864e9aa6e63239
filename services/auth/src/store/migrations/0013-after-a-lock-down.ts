import { type Kysely, sql } from 'kysely'

/** The password that a lock-down took, so that it is not chosen anew, and passkeys that came too late to be trusted alone. The release before neither writes nor reads them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table credentials add column closed_hash text`.execute(db)
  await sql`alter table passkeys add column held_back boolean not null default false`.execute(db)
}
