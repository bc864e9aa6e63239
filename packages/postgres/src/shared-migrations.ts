import { sql } from 'kysely'
import type { MigrationSet } from './migrate.ts'

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
        // The server cleans it, and looks at it for its plans, when a hundredth of it has changed, and not only when a fifth has. Locks nobody out.
        for (const table of ['rate_limits', 'requests'])
          await sql`alter table ${sql.id(table)} set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000,
            autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 5000)`.execute(db)
        // A counter is written again and again: with room on its page that touches no index.
        await sql`alter table rate_limits set (fillfactor = 70)`.execute(db)
      },
    },
  ],
}
