import { type Kysely, sql } from 'kysely'

/**
 * What was done and refused, and the chain over it. Entries, seals and checkpoints are insert-only: the rights to change and remove them are taken from the
 * role that runs this, which is the service's own where no other migrates.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table audit_entries (
      tenant text not null,
      id uuid not null,
      time timestamptz(3) not null default clock_timestamp(),
      kind text not null,
      result text not null,
      reason text not null,
      actor_kind text not null,
      actor_id text not null,
      subject_id text not null,
      session_id text not null,
      network text not null,
      trace_id text not null,
      details jsonb not null,
      primary key (tenant, id)
    )`.execute(db)
  await sql`create index audit_entries_by_time on audit_entries (tenant, time, id)`.execute(db)
  await sql`create index audit_entries_by_subject on audit_entries (tenant, subject_id, time, id) where subject_id <> ''`.execute(db)
  await sql`create index audit_entries_by_actor on audit_entries (tenant, actor_id, time, id) where actor_id <> subject_id`.execute(db)
  await sql`create index audit_entries_by_trace on audit_entries (tenant, trace_id) where trace_id <> ''`.execute(db)
  await sql`create table audit_unsealed (tenant text not null, id uuid not null, primary key (tenant, id))`.execute(db)
  await sql`alter table audit_unsealed set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000,
    autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 5000)`.execute(db)
  await sql`
    create table audit_seals (
      tenant text not null,
      position bigint not null,
      entry_id uuid not null,
      hash bytea not null,
      seal_time timestamptz(3) not null default clock_timestamp(),
      primary key (tenant, position),
      unique (tenant, entry_id)
    )`.execute(db)
  await sql`
    create table audit_checkpoints (
      tenant text not null,
      position bigint not null,
      time timestamptz(3) not null,
      jws text not null,
      primary key (tenant, position)
    )`.execute(db)
  await sql`
    create table audit_keys (
      tenant text not null,
      kid text not null,
      public_jwk jsonb not null,
      private_key bytea not null,
      create_time timestamptz(3) not null,
      primary key (tenant, kid)
    )`.execute(db)
  await sql`
    create table audit_lease (
      name text primary key,
      holder text not null,
      epoch bigint not null,
      expire_time timestamptz not null
    )`.execute(db)
  await sql`insert into audit_lease (name, holder, epoch, expire_time) values ('sealer', '', 0, now())`.execute(db)
  await sql`revoke update, delete, truncate on audit_entries, audit_seals, audit_checkpoints from current_user`.execute(db)
}
