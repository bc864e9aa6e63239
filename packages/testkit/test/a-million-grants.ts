import type pg from 'pg'

/** How many of each there are. */
const counts = { sessions: 300_000, grants: 1_000_000, records: 1_000_000, consents: 500_000, replays: 200_000, logouts: 200_000 }

/** An id of a kind of thing, by its number. */
export const idOf = (kind: 'user' | 'session' | 'grant', n: number) => `${prefixes[kind]}-${n.toString(16).padStart(12, '0')}`
const prefixes = {
  user: '00000000-0000-7000-8001',
  session: '00000000-0000-7000-8002',
  grant: '00000000-0000-7000-8003',
} as const
const inSql = (kind: keyof typeof prefixes, n: string) => `('${prefixes[kind]}-' || lpad(to_hex(${n}), 12, '0'))::uuid`

/**
 * What a house looks like that many people use: five grants for each of 200,000 people, half of them of one client, some ended, some offline; and what comes along with them. The indexes are built afterwards, as
 * that takes a quarter of the time.
 */
const rows: readonly string[] = [
  `insert into oidc_clients (tenant, client_id, name, metadata, first_party, resources, introspects, backchannel_logout_uri, version, create_time, update_time, delete_time)
    select 'default', 'app-' || n, 'App ' || n, '{}', false, '{}', '{}', case when n % 10 = 0 then 'https://rp.example/' || n end, 1, now(), now(),
      case when n % 100 = 99 then now() end from generate_series(0, 4999) n`,
  `insert into oidc_client_secrets (tenant, client_id, id, secret_hash, hint, create_time, expire_time)
    select 'default', 'app-' || n, ${inSql('grant', 'n')}, sha256(n::text::bytea), 'abcd', now(), case when n % 3 = 0 then now() - interval '40 days' end from generate_series(0, 4999) n`,
  `insert into oidc_resources (tenant, resource, audience, scopes, lifetime_seconds, create_time)
    select 'default', 'https://api' || n || '.example', 'api-' || n, '{read}', 600, now() from generate_series(0, 1999) n`,
  `insert into sessions (tenant, id, user_id, client_id, create_time, last_use_time, idle_expire_time, expire_time, auth_time, amr, user_agent, network, version, generation, end_time)
    select 'default', ${inSql('session', 'n')}, ${inSql('user', 'n % 200000')}, '', now(), now(), now() + interval '14 days', now() + interval '30 days', now(), '{pwd}', '', '', 1, 0,
      case when n % 2 = 1 then now() end from generate_series(0, ${counts.sessions - 1}) n`,
  `insert into oidc_grants (tenant, id, user_id, client_id, session_id, offline, payload, version, create_time, update_time, last_use_time, expire_time, end_time, end_cause)
    select 'default', ${inSql('grant', 'n')}, ${inSql('user', 'n % 200000')}, case when n % 2 = 0 then 'app-0' else 'app-' || n % 4999 end, ${inSql('session', `n % ${counts.sessions}`)}, n % 4 = 0,
      '{"openid":{"scope":"openid email"}}', 1, now(), now(), now(), now() + (n % 90 - 10) * interval '1 day',
      case when n % 10 < 3 then now() - (n % 8) * interval '1 day' end, case when n % 10 < 3 then 'revoked' end from generate_series(0, ${counts.grants - 1}) n`,
  `insert into oidc_consents (tenant, user_id, client_id, scopes, claims, resources, create_time, update_time)
    select 'default', ${inSql('user', 'n % 200000')}, case when n % 1000 = 7 then 'app-rare' else 'app-' || n / 200000 end, '{openid}', '{}', '{}', now(), now() from generate_series(0, ${counts.consents - 1}) n
    on conflict do nothing`,
  `insert into oidc_session_clients (tenant, session_id, client_id, grant_id, create_time)
    select 'default', ${inSql('session', 'n % 300000')}, 'app-' || n / 300000 * 10, ${inSql('grant', 'n')}, now() from generate_series(0, ${2 * counts.sessions - 1}) n`,
  `insert into oidc_session_states (tenant, session_id, state, update_time)
    select 'default', ${inSql('session', 'n')}, '{}', now() from generate_series(0, 99999) n`,
  `insert into oidc_records (tenant, id_hash, kind, client_id, grant_id, session_id, user_code_hash, payload, create_time, expire_time, consume_time, successor_hash)
    select 'default', sha256(n::text::bytea), (array['AccessToken', 'AccessToken', 'AccessToken', 'AccessToken', 'RefreshToken', 'RefreshToken', 'RefreshToken', 'AuthorizationCode', 'ClientCredentials', 'DeviceCode'])[n % 10 + 1],
      'app-' || n % 4999, case when n % 10 < 8 then ${inSql('grant', 'n')} end, case when n % 10 < 4 then ${inSql('session', `n % ${counts.sessions}`)} end, case when n % 10 = 9 then sha256((n || ' code')::bytea) end,
      '{"scope":"openid email"}', now(), now() + (n % 100 - 3) * interval '1 hour', case when n % 20 = 4 then now() end, case when n % 20 = 4 then sha256((n + 1)::text::bytea) end from generate_series(0, ${counts.records - 1}) n`,
  `insert into oidc_replays (tenant, key_hash, expire_time)
    select 'default', sha256(n::text::bytea), now() + (n % 100 - 10) * interval '1 second' from generate_series(0, ${counts.replays - 1}) n`,
  `insert into oidc_logouts (tenant, session_id, client_id, user_id, next_time, create_time, expire_time, deliver_time)
    select 'default', ${inSql('session', 'n')}, 'app-0', ${inSql('user', 'n % 200000')}, now() + (n % 1000 - 100) * interval '1 second', now() - (n % 10) * interval '1 day', now() + interval '1 day',
      case when n % 100 > 0 then now() end from generate_series(0, ${counts.logouts - 1}) n`,
]

/** Every table of it that nobody may read from end to end. */
export const largeTables: readonly string[] = [
  'sessions',
  'oidc_grants',
  'oidc_consents',
  'oidc_session_clients',
  'oidc_session_states',
  'oidc_records',
  'oidc_replays',
  'oidc_logouts',
]

const hashKeys = [
  ['oidc_records', 'tenant, id_hash'],
  ['oidc_replays', 'tenant, key_hash'],
] as const

/** Fills the database, over a superuser's connection. */
export async function fill(admin: pg.Client): Promise<void> {
  // Nothing here breaks a foreign key, and a million checks would take their time.
  await admin.query('set session_replication_role = replica')
  const { rows: indexes } = await admin.query<{ indexname: string; indexdef: string }>(
    `select indexname, indexdef from pg_indexes where tablename = any($1) and indexdef like 'CREATE INDEX%'`,
    [largeTables],
  )
  for (const { indexname } of indexes) await admin.query(`drop index ${indexname}`)
  // A key of hashes, too: rows that come in no order are the slowest to add to it.
  for (const [table] of hashKeys) await admin.query(`alter table ${table} drop constraint ${table}_pkey`)
  for (const statement of rows) await admin.query(statement)
  await admin.query(`set maintenance_work_mem = '256MB'`)
  for (const [table, key] of hashKeys) await admin.query(`alter table ${table} add primary key (${key})`)
  for (const { indexdef } of indexes) await admin.query(indexdef)
  await admin.query('analyze')
  await admin.query('reset session_replication_role')
}
