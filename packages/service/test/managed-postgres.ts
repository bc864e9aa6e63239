import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { connect } from '@gatehouse/postgres'
import { startPostgres } from '@gatehouse/testkit'
import { sql } from 'kysely'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** A server as somebody sells it: the superuser is theirs, and makes customers and databases only. */
export interface ManagedPostgres extends AsyncDisposable {
  /** A login without a power but those named, which owns the databases. */
  readonly customer: (name: string, powers: string, databases: readonly string[]) => Promise<void>
  readonly url: (role: string, database: string) => string
  readonly run: (role: string, database: string, ...statements: readonly string[]) => Promise<void>
  /** As in deploy/postgres/README.md: whoever made a role gives it its password. */
  readonly givePassword: (by: string, database: string, role: string) => Promise<void>
}

export async function managedPostgres(): Promise<ManagedPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-managed-'))
  const server = await startPostgres({ dataDir: join(folder, 'data'), durable: false, keep: false })
  const passwords = new Map<string, string>()
  const url = (role: string, database: string): string => {
    const place = Object.assign(new URL(server.url), { pathname: `/${database}` })
    if (role !== 'provider') Object.assign(place, { username: role, password: passwords.get(role) ?? '' })
    return place.href
  }
  const run = async (role: string, database: string, ...statements: readonly string[]): Promise<void> => {
    // One connection: what a statement sets holds for the next.
    await using session = connect<unknown>({ url: url(role, database), poolSize: 1, namedStatements: false })
    for (const statement of statements) await sql.raw(statement).execute(session.kysely)
  }
  const newPassword = (role: string): string => {
    const password = randomBytes(24).toString('hex')
    passwords.set(role, password)
    return password
  }
  return {
    url,
    run,
    async customer(name, powers, databases) {
      await run('provider', 'postgres', `create role ${name} login nosuperuser ${powers} password '${newPassword(name)}'`)
      for (const database of databases)
        await run('provider', 'postgres', `create database ${database} owner ${name} template template0 encoding 'UTF8' locale 'C'`)
    },
    async givePassword(by, database, role) {
      await run(by, database, `alter role ${role} password '${newPassword(role)}'`)
    },
    async [Symbol.asyncDispose]() {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** One of the files of deploy/postgres. */
export const script = (name: string): Promise<string> => readFile(join(root, 'deploy/postgres', name), 'utf8')

/** `gatehouse migrate`, as the Job of a release runs it. */
export async function migrateAll(services: readonly string[], urlOf: (service: string) => string): Promise<void> {
  await Promise.all(
    services.map((service) =>
      promisify(execFile)(process.execPath, [join(root, 'packages/cli/src/main.ts'), 'migrate', service], {
        env: { PATH: process.env.PATH, DATABASE_URL: urlOf(service) },
      }),
    ),
  )
}
