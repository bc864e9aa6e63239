import { type Kysely, sql } from 'kysely'

/**
 * OpenID Connect: clients and what they may, what people allowed them, and what the library keeps for a while: by the SHA-256 of each token, code and cookie.
 * The release before writes none of it: it runs on.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await createClients(db)
  await createGrants(db)
  await createOfSessions(db)
  await createRecords(db)
  await createLogouts(db)
  // Apart from signing_keys: the release before would take a key of another kind for one that does not open.
  await sql`
    create table oidc_signing_keys (
      tenant text not null references tenants (id),
      kid text not null,
      alg text not null check (alg in ('RS256')),
      public_jwk jsonb not null,
      private_key bytea not null,
      create_time timestamptz(3) not null,
      sign_time timestamptz(3) not null,
      retire_time timestamptz(3),
      primary key (tenant, kid)
    )`.execute(db)
}

async function createClients(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table oidc_clients (
      tenant text not null,
      client_id text not null,
      name text not null,
      metadata jsonb not null,
      first_party boolean not null,
      resources text[] not null,
      introspects text[] not null,
      backchannel_logout_uri text,
      version integer not null,
      create_time timestamptz(3) not null,
      update_time timestamptz(3) not null,
      disable_time timestamptz(3),
      delete_time timestamptz(3),
      primary key (tenant, client_id)
    )`.execute(db)
  await sql`
    create table oidc_client_secrets (
      tenant text not null,
      client_id text not null,
      id uuid not null,
      secret_hash bytea not null,
      hint text not null,
      create_time timestamptz(3) not null,
      expire_time timestamptz(3),
      primary key (tenant, client_id, id),
      foreign key (tenant, client_id) references oidc_clients (tenant, client_id) on delete cascade
    )`.execute(db)
  await sql`create index oidc_client_secrets_to_prune on oidc_client_secrets (expire_time) where expire_time is not null`.execute(db)
  await sql`
    create table oidc_resources (
      tenant text not null,
      resource text not null,
      audience text not null check (audience <> 'gatehouse'),
      scopes text[] not null,
      lifetime_seconds integer not null check (lifetime_seconds between 60 and 600),
      create_time timestamptz(3) not null,
      primary key (tenant, resource),
      unique (tenant, audience)
    )`.execute(db)
}

async function createGrants(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table oidc_grants (
      tenant text not null,
      id uuid not null,
      user_id uuid not null,
      client_id text not null,
      session_id uuid not null,
      offline boolean not null,
      payload text not null,
      version integer not null,
      create_time timestamptz(3) not null,
      update_time timestamptz(3) not null,
      last_use_time timestamptz(3) not null,
      expire_time timestamptz(3) not null,
      end_time timestamptz(3),
      end_cause text,
      primary key (tenant, id)
    )`.execute(db)
  await sql`create index oidc_grants_of_person on oidc_grants (tenant, user_id, client_id, id) where end_time is null`.execute(db)
  await sql`create index oidc_grants_of_client on oidc_grants (tenant, client_id, id) where end_time is null`.execute(db)
  await sql`create index oidc_grants_of_session on oidc_grants (tenant, session_id) where end_time is null`.execute(db)
  await sql`create index oidc_grants_to_prune on oidc_grants (least(expire_time, end_time))`.execute(db)
  await sql`
    create table oidc_consents (
      tenant text not null,
      user_id uuid not null,
      client_id text not null,
      scopes text[] not null,
      claims text[] not null,
      resources jsonb not null,
      create_time timestamptz(3) not null,
      update_time timestamptz(3) not null,
      primary key (tenant, user_id, client_id)
    )`.execute(db)
  await sql`create index oidc_consents_of_client on oidc_consents (tenant, client_id)`.execute(db)
}

async function createOfSessions(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table oidc_session_clients (
      tenant text not null,
      session_id uuid not null,
      client_id text not null,
      grant_id uuid,
      persists_logout boolean not null default false,
      create_time timestamptz(3) not null,
      primary key (tenant, session_id, client_id),
      foreign key (tenant, session_id) references sessions (tenant, id) on delete cascade
    )`.execute(db)
  await sql`create index oidc_session_clients_of_grant on oidc_session_clients (tenant, grant_id) where grant_id is not null`.execute(db)
  await sql`
    create table oidc_session_states (
      tenant text not null,
      session_id uuid not null,
      state text not null,
      update_time timestamptz(3) not null,
      primary key (tenant, session_id),
      foreign key (tenant, session_id) references sessions (tenant, id) on delete cascade
    )`.execute(db)
}

async function createRecords(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table oidc_records (
      tenant text not null,
      id_hash bytea not null,
      kind text not null check (kind in ('AccessToken', 'ClientCredentials', 'RefreshToken', 'AuthorizationCode', 'DeviceCode',
        'PushedAuthorizationRequest', 'Interaction', 'Session', 'InitialAccessToken', 'RegistrationAccessToken')),
      client_id text,
      grant_id uuid,
      session_id uuid,
      user_code_hash bytea,
      payload text not null,
      create_time timestamptz(3) not null,
      expire_time timestamptz(3) not null,
      consume_time timestamptz(3),
      key_version integer,
      successor_hash bytea,
      approve_state smallint not null default 0,
      poll_time timestamptz(3),
      primary key (tenant, id_hash)
    )`.execute(db)
  await sql`create unique index oidc_records_by_user_code on oidc_records (tenant, user_code_hash) where user_code_hash is not null`.execute(
    db,
  )
  await sql`create index oidc_records_to_prune on oidc_records (expire_time)`.execute(db)
  await sql`
    create table oidc_replays (
      tenant text not null,
      key_hash bytea not null,
      expire_time timestamptz(3) not null,
      primary key (tenant, key_hash)
    )`.execute(db)
  await sql`create index oidc_replays_to_prune on oidc_replays (expire_time)`.execute(db)
  for (const table of ['oidc_records', 'oidc_replays'])
    await sql`alter table ${sql.table(table)} set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000,
      autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 5000)`.execute(db)
}

async function createLogouts(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table oidc_logouts (
      tenant text not null,
      session_id uuid not null,
      client_id text not null,
      user_id uuid not null,
      attempts integer not null default 0,
      next_time timestamptz(3) not null,
      create_time timestamptz(3) not null,
      expire_time timestamptz(3) not null,
      deliver_time timestamptz(3),
      last_problem text not null default '',
      primary key (tenant, session_id, client_id)
    )`.execute(db)
  await sql`create index oidc_logouts_due on oidc_logouts (next_time) where deliver_time is null`.execute(db)
  await sql`create index oidc_logouts_to_prune on oidc_logouts (create_time)`.execute(db)
}
