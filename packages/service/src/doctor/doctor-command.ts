import { type Command, CommandFailed } from '@gatehouse/cli'
import { readConfig, type ServiceConfig, type Table } from '@gatehouse/config'
import { outboxStatus } from '@gatehouse/events'
import { connect, isUnavailable } from '@gatehouse/postgres'
import { placeOf, print } from '../command-parts.ts'
import { migrationsOf } from '../open-service.ts'
import { NatsAway } from '../reach-nats.ts'
import type { CommandedService } from '../service-commands.ts'
import { checkNats, type NatsQuestion } from './check-nats.ts'
import { checkDeadLetters, judgeOutbox } from './check-outbox.ts'
import { checkPostgres, checkSchema } from './check-postgres.ts'
import { checkPeers, checkWorkloadKey } from './check-workload.ts'
import { examine, type Finding, wrong } from './findings.ts'

/** The command that looks at all that a service stands on, from where it is run, with the service's own credentials. It changes nothing. */
export function doctorCommand<T extends Table>(service: CommandedService<T>): Command {
  const { name } = service
  return {
    name: 'doctor',
    summary: 'looks at everything a service stands on, and says what is wrong and what to do; exit code 1 when something is wrong',
    forEach: true,
    async run(_, env) {
      const config = readConfig(service.variables, env, service.rules)
      const found = await examineService(service, config as unknown as ServiceConfig, service.checks?.(config) ?? [])
      print(name)
      for (const { level, what, remedy } of found) {
        print(`  ${(level === 'wrong' ? 'WRONG' : level).padEnd(6)} ${what}`)
        if (remedy !== undefined) print(`         → ${remedy}`)
      }
      const bad = found.filter(({ level }) => level === 'wrong').length
      if (bad > 0) throw new CommandFailed(`${name}: ${bad} of ${found.length} findings ${bad === 1 ? 'is' : 'are'} wrong.`)
    },
  }
}

async function examineService<T extends Table>(
  { name, migrations, consumes = [] }: CommandedService<T>,
  config: ServiceConfig,
  more: Parameters<typeof examine>[0],
): Promise<Finding[]> {
  const { databaseUrl, natsUrl } = config
  await using database = connect<unknown>({
    url: databaseUrl,
    poolSize: 2,
    namedStatements: false,
    applicationName: `gatehouse-${name}-doctor`,
  })
  const db = database.kysely
  let known: NatsQuestion['database']
  let isUp = false
  return await examine([
    async () => {
      const found = await reached(databaseUrl, () => checkPostgres(db, name, databaseUrl))
      isUp = found.some(({ level }) => level === 'ok')
      return found
    },
    async () => {
      if (!isUp) return []
      const schema = await checkSchema(db, name, migrationsOf(migrations))
      if (schema.level !== 'ok') return [schema]
      known = { db, outbox: await outboxStatus(db) }
      return [schema, ...judgeOutbox(name, known.outbox), ...(consumes.length > 0 ? [await checkDeadLetters(name, db)] : [])]
    },
    async () => (known === undefined ? [] : await examine(more)),
    () => checkNats({ name, natsUrl, consumes, database: known }).catch(natsAway),
    () => checkWorkloadKey(name, config),
    () => checkPeers(name, config),
  ])
}

async function reached(databaseUrl: string, look: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await look()
  } catch (error) {
    const place = `Postgres at ${placeOf(databaseUrl)}`
    const why = error instanceof Error ? error.message : String(error)
    const unseen = 'Schema, outbox and dead letters were not looked at'
    const consequence = `Meanwhile calls answer unavailable, and tokens that are out still verify. ${unseen}`
    return isUnavailable(error)
      ? [wrong(`${place} cannot be reached: ${why}`, `start it, or mend DATABASE_URL. ${consequence}`)]
      : [
          wrong(
            `${place} refuses: ${why}`,
            `mend DATABASE_URL, or the role's password and rights: the service fares as this command does. ${unseen}`,
          ),
        ]
  }
}

function natsAway(error: unknown): Finding[] {
  if (!(error instanceof NatsAway)) throw error
  return [
    wrong(
      error.message,
      'start it, or mend NATS_URL. Meanwhile writes go on, and events wait in the outbox; nothing is lost. Streams were not looked at',
    ),
  ]
}
