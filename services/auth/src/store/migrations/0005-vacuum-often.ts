import { type Kysely, sql } from 'kysely'

/** What is written and pruned all day is cleaned all day; counters of wrong codes are found by their day. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index code_failures_day on code_failures (day)`.execute(db)
  for (const table of ['sessions', 'refresh_tokens', 'revocations', 'challenges', 'challenge_secrets', 'sign_ups', 'code_failures'])
    await sql`alter table ${sql.id(table)} set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000,
      autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 5000)`.execute(db)
}
