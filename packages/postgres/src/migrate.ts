import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type CompiledQuery,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
  type Transaction,
} from 'kysely'
import { connect, type Executor } from './connect.ts'
import { isConflict, isUniqueViolation, sqlState } from './errors.ts'
import { transact } from './transact.ts'

export type Migration = {
  /** `0001-users`: four digits and a name, ascending within the set. */
  readonly id: string
  /** Issues its statements and decides nothing by what it reads: they are also collected without a database. */
  readonly up: (db: Kysely<unknown>) => Promise<void>
}

/** Migrations of one owner: a service's own, or those that a package brings along. */
export type MigrationSet = {
  readonly name: string
  readonly migrations: readonly Migration[]
  /** Tables whose rows the service may add and read, and neither change nor remove. Their migration takes the rights from the owner; this, from another role. */
  readonly insertOnly?: readonly string[]
}

export type MigrateOptions = {
  /** Of a role that may create in the schema. */
  readonly url: string
  /** Created when it is missing. */
  readonly schema: string
  /** The role the service runs as, when it is another: it gets its rows, not the tables' definitions. */
  readonly role?: string
  /** Applied in this order. */
  readonly sets: readonly MigrationSet[]
  /** How long tables that others are using are tried for; a minute unless given. */
  readonly patienceMs?: number
}

/** A migration that landed reads differently now, or one is missing from the code's order. */
export class MigrationRefused extends Error {
  override readonly name = 'MigrationRefused'
}

/** Others went on using the tables of a migration for as long as it was tried; nothing of it was done. */
export class SchemaBusy extends Error {
  override readonly name = 'SchemaBusy'
}

/** The schema lacks migrations that this code needs. */
export class SchemaOutdated extends Error {
  override readonly name = 'SchemaOutdated'
  readonly missing: readonly string[]
  constructor(missing: readonly string[]) {
    super(`the schema lacks ${missing.join(', ')}: run the migrate command`)
    this.missing = missing
  }
}

const statementTimeoutMs = 120_000

type Step = { readonly id: string; readonly hash: string; readonly up: Migration['up'] }

/**
 * Brings a schema up to date, each migration in a transaction of its own, beside services that go on working; started many times at once, each is done once.
 * Throws MigrationRefused when the statements of a landed migration are no longer the same, SchemaBusy when others hold its tables all the while.
 */
export async function migrate({ url, schema, role, sets, patienceMs = 60_000 }: MigrateOptions): Promise<{ applied: string[] }> {
  const steps = await stepsOf(sets)
  await using database = connect<unknown>({
    url,
    poolSize: 1,
    namedStatements: false,
    statementTimeoutMs,
    // Nobody waits at a door for it: a server that is busy is waited for.
    connectTimeoutMs: 15_000,
    applicationName: 'gatehouse migrate',
  })
  const db = database.kysely
  await prepare(db, schema)
  const alone = <T>(act: (tx: Transaction<unknown>, landed: ReadonlyMap<string, string>) => Promise<T>): Promise<T> =>
    transact(db, async (tx) => {
      await sql`set local search_path to ${sql.id(schema)}`.execute(tx)
      // A pooler does not pass on what a connection begins with, and a role may have the short timeouts of calls.
      await sql`set local statement_timeout = ${sql.lit(statementTimeoutMs)}`.execute(tx)
      await sql`set local lock_timeout = ${sql.lit(Math.ceil(0.8 * statementTimeoutMs))}`.execute(tx)
      await sql`lock table schema_migrations in exclusive mode`.execute(tx)
      return await act(tx, await landedHashes(tx))
    })

  const pending = await alone(async (_, landed) => {
    refuseChanged(steps, landed)
    return steps.filter(({ id }) => !landed.has(id))
  })
  const applied: string[] = []
  for (const step of pending) {
    const isApplied = await givingWay(patienceMs, () => alone(async (tx, landed) => !landed.has(step.id) && (await apply(tx, step))))
    if (isApplied) applied.push(step.id)
  }
  const insertOnly = sets.flatMap((set) => set.insertOnly ?? [])
  if (role !== undefined) await alone((tx) => grantRows(tx, schema, role, insertOnly))
  return { applied }
}

async function apply(tx: Transaction<unknown>, { id, hash, up }: Step): Promise<true> {
  await sql`set local lock_timeout = ${sql.lit(lockMs)}`.execute(tx)
  await up(tx)
  await sql`insert into schema_migrations (id, hash) values (${id}, ${hash})`.execute(tx)
  return true
}

/** Less than what Postgres takes to see a deadlock: it is the migration that gives way, never a call. */
const lockMs = 500

/**
 * Who waits for a table makes everybody wait who comes later, and who holds one and waits for the next may wait for somebody that waits for the first. So a
 * migration waits briefly, lets everything go, and begins again.
 */
