import { type Kysely, sql } from 'kysely'

/** Tenants, their hosts and their keys; private keys and secrets are encrypted before they come here. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table tenants (
      id text primary key check (id ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
      origin text not null,
      create_time timestamptz(3) not null default now()
    )`.execute(db)
  await sql`
    create table tenant_hosts (
      host text primary key check (host = lower(host)),
      tenant text not null references tenants (id)
    )`.execute(db)
  await sql`create index tenant_hosts_tenant on tenant_hosts (tenant)`.execute(db)
  await sql`
    create table signing_keys (
      tenant text not null references tenants (id),
      kid text not null,
      public_jwk jsonb not null,
      private_key bytea not null,
      create_time timestamptz(3) not null,
      sign_time timestamptz(3) not null,
      retire_time timestamptz(3),
      primary key (tenant, kid)
    )`.execute(db)
  await sql`
    create table refresh_keys (
      tenant text not null references tenants (id),
      version integer not null,
      secret bytea not null,
      create_time timestamptz(3) not null,
      primary key (tenant, version)
    )`.execute(db)
}
