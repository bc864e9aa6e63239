import { type Kysely, sql } from 'kysely'

/**
 * Deleting a notification deletes its deliveries by their foreign key, for which Postgres uses no partial index: each would read all deliveries of the
 * tenant. What is written and pruned all day is cleaned all day.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index deliveries_notification on deliveries (tenant, notification_id)`.execute(db)
  await sql`drop index deliveries_superseded`.execute(db)
  for (const table of ['notifications', 'deliveries', 'inbox_items'])
    await sql`alter table ${sql.id(table)} set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000,
      autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 5000)`.execute(db)
}
