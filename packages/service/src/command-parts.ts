import { parseArgs } from 'node:util'
import { CommandFailed, CommandProblem } from '@gatehouse/cli'
import { readConfig, serviceVariables } from '@gatehouse/config'
import { connect, type Database, isUnavailable, sqlState } from '@gatehouse/postgres'
import { sql } from 'kysely'
import type { PeerName } from './peers.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** Writes a line of a command's result. What came in from elsewhere cannot move the terminal's cursor, nor begin a line of its own. */
export function print(line: string): void {
  process.stdout.write(`${line.replace(/[^\P{Cc}\t]/gu, ' ')}\n`)
}

/** Where a URL leads, for a person: without user, password and parameters. */
export function placeOf(url: string): string {
  return url
    .split(',')
    .map((each) => {
      const { host, pathname } = new URL(each)
      return host + (pathname === '/' ? '' : pathname)
    })
    .join(', ')
}

/** The words and the flags of a command. Throws CommandProblem for flags that it has not. */
export function parse<Flags extends Record<string, { type: 'string' | 'boolean' }>>(args: readonly string[], options: Flags) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options })
  } catch (error) {
    throw new CommandProblem(error instanceof Error ? error.message : String(error))
  }
}

/** Runs a command over the service's database, and says in a sentence when that is away or has no schema. */
export async function withDatabase(name: PeerName, env: Environment, act: (database: Database<unknown>) => Promise<void>): Promise<void> {
  const { databaseUrl } = readConfig({ DATABASE_URL: serviceVariables.DATABASE_URL }, env)
  await using database = connect<unknown>({
    url: databaseUrl,
    poolSize: 2,
    namedStatements: false,
    applicationName: `gatehouse-${name}-command`,
  })
  try {
    await assertOwn(database, name, databaseUrl)
    await act(database)
  } catch (error) {
    throw databaseInWords(error, name, databaseUrl)
  }
}

// The services' tables have the same names: another service's outbox or dead letters would be told, or dropped, as this one's.
async function assertOwn({ kysely }: Database<unknown>, name: PeerName, databaseUrl: string): Promise<void> {
  const { rows } = await sql<{ schema: string | null }>`select current_schema()::text as schema`.execute(kysely)
  const schema = rows[0]?.schema ?? undefined
  if (schema !== undefined && schema !== `gatehouse_${name}`)
    throw new CommandProblem(`DATABASE_URL (${placeOf(databaseUrl)}) leads into the schema ${schema}, and not into gatehouse_${name}.`)
}

// Not let in (28), no such database (3D), no right to what is there: for the operator to mend, not faults of ours.
const refusals = /^(28...|3D...|42501)$/

/** What an operator is told of an error of Postgres that they can mend; any other error as it is, with its stack. */
export function databaseInWords(error: unknown, name: PeerName, databaseUrl: string, whose: string = name): unknown {
  const [place, code] = [placeOf(databaseUrl), sqlState(error) ?? '']
  if (isUnavailable(error)) return new CommandFailed(`Postgres at ${place} cannot be reached: is it running, is DATABASE_URL right?`)
  if (refusals.test(code))
    return new CommandFailed(`Postgres at ${place} refuses: ${(error as Error).message}; is DATABASE_URL that of ${whose}?`)
  // A table or a column that is not there.
  if (code === '42P01' || code === '42703')
    return new CommandFailed(
      `The schema of ${name} at ${place} is older than this command: run gatehouse migrate ${name} first, and see that DATABASE_URL is that of ${name}.`,
    )
  return error
}
