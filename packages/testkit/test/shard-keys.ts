import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { roleOf, type ServiceName, serviceNames } from '@gatehouse/local'
import { asSuperuser } from './as-superuser.ts'

/**
 * Where a row belongs when people are divided. `person`: to the person whose id stands in that column. `by`: to a person too, whom another id leads to.
 * `tenant`: to the tenant, all of it in each of its cells. `cell`: to the machinery of one cell. `everywhere`: to the whole installation.
 */
type Belongs = { readonly person: string } | { readonly by: string } | 'tenant' | 'cell' | 'everywhere'

const person = (column = 'user_id'): Belongs => ({ person: column })
const by = (column: string): Belongs => ({ by: column })

/** What packages bring along. */
const shared: Readonly<Record<string, Belongs>> = {
  dead_letters: 'cell',
  inbox: 'cell',
  outbox: 'cell',
  rate_limits: 'cell',
  relay_lease: 'cell',
  requests: 'cell',
  schema_migrations: 'cell',
}

const tables: Readonly<Record<ServiceName, Readonly<Record<string, Belongs>>>> = {
  user: { ...shared, pending_revocations: person(), users: person('id') },
  auth: {
    ...shared,
    access_changes: 'tenant',
    access_versions: 'tenant',
    api_key_changes: 'tenant',
    api_keys: 'tenant',
    audiences: 'tenant',
    audit_checkpoints: 'cell',
    audit_entries: 'cell',
    audit_keys: 'tenant',
    audit_lease: 'cell',
    audit_seals: 'cell',
    audit_unsealed: 'cell',
    challenge_secrets: by('challenge_id'),
    challenges: by('id'),
    code_failures: by('address_hash'),
    conditional_bindings: 'tenant',
    connection_attempts: by('state_hash'),
    connection_domains: 'tenant',
    connections: 'tenant',
    credentials: person(),
    factor_versions: person(),
    group_members: 'tenant',
    groups: 'tenant',
    leaving_people: person(),
    linked_identities: person(),
    oidc_client_secrets: 'tenant',
    oidc_clients: 'tenant',
    oidc_consents: person(),
    oidc_grants: person(),
    oidc_logouts: person(),
    oidc_records: by('id_hash'),
    oidc_replays: 'cell',
    oidc_resources: 'tenant',
    oidc_session_clients: by('session_id'),
    oidc_session_states: by('session_id'),
    oidc_session_sweep: 'cell',
    oidc_signing_keys: 'tenant',
    passkey_attempts: person(),
    passkeys: person(),
    password_failures: by('key'),
    password_kinds: 'cell',
    pending_sign_ins: person(),
    policies: 'tenant',
    recovery_codes: person(),
    refresh_keys: 'tenant',
    refresh_tokens: by('session_id'),
    revocations: by('session_id'),
    role_bindings: 'tenant',
    roles: 'tenant',
    service_accounts: 'tenant',
    session_epochs: person(),
    session_raises: by('session_id'),
    sessions: person(),
    sign_ups: by('challenge_id'),
    signing_keys: 'tenant',
    suspicion_marks: by('subject'),
    suspicions: by('challenge_id'),
    tenant_hosts: 'everywhere',
    tenants: 'everywhere',
    totp_factors: person(),
    workload_registry: 'everywhere',
    workloads: 'everywhere',
  },
  notification: {
    ...shared,
    dead_deliveries: by('delivery_id'),
    deliveries: by('id'),
    inbox_heads: person(),
    inbox_items: person(),
    notifications: person(),
  },
}

export const markers = { begin: '<!-- shard-keys -->', end: '<!-- /shard-keys -->' }

type Found = {
  readonly service: ServiceName
  readonly name: string
  readonly columns: readonly string[]
  readonly keys: readonly (readonly string[])[]
}

/** Holds the table of `docs/scale.md` against the schemas that the migrations made. */
export async function seeShardKeys(postgresUrl: string): Promise<void> {
  const found = await tablesOf(postgresUrl)
  for (const service of serviceNames) {
    const names = found.filter((table) => table.service === service).map(({ name }) => name)
    assert.deepEqual(
      names,
      Object.keys(tables[service]).sort(),
      `each table of ${service} says where its rows belong when people are divided`,
    )
  }
  const page = readFileSync(new URL('../../../docs/scale.md', import.meta.url), 'utf8')
  const written = page.slice(page.indexOf(markers.begin) + markers.begin.length, page.indexOf(markers.end)).trim()
  assert.equal(written, tableOf(found))
  // The check can fail: a key that loses its tenant is seen.
  const planted = found.map((table) => (table.name === 'credentials' ? { ...table, keys: [['user_id'], ['password_hash']] } : table))
  assert.match(tableOf(planted), /`credentials` \| `user_id` \| `password_hash` \| `user_id`, `password_hash` \|/)
}

/** Every table, the column by which it is divided, and the unique keys that lack that column, or the tenant. */
function tableOf(found: readonly Found[]): string {
  const list = (keys: readonly (readonly string[])[]) => keys.map((key) => `\`${key.join(', ')}\``).join(', ')
  const lines = found.map(({ service, name, columns, keys }) => {
    const belongs = tables[service][name] ?? 'cell'
    const column = typeof belongs === 'string' ? undefined : 'person' in belongs ? belongs.person : belongs.by
    if (column !== undefined) assert.ok(columns.includes(column), `${name} has ${column}`)
    const said = typeof belongs === 'string' ? belongs : 'person' in belongs ? `\`${belongs.person}\`` : `by \`${belongs.by}\``
    const without = column === undefined ? [] : keys.filter((key) => !key.includes(column))
    return `| ${service} | \`${name}\` | ${said} | ${list(without)} | ${list(keys.filter((key) => !key.includes('tenant')))} |`
  })
  return [
    '| service | table | belongs to | unique keys without that column | without the tenant |',
    '| --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n')
}

function tablesOf(postgresUrl: string): Promise<readonly Found[]> {
  return asSuperuser(postgresUrl, async (client) => {
    const { rows } = await client.query<Omit<Found, 'service'> & { readonly schema: string }>(
      `select n.nspname::text as schema, t.relname::text as name,
        (select array_agg(a.attname::text) from pg_attribute a where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped) as columns,
        (select jsonb_agg(key order by key::text) from (
          select (select jsonb_agg(a.attname order by k.place) from unnest(i.indkey) with ordinality k(number, place)
            join pg_attribute a on a.attrelid = t.oid and a.attnum = k.number) as key
          from pg_index i where i.indrelid = t.oid and i.indisunique) as every) as keys
       from pg_class t join pg_namespace n on n.oid = t.relnamespace
       where n.nspname = any($1) and t.relkind in ('r', 'p') order by 1, 2`,
      [serviceNames.map(roleOf)],
    )
    return serviceNames.flatMap((service) =>
      rows.filter(({ schema }) => schema === roleOf(service)).map(({ name, columns, keys }) => ({ service, name, columns, keys })),
    )
  })
}
