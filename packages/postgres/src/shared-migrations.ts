import { sql } from 'kysely'
import type { MigrationSet } from './migrate.ts'
import { vacuumOften } from './vacuum-often.ts'

/** The tables behind postgresLimits() and once(). */
export const sharedMigrations: MigrationSet = {
  name: 'postgres',
  migrations: [
    {
      id: '0001-rate-limits',
      async up(db) {
        await sql`create table rate_limits (
          tenant text not null,
          key text not null,
          window_seconds integer not null,
          window_start bigint not null,
          taken integer not null,
          expire_time timestamptz not null,
          primary key (tenant, key, window_seconds))`.execute(db)
        await sql`create index rate_limits_expire_time on rate_limits (expire_time)`.execute(db)
      },
    },
    {
      id: '0002-requests',
      async up(db) {
        await sql`create table requests (
          tenant text not null,
          caller text not null,
          method text not null,
          request_id text not null,
          fingerprint text not null,
          result_id text,
          create_time timestamptz not null default now(),
          primary key (tenant, caller, method, request_id))`.execute(db)
        await sql`create index requests_create_time on requests (create_time)`.execute(db)
      },
    },
    {
      id: '0003-vacuum-often',
      async up(db) {
        for (const table of ['rate_limits', 'requests']) await vacuumOften(db, table)
        // A counter is written again and again: with room on its page that touches no index.
        await sql`alter table rate_limits set (fillfactor = 70)`.execute(db)
      },
    },
  ],
}
