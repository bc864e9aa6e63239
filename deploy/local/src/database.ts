import pg from 'pg'
import { type ServiceName, serviceNames } from './options.ts'

const database = 'gatehouse'

/**
 * Makes the database with a schema and a role for each service, where they are missing. A role can reach its own schema only, and finds it by its
 * search path. As a superuser, that is; whoever is none has to be a member of the three roles before they own schemas (docs/operations.md).
 */
export async function prepareDatabase(url: string, passwords: Readonly<Record<ServiceName, string>>): Promise<void> {
  await withClient(url, async (client) => {
    const { rows } = await client.query<{ rolname: string }>('select rolname from pg_roles where rolname = any($1)', [
      serviceNames.map(roleOf),
    ])
    for (const name of serviceNames) {
      const verb = rows.some((row) => row.rolname === roleOf(name)) ? 'alter' : 'create'
      await client.query(`${verb} role ${roleOf(name)} login password ${client.escapeLiteral(passwords[name])}`)
    }
    const { rowCount } = await client.query('select from pg_database where datname = $1', [database])
    if (rowCount === 0) await client.query(`create database ${database} template template0 encoding 'UTF8' locale 'C'`)
  })
  await withClient(inDatabase(url), async (client) => {
    await client.query(`revoke all on database ${database} from public`)
    await client.query('revoke all on schema public from public')
    for (const name of serviceNames) {
      const role = roleOf(name)
      await client.query(`grant connect on database ${database} to ${role}`)
      await client.query(`create schema if not exists ${role} authorization ${role}`)
      await client.query(`alter role ${role} in database ${database} set search_path = ${role}`)
    }
  })
}

/** Role and schema of a service. */
export function roleOf(name: ServiceName): string {
  return `gatehouse_${name}`
}

/** The URL by which a service reaches its schema. */
export function databaseUrl(url: string, name: ServiceName, password: string): string {
  const own = new URL(inDatabase(url))
  own.username = roleOf(name)
  own.password = password
  return own.href
}

function inDatabase(url: string): string {
  return Object.assign(new URL(url), { pathname: `/${database}` }).href
}

async function withClient(url: string, act: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await act(client)
  } finally {
    await client.end()
  }
}
