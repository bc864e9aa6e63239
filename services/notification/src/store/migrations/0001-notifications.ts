import { type Kysely, sql } from 'kysely'

/** Times have milliseconds, as JavaScript has, so that what is compared in both places is equal in both. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table notifications (
      tenant text not null,
      id uuid not null,
      template text not null,
      user_id uuid,
      challenge_id uuid,
      urgent boolean not null,
      send_time timestamptz(3) not null,
      create_time timestamptz(3) not null default now(),
      primary key (tenant, id),
      check (user_id is not null or challenge_id is not null)
    )`.execute(db)
  await sql`create index notifications_user on notifications (tenant, user_id, id)`.execute(db)
  await sql`create index notifications_create_time on notifications (create_time)`.execute(db)
  await sql`
    create table deliveries (
      tenant text not null,
      id uuid not null,
      notification_id uuid not null,
      urgent boolean not null,
      state text not null default 'pending'
        check (state in ('pending', 'sending', 'delivered', 'failed', 'cancelled', 'suppressed', 'superseded')),
      version integer not null default 1,
      attempts integer not null default 0,
      postponements integer not null default 0,
      claim integer not null default 0,
      due_time timestamptz(3) not null,
      data jsonb,
      failure text not null default '',
      create_time timestamptz(3) not null default now(),
      update_time timestamptz(3) not null default now(),
      primary key (tenant, id),
      foreign key (tenant, notification_id) references notifications (tenant, id) on delete cascade
    )`.execute(db)
  await sql`create unique index deliveries_current on deliveries (tenant, notification_id) where state <> 'superseded'`.execute(db)
  await sql`create index deliveries_superseded on deliveries (tenant, notification_id) where state = 'superseded'`.execute(db)
  await sql`create index deliveries_due on deliveries (urgent, due_time) where state in ('pending', 'sending')`.execute(db)
  await sql`
    create table dead_deliveries (
      tenant text not null,
      delivery_id uuid not null,
      reason text not null,
      attempts integer not null,
      create_time timestamptz(3) not null default now(),
      primary key (tenant, delivery_id),
      foreign key (tenant, delivery_id) references deliveries (tenant, id) on delete cascade
    )`.execute(db)
}