async function givingWay<T>(patienceMs: number, act: () => Promise<T>): Promise<T> {
  for (const end = performance.now() + patienceMs; ; await delay(50 + Math.random() * 450)) {
    try {
      return await act()
    } catch (error) {
      if (sqlState(error) !== lockNotAvailable && !isConflict(error)) throw error
      if (performance.now() > end)
        throw new SchemaBusy(
          'Tables that are to change were in use all the while: pg_stat_activity tells who has a transaction open (a dump, somebody at psql?). Run it again when that is over.',
          { cause: error },
        )
    }
  }
}

/** Ids of the migrations that the connection's schema has, as `set/id`. */
export async function schemaVersion(db: Executor): Promise<string[]> {
  try {
    return [...(await landedHashes(db)).keys()]
  } catch (error) {
    if (sqlState(error) === undefinedTable) return []
    throw error
  }
}

/** Throws SchemaOutdated when a migration of these sets is missing. A schema that is ahead is fine: old code runs on a new schema. */
export async function assertSchema(db: Executor, sets: readonly MigrationSet[]): Promise<void> {
  const landed = new Set(await schemaVersion(db))
  const missing = sets.flatMap(({ name, migrations }) => migrations.map(({ id }) => `${name}/${id}`)).filter((id) => !landed.has(id))
  if (missing.length > 0) throw new SchemaOutdated(missing)
}

/** One hash over everything that these sets do, for whoever keeps databases by their content. */
export async function hashOfSets(sets: readonly MigrationSet[]): Promise<string> {
  const steps = await stepsOf(sets)
  return createHash('sha256')
    .update(JSON.stringify(steps.map(({ id, hash }) => [id, hash])))
    .digest('hex')
}

const undefinedTable = '42P01'
const lockNotAvailable = '55P03'

/** `create … if not exists` can still collide with its own twin in another session (23505, 42P06, 42P07, 42710): then it exists. */
async function prepare(db: Kysely<unknown>, schema: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { rows } = await sql`select from pg_namespace where nspname = ${schema}`.execute(db)
      if (rows.length === 0) await sql`create schema if not exists ${sql.id(schema)}`.execute(db)
      await sql`create table if not exists ${sql.id(schema, 'schema_migrations')} (
        id text primary key, hash text not null, create_time timestamptz not null default now())`.execute(db)
      return
    } catch (error) {
      const collided = isUniqueViolation(error) || ['42P06', '42P07', '42710'].includes(sqlState(error) ?? '')
      if (!collided || attempt === 20) throw error
      await delay(Math.random() * 50)
    }
  }
}

async function landedHashes(db: Executor): Promise<Map<string, string>> {
  const { rows } = await sql<{ id: string; hash: string }>`select id, hash from schema_migrations order by create_time, id`.execute(db)
  return new Map(rows.map(({ id, hash }) => [id, hash]))
}

function refuseChanged(steps: readonly Step[], landed: ReadonlyMap<string, string>): void {
  const changed = steps.filter(({ id, hash }) => landed.has(id) && landed.get(id) !== hash).map(({ id }) => id)
  if (changed.length > 0)
    throw new MigrationRefused(`landed migrations are immutable, and these read differently now: ${changed.join(', ')}`)
}

async function grantRows(tx: Kysely<unknown>, schema: string, role: string, insertOnly: readonly string[]): Promise<void> {
  const { rows } = await sql<{ same: boolean }>`select current_user = ${role} as same`.execute(tx)
  if (rows[0]?.same) return
  await sql`grant usage on schema ${sql.id(schema)} to ${sql.id(role)}`.execute(tx)
  await sql`grant select, insert, update, delete on all tables in schema ${sql.id(schema)} to ${sql.id(role)}`.execute(tx)
  for (const table of insertOnly) await sql`revoke update, delete on ${sql.id(schema, table)} from ${sql.id(role)}`.execute(tx)
}

async function stepsOf(sets: readonly MigrationSet[]): Promise<Step[]> {
  const steps: Step[] = []
  for (const { name, migrations } of sets) {
    let previous = ''
    for (const { id, up } of migrations) {
      if (!/^\d{4}-[a-z0-9-]+$/.test(id) || id <= previous)
        throw new TypeError(`migration ${name}/${id} is not named in order, like 0001-users`)
      previous = id
      steps.push({ id: `${name}/${id}`, hash: await hashOf(up), up })
    }
  }
  return steps
}

/** Over the statements, not over the source: formatting a landed migration changes nothing. */
async function hashOf(up: Migration['up']): Promise<string> {
  const statements: string[] = []
  const log = ({ query }: { query: CompiledQuery }): number =>
    statements.push(`${query.sql.replace(/\s+/g, ' ').trim()} ${query.parameters.map(String).join()}`)
  const dry = new Kysely<unknown>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
    log: (event) => void log(event),
  })
  await up(dry)
  return createHash('sha256').update(statements.join('\n')).digest('hex')
}
