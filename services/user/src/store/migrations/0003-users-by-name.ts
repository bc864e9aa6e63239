import { type Kysely, sql } from 'kysely'

/** A search goes on behind (name, id): with the id in the index, a page is as short a walk among namesakes as anywhere else. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index users_name_key_id on users (tenant, name_key, id)`.execute(db)
  await sql`drop index users_name_key`.execute(db)
}
