import { type Command, CommandProblem } from '@gatehouse/cli'
import { readConfig } from '@gatehouse/config'
import { connect } from '@gatehouse/postgres'
import { serviceCommands } from '@gatehouse/service'
import { validate as isUuid } from 'uuid'
import { rules, variables } from './config.ts'
import { consumedEvents } from './consumed-events.ts'
import { mailServerCheck } from './mail-server-check.ts'
import { listDeadDeliveries, reviveDeliveries } from './store/deliveries.ts'
import { migrations } from './store/migrations/index.ts'
import type { Schema } from './store/schema.ts'

type Environment = Parameters<Command['run']>[1]

function open(env: Environment) {
  const { databaseUrl } = readConfig({ DATABASE_URL: variables.DATABASE_URL }, env)
  return connect<Schema>({ url: databaseUrl, poolSize: 2, applicationName: 'gatehouse-notification-command' })
}

export const commands: readonly Command[] = [
  ...serviceCommands({
    name: 'notification',
    variables,
    rules,
    migrations,
    consumes: consumedEvents,
    checks: (config) => [mailServerCheck(config)],
  }),
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
