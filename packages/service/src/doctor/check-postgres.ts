import { assertSchema, type Db, type MigrationSet, SchemaOutdated } from '@gatehouse/postgres'
import { sql } from 'kysely'
import { placeOf } from '../command-parts.ts'
import type { PeerName } from '../peers.ts'
import { either, type Finding, note, ok, wrong } from './findings.ts'

const tried = 18
const oldest = 16
const clockMs = 500

type Facts = {
  version: string
  major: number
  role: string
  is_super: boolean
  makes_roles: boolean
  makes_databases: boolean
  schema: string | null
  is_standby: boolean
  connections: bigint
  max_connections: number
  bounded: boolean
  now_ms: number
}

/** The database as the service's role sees it. Rejects when it cannot be reached. */
export async function checkPostgres(db: Db<unknown>, name: PeerName, databaseUrl: string): Promise<Finding[]> {
  const before = Date.now()
  const { rows } =
    await sql<Facts>`select current_setting('server_version') as version, current_setting('server_version_num')::integer / 10000 as major,
      current_user::text as role, rolsuper as is_super, rolcreaterole as makes_roles, rolcreatedb as makes_databases,
      current_schema()::text as schema, pg_is_in_recovery() as is_standby,
      (select count(*) from pg_stat_activity where backend_type is null or backend_type = 'client backend') as connections,
      current_setting('max_connections')::integer as max_connections,
      current_setting('statement_timeout') <> '0' and current_setting('idle_in_transaction_session_timeout') <> '0' as bounded,
      extract(epoch from clock_timestamp())::double precision * 1000 as now_ms
    from pg_roles where rolname = current_user`.execute(db)
  const offsetMs = (rows[0]?.now_ms ?? 0) - (before + Date.now()) / 2
  const [facts] = rows
  if (facts === undefined) throw new Error('Postgres does not say who we are')
  return [
    ...aboutServer(facts, placeOf(databaseUrl)),
    ...(await aboutRole(db, facts, `gatehouse_${name}`)),
    either(
      Math.abs(offsetMs) < clockMs,
      `this machine's clock is Postgres's within ${clockMs} ms`,
      `this machine's clock is ${(Math.abs(offsetMs) / 1000).toFixed(1)} s ${offsetMs > 0 ? 'behind' : 'ahead of'} Postgres's`,
      'set the clock (NTP). The services make up for it, other verifiers of tokens do not',
    ),
  ]
}

function aboutServer({ version, major, is_standby, connections, max_connections: max, bounded }: Facts, place: string): Finding[] {
  const [used, isFull] = [Number(connections), Number(connections) > 0.9 * max]
  return [
    major < oldest
      ? wrong(`Postgres at ${place} is ${version}`, `upgrade it: ${tried} is what was tried, and below ${oldest} nothing was`)
      : major < tried
        ? note(`Postgres at ${place} is ${version}; tried was ${tried}`)
        : ok(`Postgres ${version} at ${place}`),
    // A connection of our own brings its bounds along; a pooler in between does not pass them on.
    ...(bounded
      ? []
      : [
          wrong(
            'the server bounds neither statements nor idle transactions of this role: a pooler stands in between, and did not pass our bounds on',
            `alter role … in database … set statement_timeout = '5s', and as the page on operations says under "Through a pooler"`,
          ),
        ]),
    ...(is_standby ? [wrong('it is a standby and takes no writes', 'DATABASE_URL has to name the primary')] : []),
    either(
      !isFull,
      `${used} of ${max} connections are taken`,
      `${used} of ${max} connections are taken`,
      'raise max_connections, or lower DATABASE_POOL_SIZE: replicas times pool size, and two for a command',
    ),
  ]
}

async function aboutRole(db: Db<unknown>, facts: Facts, own: string): Promise<Finding[]> {
  const { role, schema } = facts
  const powers = [facts.is_super && 'superuser', facts.makes_roles && 'createrole', facts.makes_databases && 'createdb'].filter(
    (power) => power !== false,
  )
  const found: Finding[] = []
  if (powers.length > 0)
    found.push(
      wrong(
        `the role ${role} is ${powers.join(', ')}`,
        `alter role ${role} ${powers.map((power) => `no${power}`).join(' ')}; the service needs its own schema only`,
      ),
    )
  if (schema !== own)
    found.push(
      wrong(
        `the role ${role} works in ${schema === null ? 'no schema' : `the schema ${schema}`} and not in ${own}`,
        `DATABASE_URL has to be that of ${own}, with alter role ${role} in database … set search_path = ${own}`,
      ),
    )
  // A superuser reaches everything, which is told above.
  const others = facts.is_super ? [] : (await schemasInReach(db, own)).filter((name) => name !== schema)
  const roles = facts.is_super ? [] : await rolesInReach(db, own)
  if (others.length > 0)
    found.push(
      wrong(
        `the role ${role} also reaches ${others.join(', ')}`,
        `revoke all on schema ${others.join(', ')} from ${role}, and from public where everybody has it`,
      ),
    )
  if (roles.length > 0) found.push(wrong(`the role ${role} is a member of ${roles.join(', ')}`, `revoke ${roles.join(', ')} from ${role}`))
  return found.length > 0 ? found : [ok(`the role ${role} is no superuser and reaches the schema ${own} only`)]
}

async function schemasInReach(db: Db<unknown>, own: string): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select nspname::text as name from pg_namespace
    where nspname !~ '^pg_' and nspname not in ('information_schema', ${own})
      and (has_schema_privilege(oid, 'usage') or has_schema_privilege(oid, 'create')) order by 1`.execute(db)
  return rows.map(({ name }) => name)
}

/** A second login role that is a member of the first is how a password is replaced. */
async function rolesInReach(db: Db<unknown>, own: string): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select rolname::text as name from pg_roles
    where pg_has_role(current_user, oid, 'member') and rolname not in (current_user, ${own}) order by 1`.execute(db)
  return rows.map(({ name }) => name)
}

/** Whether the schema is what this code needs. */
export async function checkSchema(db: Db<unknown>, name: PeerName, sets: readonly MigrationSet[]): Promise<Finding> {
  try {
    await assertSchema(db, sets)
    return ok(`the schema has every migration of this version`)
  } catch (error) {
    if (!(error instanceof SchemaOutdated)) throw error
    return wrong(`the schema lacks ${error.missing.join(', ')}`, `gatehouse migrate ${name}`)
  }
}
