import { parseArgs } from 'node:util'
import { CommandFailed, CommandProblem } from '@gatehouse/cli'
import { readConfig, serviceVariables } from '@gatehouse/config'
import { connect, type Database, isUnavailable, sqlState } from '@gatehouse/postgres'
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
    await act(database)
  } catch (error) {
    throw inWords(error, name, databaseUrl)
  }
}

function inWords(error: unknown, name: PeerName, databaseUrl: string): unknown {
  if (isUnavailable(error))
    return new CommandFailed(`Postgres at ${placeOf(databaseUrl)} cannot be reached: is it running, is DATABASE_URL right?`)
  // A table or a column that is not there.
  if (sqlState(error) === '42P01' || sqlState(error) === '42703')
    return new CommandFailed(
      `The schema of ${name} at ${placeOf(databaseUrl)} is older than this command: run gatehouse migrate ${name} first.`,
    )
  return error
}
