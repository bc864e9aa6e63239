import { type Kysely, sql } from 'kysely'

/**
 * For a table that lives by being written and pruned, in a migration: the server cleans it, and looks at it for its plans, when a hundredth of it has
 * changed, and not only when a fifth has. Dead rows slow down whoever reads where they were, and a queue is read where its rows die. Locks nobody out.
 */
export async function vacuumOften(db: Kysely<unknown>, table: string): Promise<void> {
  await sql`alter table ${sql.id(table)} set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000,
    autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 5000)`.execute(db)
}
