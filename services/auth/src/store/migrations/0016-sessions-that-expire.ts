import { type Kysely, sql } from 'kysely'

/** Up to when sessions that end by their time were looked for: one row. The release before neither writes nor reads it; what expired until now is nobody's news. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table oidc_session_sweep (
      the_one boolean primary key default true check (the_one),
      swept_until timestamptz(3) not null
    )`.execute(db)
  await sql`insert into oidc_session_sweep (swept_until) values (clock_timestamp())`.execute(db)
}
