import { type Command, CommandFailed } from '@gatehouse/cli'
import { migrationVariables, readConfig } from '@gatehouse/config'
import { MigrationRefused, type MigrationSet, migrate, SchemaBusy } from '@gatehouse/postgres'
import { databaseInWords, print } from './command-parts.ts'
import { migrateStream } from './migrate-stream.ts'
import { migrationsOf } from './open-service.ts'
import type { PeerName } from './peers.ts'

/** The command that brings what a service keeps elsewhere up to date: the schema `gatehouse_<name>` and the stream `gatehouse-<name>`; safe to start many times at once. */
export function migrateCommand(name: PeerName, migrations: MigrationSet): Command {
  const schema = `gatehouse_${name}`
  return {
    name: 'migrate',
    summary: 'brings schema and stream of a service up to date; DATABASE_URL and NATS_URL may name whoever may more than the service',
    async run(_, env) {
      const { databaseUrl, natsUrl, natsReplicas: replicas, natsStreamBytes: maxBytes } = readConfig(migrationVariables, env)
      try {
        const { applied } = await migrate({ url: databaseUrl, schema, role: schema, sets: migrationsOf(migrations) })
        print(applied.length === 0 ? `${schema} is up to date` : applied.map((id) => `${schema} ${id}`).join('\n'))
      } catch (error) {
        if (error instanceof SchemaBusy) throw new CommandFailed(`${schema}: ${error.message}`)
        if (!(error instanceof MigrationRefused))
          throw databaseInWords(error, name, databaseUrl, `whoever may change the tables of ${name}, such as ${schema}_migrator`)
        throw new CommandFailed(
          `${schema}: ${error.message}. This code is not a successor of the one that made the schema; nothing was changed.`,
        )
      }
      if (natsUrl !== undefined) print(await migrateStream(name, natsUrl, { replicas, maxBytes }))
    },
  }
}
