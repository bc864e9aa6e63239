import { type Local, runGatehouse } from '@gatehouse/local'
import pg from 'pg'

/** A database of its own on the house's Postgres, with the tables of the user service and nobody in them. */
export interface PeopleDatabase extends AsyncDisposable {
  /** With the role of the user service. */
  readonly url: string
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>
}

/** Makes equal ones, the first of them by migrations; disposing one drops it. */
export async function openPeopleDatabases<const Names extends readonly string[]>(
  local: Local,
  names: Names,
): Promise<{ [Name in keyof Names]: PeopleDatabase }> {
  const environment = local.environment('user')
  const url = new URL(environment.DATABASE_URL ?? '')
  const urlOf = (name: string) => Object.assign(new URL(url), { pathname: `/${name}` }).href
  const [first = '', ...others] = names
  await asAdministrator(local, `create database ${first} owner ${url.username}`)
  await runGatehouse(['migrate', 'user'], { ...environment, DATABASE_URL: urlOf(first) })
  for (const name of others) await asAdministrator(local, `create database ${name} template ${first} owner ${url.username}`)
  return (await Promise.all(names.map((name) => open(local, name, urlOf(name))))) as { [Name in keyof Names]: PeopleDatabase }
}

async function open(local: Local, name: string, url: string): Promise<PeopleDatabase> {
  const client = new pg.Client(url)
  await client.connect()
  return {
    url,
    query: async <Row extends object>(text: string, values: readonly unknown[] = []) => (await client.query<Row>(text, [...values])).rows,
    async [Symbol.asyncDispose]() {
      await client.end()
      await asAdministrator(local, `drop database ${name} with (force)`)
    },
  }
}

async function asAdministrator(local: Local, statement: string): Promise<void> {
  const client = new pg.Client(local.postgresUrl)
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
