import { type Kysely, sql } from 'kysely'

/**
 * What is told when somebody else may be at work: what was told lately, what the mails say, where people signed in from, and the accounts that a source failed at:
 * a bit each, by a hash. The release before writes none of it: it runs on.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table suspicion_marks (
      tenant text not null,
      subject text not null,
      kind text not null,
      until_time timestamptz(3) not null,
      primary key (tenant, subject, kind)
    )`.execute(db)
  await sql`create index suspicion_marks_by_time on suspicion_marks (until_time)`.execute(db)
  await sql`alter table suspicion_marks set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000,
      autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 5000)`.execute(db)
  await sql`
    create table suspicions (
      tenant text not null,
      challenge_id uuid not null,
      kinds text[] not null,
      user_agent text not null,
      network text not null,
      happen_time timestamptz(3) not null,
      primary key (tenant, challenge_id),
      foreign key (tenant, challenge_id) references challenges (tenant, id) on delete cascade
    )`.execute(db)
  await sql`alter table session_epochs add column networks text[] not null default '{}'`.execute(db)
  await sql`alter table password_failures add column accounts bit(256) not null default B'0'::bit(256)`.execute(db)
  await sql`
    alter table challenges drop constraint challenges_kind_check, add constraint challenges_kind_check
      check (kind in ('sign_up', 'reset', 'invitation', 'email_change', 'email_changed', 'email_sign_in', 'lock_down'))`.execute(db)
  await sql`
    alter table challenge_secrets drop constraint challenge_secrets_purpose_check, add constraint challenge_secrets_purpose_check
      check (purpose in ('verify_email', 'reset_password', 'accept_invitation', 'change_email', 'email_sign_in', 'lock_down'))`.execute(db)
}
