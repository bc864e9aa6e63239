import { execFile } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { startPostgres } from '@gatehouse/testkit'
import pg from 'pg'
import { to } from 'pg-copy-streams'
import type { Effort } from './benchmark.ts'
import { root } from './results.ts'

const run = promisify(execFile)

/** The user service's schema in a Postgres of its own, and a folder for files beside it. */
export interface ImportDatabase extends AsyncDisposable {
  readonly url: string
  readonly folder: string
  /** Empties the tables, and has Postgres write out what it owes the disk. */
  empty(): Promise<void>
  /** How many people and events there are, and a sum over everything that the people are. */
  count(): Promise<{ users: number; events: number; sum: string }>
  /** Writes the people into a file in COPY's text format. */
  write(file: string): Promise<void>
}

/** What the people of an import are; the other columns have their defaults. */
export const importedColumns = ['tenant', 'id', 'state', 'email', 'email_key', 'email_verified', 'name', 'name_key', 'locale']

export async function openImportDatabase({ durable }: Pick<Effort, 'durable'>): Promise<ImportDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-people-'))
  await using opening = new AsyncDisposableStack()
  opening.defer(() => rm(folder, { recursive: true, force: true }))
  const postgres = opening.use(await startPostgres({ dataDir: join(folder, 'postgres'), durable, keep: false }))
  await ask(postgres.url, 'create role gatehouse_user')
  await ask(postgres.url, 'create database people')
  await ask(postgres.url, 'alter database people set search_path = gatehouse_user')
  const url = Object.assign(new URL(postgres.url), { pathname: '/people' }).href
  await run(process.execPath, [join(root, 'packages/cli/src/main.ts'), 'migrate', 'user'], { env: { ...process.env, DATABASE_URL: url } })
  const owned = opening.move()
  return {
    url,
    folder,
    async empty() {
      await ask(url, 'truncate users, outbox')
      await ask(url, 'checkpoint')
    },
    async count() {
      const { rows } = await ask(
        url,
        `select (select count(*) from outbox)::integer as events, count(*)::integer as users,
          sum(hashtext(concat_ws(' ', ${importedColumns.join(', ')}, version, time_zone))::bigint)::text as sum from users`,
      )
      return rows[0] as { users: number; events: number; sum: string }
    },
    async write(file) {
      const client = new pg.Client(url)
      await client.connect()
      try {
        const stream = client.query(to(`copy (select ${importedColumns.join(', ')} from users order by id) to stdout`))
        await pipeline(stream, createWriteStream(file))
      } finally {
        await client.end()
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Asks a database once, over a connection of its own. */
export async function ask<Row extends pg.QueryResultRow>(url: string, text: string, values?: unknown[]): Promise<pg.QueryResult<Row>> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return await client.query<Row>(text, values)
  } finally {
    await client.end()
  }
}
