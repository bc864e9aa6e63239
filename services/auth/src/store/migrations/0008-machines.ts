import { type Kysely, sql } from 'kysely'

/** Programs with an account and their API keys; workloads of other teams. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table service_accounts add column description text not null default '', add column disable_time timestamptz(3)`.execute(
    db,
  )
  await sql`
    create table api_keys (
      tenant text not null,
      id uuid not null,
      account_id uuid not null,
      name text not null,
      key_hash bytea not null,
      scopes text[] not null,
      limit_count integer,
      limit_window_seconds integer,
      create_time timestamptz(3) not null,
      lifetime_seconds bigint not null,
      expire_time timestamptz(3) not null,
      last_use_time timestamptz(3),
      revoke_time timestamptz(3),
      primary key (tenant, account_id, id)
    )`.execute(db)
  // A call over gRPC says by its key alone which tenant it is of.
  await sql`create unique index api_keys_by_id on api_keys (id)`.execute(db)
  await sql`create index api_keys_to_prune on api_keys (least(expire_time, revoke_time))`.execute(db)
  await sql`
    create table api_key_changes (
      tenant text not null,
      key_id uuid not null,
      version integer not null default 1,
      change_time timestamptz(3) not null default clock_timestamp(),
      forget_time timestamptz(3) not null,
      primary key (tenant, key_id)
    )`.execute(db)
  await sql`create index api_key_changes_by_time on api_key_changes (change_time)`.execute(db)
  await sql`create index api_key_changes_to_prune on api_key_changes (forget_time)`.execute(db)
  await sql`
    create table workloads (
      name text primary key,
      issuer text not null,
      subject text not null,
      audience text not null,
      calls text[] not null,
      create_time timestamptz(3) not null,
      update_time timestamptz(3) not null,
      unique (issuer, subject)
    )`.execute(db)
  await sql`
    create table workload_registry (
      singleton boolean primary key default true check (singleton),
      version bigint not null
    )`.execute(db)
}
