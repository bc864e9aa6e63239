import { type Kysely, sql } from 'kysely'

/** What people prove beside a password who they are with, sign-ins that are half finished, and sessions that were raised. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table sessions add column generation integer not null default 0`.execute(db)
  await sql`
    create table session_raises (
      tenant text not null,
      session_id uuid not null,
      generation integer not null,
      raise_time timestamptz(3) not null default clock_timestamp(),
      forget_time timestamptz(3) not null,
      primary key (tenant, session_id)
    )`.execute(db)
  await sql`create index session_raises_by_time on session_raises (raise_time)`.execute(db)
  await sql`
    create table factor_versions (
      tenant text not null,
      user_id uuid not null,
      version integer not null,
      primary key (tenant, user_id)
    )`.execute(db)
  await sql`
    create table passkeys (
      tenant text not null,
      id uuid not null,
      user_id uuid not null,
      credential_id bytea not null,
      public_key bytea not null,
      sign_count bigint not null,
      transports text[] not null,
      backup_eligible boolean not null,
      backed_up boolean not null,
      name text not null,
      create_time timestamptz(3) not null,
      last_use_time timestamptz(3),
      primary key (tenant, user_id, id),
      unique (tenant, credential_id)
    )`.execute(db)
  await sql`
    create table totp_factors (
      tenant text not null,
      user_id uuid not null,
      secret bytea not null,
      create_time timestamptz(3) not null,
      confirm_time timestamptz(3),
      expire_time timestamptz(3) not null,
      last_step bigint not null,
      last_use_time timestamptz(3),
      primary key (tenant, user_id)
    )`.execute(db)
  await sql`
    create table recovery_codes (
      tenant text not null,
      user_id uuid not null,
      code_hash bytea not null,
      create_time timestamptz(3) not null,
      primary key (tenant, user_id, code_hash)
    )`.execute(db)
  await sql`
    create table pending_sign_ins (
      tenant text not null,
      token_hash bytea not null,
      user_id uuid not null,
      session_id uuid,
      client_id text not null,
      methods text[] not null,
      strength smallint not null,
      epoch integer not null,
      wrong_count integer not null default 0,
      passkey_challenge bytea,
      create_time timestamptz(3) not null,
      expire_time timestamptz(3) not null,
      primary key (tenant, token_hash)
    )`.execute(db)
  await sql`create index pending_sign_ins_to_prune on pending_sign_ins (expire_time)`.execute(db)
  await sql`
    create table passkey_attempts (
      tenant text not null,
      id uuid not null,
      user_id uuid,
      session_id uuid,
      challenge bytea not null,
      create_time timestamptz(3) not null,
      expire_time timestamptz(3) not null,
      primary key (tenant, id)
    )`.execute(db)
  await sql`create index passkey_attempts_to_prune on passkey_attempts (expire_time)`.execute(db)
}
