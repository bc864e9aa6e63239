import { type Kysely, sql } from 'kysely'

/**
 * Roles, groups and bindings. `role_bindings` keeps what it always held, roles that hold on everything and always: the release before reads each of its
 * rows as such. What holds on a resource, under a condition or for a time has a table of its own, of which that release knows nothing.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table roles (
      tenant text not null,
      id uuid not null,
      name text not null,
      description text not null,
      permissions text[] not null,
      version bigint not null,
      create_time timestamptz(3) not null default now(),
      update_time timestamptz(3) not null default now(),
      primary key (tenant, name)
    )`.execute(db)
  await sql`
    create table groups (
      tenant text not null,
      id uuid not null,
      name text not null,
      create_time timestamptz(3) not null default now(),
      primary key (tenant, id),
      unique (tenant, name)
    )`.execute(db)
  await sql`
    create table group_members (
      tenant text not null,
      group_id uuid not null,
      member_id uuid not null,
      member_kind text not null,
      create_time timestamptz(3) not null default now(),
      primary key (tenant, group_id, member_id)
    )`.execute(db)
  await sql`create index group_members_member on group_members (tenant, member_id)`.execute(db)
  // Rows of the release before have no kind: they are of service accounts where one has the id, and of people otherwise.
  await sql`
    alter table role_bindings
      add column id uuid not null default gen_random_uuid(),
      add column subject_kind text,
      add column creator_id uuid`.execute(db)
  await sql`create unique index role_bindings_id on role_bindings (tenant, id)`.execute(db)
  await sql`create index role_bindings_role on role_bindings (tenant, role)`.execute(db)
  await sql`create index role_bindings_time on role_bindings (create_time)`.execute(db)
  await sql`
    create table conditional_bindings (
      tenant text not null,
      id uuid not null,
      role text not null,
      subject_kind text not null,
      subject_id uuid not null,
      resource text not null,
      condition text not null,
      expire_time timestamptz(3),
      creator_id uuid,
      create_time timestamptz(3) not null default now(),
      primary key (tenant, id)
    )`.execute(db)
  await sql`create index conditional_bindings_subject on conditional_bindings (tenant, subject_id)`.execute(db)
  await sql`create index conditional_bindings_role on conditional_bindings (tenant, role)`.execute(db)
  await sql`create index conditional_bindings_expire on conditional_bindings (expire_time)`.execute(db)
  await sql`
    create table access_versions (
      tenant text primary key,
      version bigint not null
    )`.execute(db)
  await sql`
    create table access_changes (
      tenant text not null,
      version bigint not null,
      kind text not null,
      name text not null,
      change_time timestamptz(3) not null default clock_timestamp(),
      primary key (tenant, version, kind, name)
    )`.execute(db)
  await sql`create index access_changes_time on access_changes (change_time)`.execute(db)
  await sql`
    create table leaving_people (
      tenant text not null,
      user_id uuid not null,
      until_time timestamptz(3) not null,
      primary key (tenant, user_id)
    )`.execute(db)
}
