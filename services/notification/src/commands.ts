import { type Command, CommandProblem } from '@gatehouse/cli'
import { readConfig } from '@gatehouse/config'
import { connect, migrate } from '@gatehouse/postgres'
import { migrationsOf } from '@gatehouse/service'
import { validate as isUuid } from 'uuid'
import { variables } from './config.ts'
import { listDeadDeliveries, reviveDeliveries } from './store/deliveries.ts'
import { migrations } from './store/migrations/index.ts'
import type { Schema } from './store/schema.ts'

const schema = 'gatehouse_notification'

type Environment = Parameters<Command['run']>[1]

function open(env: Environment) {
  const { databaseUrl } = readConfig({ DATABASE_URL: variables.DATABASE_URL }, env)
  return connect<Schema>({ url: databaseUrl, poolSize: 2, applicationName: 'gatehouse-notification-command' })
}

export const commands: readonly Command[] = [
  {
    name: 'migrate',
    summary: 'brings the schema of a service up to date; DATABASE_URL may name a role that owns more than the service does',
    async run(_, env) {
      const { databaseUrl } = readConfig({ DATABASE_URL: variables.DATABASE_URL }, env)
      const { applied } = await migrate({ url: databaseUrl, schema, role: schema, sets: migrationsOf(migrations) })
      process.stdout.write(applied.length === 0 ? `${schema} is up to date\n` : applied.map((id) => `${schema} ${id}\n`).join(''))
    },
  },
  {
    name: 'mail failed',
    summary: 'lists the mails that were given up, newest first, with the reason',
    async run(_, env) {
      await using database = open(env)
      for (const { tenant, delivery_id, template, reason, attempts, create_time } of await listDeadDeliveries(database.kysely, 1000)) {
        process.stdout.write(`${[delivery_id, create_time.toISOString(), tenant, template, `${attempts} tries`, reason].join('\t')}\n`)
      }
    },
  },
  {
    name: 'mail retry',
    usage: 'DELIVERY|--all',
    summary: 'sends a mail that was given up once more, or all of them',
    async run([which = ''], env) {
      if (which !== '--all' && !isUuid(which)) throw new CommandProblem('Which one? gatehouse mail retry DELIVERY, or --all')
      await using database = open(env)
      const count = await reviveDeliveries(database.kysely, which === '--all' ? undefined : which)
      if (count === 0) throw new CommandProblem('There is no such mail that was given up.')
      process.stdout.write(`${count} will be sent again\n`)
    },
  },
]
