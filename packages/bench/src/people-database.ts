import { type Local, runGatehouse } from '@gatehouse/local'
import pg from 'pg'

/** A database of its own on the house's Postgres, with the tables of the user service and nobody in them. */
export interface PeopleDatabase extends AsyncDisposable {
  /** With the role of the user service. */
  readonly url: string
  query<Row extends object>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>
}

/** Makes one; disposing it drops it. */
export async function openPeopleDatabase(local: Local, name: string): Promise<PeopleDatabase> {
  const environment = local.environment('user')
  const url = new URL(environment.DATABASE_URL ?? '')
  const owner = url.username
  url.pathname = `/${name}`
  await asAdministrator(local, `create database ${name} owner ${owner}`)
  await runGatehouse(['migrate', 'user'], { ...environment, DATABASE_URL: url.href })
  const client = new pg.Client(url.href)
  await client.connect()
  return {
    url: url.href,
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
