import type { MigrationSet } from '@gatehouse/postgres'
import { sql } from 'kysely'

/** The tables behind addEvent(), createRelay() and startConsumers(), in the service's own schema. */
export const eventMigrations: MigrationSet = {
  name: 'events',
  migrations: [
    {
      id: '0001-outbox',
      async up(db) {
        // create_time is the clock at the insert, not the transaction's start: a row lock orders two inserts of one key by it.
        await sql`create table outbox (
          tenant text not null,
          id uuid not null,
          type text not null,
          subject text not null,
          key text not null,
          version bigint not null,
          payload bytea not null,
          traceparent text,
          create_time timestamptz not null default clock_timestamp(),
          position bigint,
          published_time timestamptz,
          primary key (tenant, id))`.execute(db)
        await sql`create index outbox_unstamped on outbox (tenant, key, version, create_time, id) where position is null`.execute(db)
        await sql`create unique index outbox_position on outbox (position) where position is not null`.execute(db)
        await sql`create index outbox_unpublished on outbox (position) where position is not null and published_time is null`.execute(db)
        await sql`create table relay_lease (
          name text primary key,
          holder text not null,
          epoch bigint not null,
          position bigint not null,
          expire_time timestamptz not null)`.execute(db)
        await sql`insert into relay_lease (name, holder, epoch, position, expire_time) values ('relay', '', 0, 0, now())`.execute(db)
      },
    },
    {
      id: '0002-inbox',
      async up(db) {
        await sql`create table inbox (
          tenant text not null,
          event_id text not null,
          consumer text not null,
          create_time timestamptz not null default now(),
          primary key (tenant, event_id, consumer))`.execute(db)
        await sql`create index inbox_create_time on inbox (create_time)`.execute(db)
        await sql`create table dead_letters (
          tenant text not null,
          event_id text not null,
          consumer text not null,
          type text not null,
          key text not null,
          version bigint not null,
          payload bytea not null,
          traceparent text,
          event_time timestamptz not null,
          reason text not null,
          attempts integer not null,
          create_time timestamptz not null default now(),
          update_time timestamptz not null default now(),
          primary key (tenant, event_id, consumer))`.execute(db)
        await sql`create index dead_letters_create_time on dead_letters (create_time)`.execute(db)
      },
    },
    {
      id: '0003-vacuum-often',
      async up(db) {
        for (const table of ['outbox', 'inbox'])
          await sql`alter table ${sql.id(table)} set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000,
            autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 5000)`.execute(db)
      },
    },
    {
      id: '0004-outbox-log',
      async up(db) {
        // Empty but for what got its position while the broker was away: publishing on ordinary days writes nothing into it.
        await sql`create index outbox_placed on outbox (tenant, key, version, create_time, id)
          where position is not null and published_time is null`.execute(db)
        await sql`alter table relay_lease add column forgotten_position bigint not null default 0`.execute(db)
      },
    },
    {
      id: '0005-dead-letters-asked',
      async up(db) {
        // When somebody asked to have it handled again; while one does, when another may.
        await sql`alter table dead_letters add column retry_time timestamptz, add column stack_id text`.execute(db)
        await sql`create index dead_letters_retry_time on dead_letters (retry_time) where retry_time is not null`.execute(db)
      },
    },
  ],
}
