import { type Kysely, sql } from 'kysely'

/** Sessions, the hashes of their refresh tokens, and the short list of those that ended a moment ago. Times have milliseconds, as JavaScript does: page tokens carry them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table sessions (
      tenant text not null,
      id uuid not null,
      user_id uuid not null,
      client_id text not null,
      create_time timestamptz(3) not null,
      last_use_time timestamptz(3) not null,
      idle_expire_time timestamptz(3) not null,
      expire_time timestamptz(3) not null,
      auth_time timestamptz(3) not null,
      amr text[] not null,
      user_agent text not null,
      network text not null,
      version integer not null,
      end_time timestamptz(3),
      end_cause text,
      primary key (tenant, id)
    )`.execute(db)
  await sql`
    create index sessions_of_user on sessions (tenant, user_id, last_use_time desc, id desc)
      where end_time is null`.execute(db)
  await sql`create index sessions_to_prune on sessions (least(idle_expire_time, expire_time, end_time))`.execute(db)
  await sql`
    create table session_epochs (
      tenant text not null,
      user_id uuid not null,
      epoch integer not null,
      primary key (tenant, user_id)
    )`.execute(db)
  await sql`
    create table refresh_tokens (
      tenant text not null,
      token_hash bytea not null,
      session_id uuid not null,
      create_time timestamptz(3) not null,
      use_time timestamptz(3),
      key_version integer,
      successor_hash bytea,
      primary key (tenant, token_hash),
      foreign key (tenant, session_id) references sessions (tenant, id) on delete cascade
    )`.execute(db)
  await sql`create index refresh_tokens_of_session on refresh_tokens (tenant, session_id)`.execute(db)
  await sql`create index refresh_tokens_used on refresh_tokens (use_time) where use_time is not null`.execute(db)
  await sql`
    create table revocations (
      tenant text not null,
      session_id uuid not null,
      revoke_time timestamptz(3) not null default clock_timestamp(),
      forget_time timestamptz(3) not null,
      primary key (tenant, session_id)
    )`.execute(db)
  await sql`create index revocations_by_time on revocations (revoke_time)`.execute(db)
}
