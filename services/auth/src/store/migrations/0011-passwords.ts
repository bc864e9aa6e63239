import { type Kysely, sql } from 'kysely'

/** Wrong passwords in a row, and which kinds of hashes there are: the one that every hash until now is of. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table password_failures (
      tenant text not null,
      key bytea not null,
      user_id uuid,
      failures integer not null,
      total integer not null,
      last_time timestamptz(3) not null,
      primary key (tenant, key)
    )`.execute(db)
  await sql`create index password_failures_person on password_failures (tenant, user_id) where user_id is not null`.execute(db)
  await sql`create index password_failures_old on password_failures (last_time) where user_id is null`.execute(db)
  await sql`alter table password_failures set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000,
      autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 5000)`.execute(db)
  await sql`
    create table password_kinds (
      kind text primary key,
      check_time timestamptz(3) not null
    )`.execute(db)
  await sql`insert into password_kinds (kind, check_time) values ('$argon2id$v=19$m=19456,t=2,p=1$ 32', now())`.execute(db)
}
