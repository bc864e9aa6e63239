import { type Command, CommandFailed, CommandProblem } from '@gatehouse/cli'
import { readConfig } from '@gatehouse/config'
import { connect, type Db } from '@gatehouse/postgres'
import { databaseInWords, serviceCommands } from '@gatehouse/service'
import { validate as isUuid } from 'uuid'
import { rules, variables } from './config.ts'
import { consumersOf } from './consumers/index.ts'
import type { Deps } from './core/deps.ts'
import { mailServerCheck } from './mail-server-check.ts'
import { listDeadDeliveries, reviveDeliveries } from './store/deliveries.ts'
import { migrations } from './store/migrations/index.ts'
import type { Schema } from './store/schema.ts'

type Environment = Parameters<Command['run']>[1]

/** Runs a command over the mails, and says in a sentence when Postgres is away or refuses. */
async function overMails(env: Environment, act: (db: Db<Schema>) => Promise<void>): Promise<void> {
  const { databaseUrl } = readConfig({ DATABASE_URL: variables.DATABASE_URL }, env)
  await using database = connect<Schema>({ url: databaseUrl, poolSize: 2, applicationName: 'gatehouse-notification-command' })
  try {
    await act(database.kysely)
  } catch (error) {
    throw databaseInWords(error, 'notification', databaseUrl)
  }
}

export const commands: readonly Command[] = [
  ...serviceCommands({
    name: 'notification',
    variables,
    rules,
    migrations,
    // Tying handlers to their events touches nothing that they need.
    consumes: consumersOf({} as Deps).map(({ event }) => event),
    checks: (config) => [mailServerCheck(config)],
  }),
  {
    name: 'mail failed',
    summary: 'lists the mails that were given up, newest first, with the reason',
    run: (_, env) =>
      overMails(env, async (db) => {
        for (const { tenant, delivery_id, template, reason, attempts, create_time } of await listDeadDeliveries(db, 1000))
          process.stdout.write(`${[delivery_id, create_time.toISOString(), tenant, template, `${attempts} tries`, reason].join('\t')}\n`)
      }),
  },
  {
    name: 'mail retry',
    usage: 'DELIVERY|--all',
    summary: 'sends a mail that was given up once more, or all of them',
    async run([which = '', ...more], env) {
      if (more.length > 0 || (which !== '--all' && !isUuid(which)))
        throw new CommandProblem('Which one? gatehouse mail retry DELIVERY, or --all')
      await overMails(env, async (db) => {
        const count = await reviveDeliveries(db, which === '--all' ? undefined : which)
        if (count === 0) throw new CommandFailed('There is no such mail that was given up: gatehouse mail failed')
        process.stdout.write(`${count} will be sent again\n`)
      })
    },
  },
]
