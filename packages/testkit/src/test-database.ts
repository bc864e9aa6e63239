import { createHash, createHmac, randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashOfSets, type MigrationSet, migrate } from '@gatehouse/postgres'
import pg from 'pg'
import { type PostgresServer, startPostgres } from './postgres-server.ts'

export type TestDatabaseOptions = {
  /** Gives the role and the schema their name: `gatehouse_<service>`. */
  readonly service: string
  readonly sets: readonly MigrationSet[]
}

export type TestDatabase = AsyncDisposable & {
  /** Of the role that owns the schema and nothing else. */
  readonly url: string
  /** The same past the pooler that `npm test -- --through-pooler` puts before the server: for what is about connections themselves. */
  readonly directUrl: string
  /** Of the superuser, on this database: to look from outside, or to end connections. */
  readonly adminUrl: string
  readonly dispose: () => Promise<void>
}

/**
 * A database of one test file: a clone of a template that these migrations made once, with a role of its own.
 * Uses the server of GATEHOUSE_TEST_POSTGRES_URL (a superuser's), or starts one for as long as this process needs it.
 */
export async function testDatabase({ service, sets }: TestDatabaseOptions): Promise<TestDatabase> {
  const server = await takeServer()
  const role = `gatehouse_${service.replaceAll('-', '_')}`
  const password = createHmac('sha256', new URL(server.url).password).update(role).digest('base64url')
  const template = `template_${createHash('sha256')
    .update(`${role} ${await hashOfSets(sets)}`)
    .digest('hex')
    .slice(0, 24)}`
  const name = `test_${service.replaceAll('-', '_')}_${randomBytes(6).toString('hex')}`
  const admin = new pg.Client({ connectionString: server.url })
  await admin.connect()
  try {
    await withLock(admin, async () => {
      await makeRole(admin, role, password)
      await timeoutsOfRole(admin, role)
      if (await exists(admin, template)) return
      const unfinished = `${template}_unfinished`
      await admin.query(`drop database if exists ${unfinished} with (force)`)
      await admin.query(`create database ${unfinished} owner ${role}`)
      await migrate({ url: urlOf(server.url, { role, password, database: unfinished }), schema: role, sets })
      await admin.query(`alter database ${unfinished} rename to ${template}`)
    })
    await admin.query(`create database ${name} template ${template} owner ${role}`)
  } finally {
    await admin.end()
  }
  let disposed: Promise<void> | undefined
  const dispose = (): Promise<void> => {
    disposed ??= drop(server.url, name).finally(server.release)
    return disposed
  }
  const directUrl = urlOf(server.url, { role, password, database: name })
  return {
    url: throughPooler(directUrl),
    directUrl,
    adminUrl: urlOf(server.url, { database: name }),
    dispose,
    [Symbol.asyncDispose]: dispose,
  }
}

/** Behind a pooler roles have the timeouts that a connection of its own brings along. */
async function timeoutsOfRole(admin: pg.Client, role: string): Promise<void> {
  if (!process.env.GATEHOUSE_TEST_POOLER_PORT) return
  for (const [name, value] of Object.entries({ statement_timeout: '5s', lock_timeout: '4s', idle_in_transaction_session_timeout: '10s' }))
    await admin.query(`alter role ${role} set ${name} = '${value}'`)
}

/** `npm test -- --through-pooler` has a PgBouncer before its server. */
function throughPooler(url: string): string {
  const port = process.env.GATEHOUSE_TEST_POOLER_PORT
  return port ? Object.assign(new URL(url), { port }).href : url
}

async function drop(serverUrl: string, name: string): Promise<void> {
  const admin = new pg.Client({ connectionString: serverUrl })
  await admin.connect()
  try {
    await admin.query(`drop database if exists ${name} with (force)`)
  } finally {
    await admin.end()
  }
}

/** Test files run side by side as processes. A session's lock will do here: this is no service's code. */
async function withLock(admin: pg.Client, act: () => Promise<void>): Promise<void> {
  await admin.query('select pg_advisory_lock(4711)')
  try {
    await act()
  } finally {
    await admin.query('select pg_advisory_unlock(4711)')
  }
}

async function makeRole(admin: pg.Client, role: string, password: string): Promise<void> {
  const { rows } = await admin.query('select from pg_roles where rolname = $1', [role])
  if (rows.length === 0) await admin.query(`create role ${role} login password '${password}'`)
}

async function exists(admin: pg.Client, database: string): Promise<boolean> {
  const { rows } = await admin.query('select from pg_database where datname = $1', [database])
  return rows.length > 0
}

function urlOf(server: string, { role, password, database }: { role?: string; password?: string; database: string }): string {
  const url = new URL(server)
  if (role !== undefined) url.username = role
  if (password !== undefined) url.password = password
  url.pathname = `/${database}`
  return url.href
}

let own: { users: number; server: Promise<OwnServer> } | undefined
type OwnServer = { readonly postgres: PostgresServer; readonly folder: string }

async function takeServer(): Promise<{ url: string; release: () => Promise<void> }> {
  const given = process.env.GATEHOUSE_TEST_POSTGRES_URL
  if (given) return { url: given, release: async () => {} }
  own ??= { users: 0, server: startOwn() }
  const held = own
  held.users++
  const release = async (): Promise<void> => {
    if (--held.users > 0) return
    if (own === held) own = undefined
    const { postgres, folder } = await held.server
    await postgres.stop()
    await rm(folder, { recursive: true, force: true })
  }
  const { postgres } = await held.server
  return { url: postgres.url, release }
}

async function startOwn(): Promise<OwnServer> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-test-postgres-'))
  return { postgres: await startPostgres({ dataDir: join(folder, 'data'), durable: false, keep: false }), folder }
}
