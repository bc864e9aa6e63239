import { type Command, CommandFailed } from '@gatehouse/cli'
import { readConfig, serviceVariables } from '@gatehouse/config'
import { MigrationRefused, type MigrationSet, migrate, SchemaBusy } from '@gatehouse/postgres'
import { databaseInWords } from './command-parts.ts'
import { migrationsOf } from './open-service.ts'
import type { PeerName } from './peers.ts'

/** The command that brings the schema `gatehouse_<name>` up to date; safe to start many times at once. */
export function migrateCommand(name: PeerName, migrations: MigrationSet): Command {
  const schema = `gatehouse_${name}`
  return {
    name: 'migrate',
    summary: 'brings the schema of a service up to date; DATABASE_URL may name a role that owns more than the service does',
    async run(_, env) {
      const { databaseUrl } = readConfig({ DATABASE_URL: serviceVariables.DATABASE_URL }, env)
      try {
        const { applied } = await migrate({ url: databaseUrl, schema, role: schema, sets: migrationsOf(migrations) })
        process.stdout.write(applied.length === 0 ? `${schema} is up to date\n` : applied.map((id) => `${schema} ${id}\n`).join(''))
      } catch (error) {
        if (error instanceof SchemaBusy) throw new CommandFailed(`${schema}: ${error.message}`)
        if (!(error instanceof MigrationRefused)) throw databaseInWords(error, name, databaseUrl)
        throw new CommandFailed(
          `${schema}: ${error.message}. This code is not a successor of the one that made the schema; nothing was changed.`,
        )
      }
    },
  }
}
