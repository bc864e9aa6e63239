import { type Kysely, sql } from 'kysely'

/** What people and service accounts may do, and whom else tokens may be issued for. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table role_bindings (
      tenant text not null,
      subject_id uuid not null,
      role text not null,
      create_time timestamptz(3) not null default now(),
      primary key (tenant, subject_id, role)
    )`.execute(db)
  await sql`
    create table service_accounts (
      tenant text not null,
      id uuid not null,
      name text not null,
      create_time timestamptz(3) not null default now(),
      primary key (tenant, id),
      unique (tenant, name)
    )`.execute(db)
  await sql`
    create table audiences (
      tenant text not null,
      audience text not null,
      create_time timestamptz(3) not null default now(),
      primary key (tenant, audience)
    )`.execute(db)
}
