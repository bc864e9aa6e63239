import { type Kysely, sql } from 'kysely'

/**
 * People from elsewhere: providers that sign them in, which mail domains go there, sign-ins that are under way there, and who is who. The release before reads none
 * of it: it runs on, and forces nobody.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table connections (
      tenant text not null,
      connection_id text not null,
      kind text not null check (kind in ('oidc', 'github', 'saml')),
      name text not null,
      issuer text not null,
      client_id text not null,
      secret bytea,
      scopes text[] not null,
      jit text not null check (jit in ('off', 'invited', 'on')),
      trusted_email boolean not null,
      enforce boolean not null,
      hidden boolean not null,
      mapping jsonb not null,
      version integer not null,
      create_time timestamptz(3) not null,
      update_time timestamptz(3) not null,
      disable_time timestamptz(3),
      delete_time timestamptz(3),
      primary key (tenant, connection_id),
      unique (tenant, issuer)
    )`.execute(db)
  await sql`
    create table connection_domains (
      tenant text not null,
      domain text not null,
      connection_id text not null,
      primary key (tenant, domain),
      foreign key (tenant, connection_id) references connections (tenant, connection_id) on delete cascade
    )`.execute(db)
  await sql`create index connection_domains_of_connection on connection_domains (tenant, connection_id)`.execute(db)
  await sql`
    create table connection_attempts (
      tenant text not null,
      state_hash bytea not null,
      browser_hash bytea not null,
      connection_id text not null,
      user_id uuid,
      session_id uuid,
      create_time timestamptz(3) not null,
      expire_time timestamptz(3) not null,
      primary key (tenant, state_hash)
    ) with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000)`.execute(db)
  await sql`create index connection_attempts_to_prune on connection_attempts (expire_time)`.execute(db)
  await sql`
    create table linked_identities (
      tenant text not null,
      issuer text not null,
      subject text not null,
      id uuid not null,
      user_id uuid not null,
      connection_id text not null,
      email text not null,
      made_account boolean not null,
      create_time timestamptz(3) not null,
      link_time timestamptz(3),
      last_use_time timestamptz(3),
      primary key (tenant, issuer, subject),
      unique (tenant, id)
    )`.execute(db)
  await sql`create index linked_identities_of_person on linked_identities (tenant, user_id)`.execute(db)
  await sql`create index linked_identities_of_connection on linked_identities (tenant, connection_id)`.execute(db)
}
