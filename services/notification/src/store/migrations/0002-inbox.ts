import { type Kysely, sql } from 'kysely'

/** The person's id is the shard key: everything of one inbox lies together. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table inbox_heads (
      tenant text not null,
      user_id uuid not null,
      sequence integer not null,
      closed boolean not null default false,
      primary key (tenant, user_id)
    )`.execute(db)
  await sql`
    create table inbox_items (
      tenant text not null,
      user_id uuid not null,
      id uuid not null,
      sequence integer not null,
      change_sequence integer not null,
      kind text not null,
      create_time timestamptz(3) not null default now(),
      read_time timestamptz(3),
      primary key (tenant, user_id, id)
    )`.execute(db)
  await sql`create unique index inbox_items_sequence on inbox_items (tenant, user_id, sequence)`.execute(db)
  await sql`create unique index inbox_items_change_sequence on inbox_items (tenant, user_id, change_sequence)`.execute(db)
  await sql`create index inbox_items_unread on inbox_items (tenant, user_id) where read_time is null`.execute(db)
  await sql`create index inbox_items_create_time on inbox_items (create_time)`.execute(db)
}
