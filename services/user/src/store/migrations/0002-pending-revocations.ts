import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table pending_revocations (
      tenant text not null,
      user_id uuid not null,
      version bigint not null,
      attempts integer not null default 0,
      due_time timestamptz not null default now(),
      primary key (tenant, user_id)
    )`.execute(db)
  await sql`create index pending_revocations_due_time on pending_revocations (due_time)`.execute(db)
}
