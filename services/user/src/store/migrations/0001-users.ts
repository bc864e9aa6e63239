import { type Kysely, sql } from 'kysely'

/** Times have milliseconds, as JavaScript has, so that a page token can name one exactly. Keys compare by code point, so that a prefix is a range. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table users (
      tenant text not null,
      id uuid not null,
      version bigint not null default 1,
      state text not null check (state in ('invited', 'active', 'suspended', 'deleted')),
      email text,
      email_key text collate "C",
      email_verified boolean not null,
      name text not null,
      name_key text collate "C",
      locale text not null,
      time_zone text not null default '',
      create_time timestamptz(3) not null default now(),
      update_time timestamptz(3) not null default now(),
      primary key (tenant, id),
      constraint users_deleted_is_empty check ((state = 'deleted') = (email is null) and (email is null) = (email_key is null) and (email is null) = (name_key is null))
    )`.execute(db)
  await sql`create unique index users_email_key on users (tenant, email_key)`.execute(db)
  await sql`create index users_name_key on users (tenant, name_key)`.execute(db)
  await sql`create index users_create_time on users (tenant, create_time, id)`.execute(db)
}
