import { type Kysely, sql } from 'kysely'

/** What tenants ask of sign-ins, and the mail that signs in. A tenant without a row has the defaults. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table policies (
      tenant text not null,
      version integer not null,
      policy jsonb not null,
      update_time timestamptz(3) not null default clock_timestamp(),
      primary key (tenant)
    )`.execute(db)
  await sql`create index policies_by_time on policies (update_time)`.execute(db)
  // The release before writes neither of them: it runs on.
  await sql`
    alter table challenges drop constraint challenges_kind_check, add constraint challenges_kind_check
      check (kind in ('sign_up', 'reset', 'invitation', 'email_change', 'email_changed', 'email_sign_in'))`.execute(db)
  await sql`
    alter table challenge_secrets drop constraint challenge_secrets_purpose_check, add constraint challenge_secrets_purpose_check
      check (purpose in ('verify_email', 'reset_password', 'accept_invitation', 'change_email', 'email_sign_in'))`.execute(db)
}
