import { type Command, CommandProblem } from '@gatehouse/cli'
import { readConfig, serviceVariables } from '@gatehouse/config'
import { connectNats, replay } from '@gatehouse/events'
import { connect } from '@gatehouse/postgres'
import type { PeerName } from './peers.ts'

/** The command that publishes a service's kept events again, under their ids: for a broker that lost them. Consumers that have had one ignore it. */
export function replayCommand(name: PeerName): Command {
  return {
    name: 'replay',
    usage: '--since TIME',
    summary: 'publishes the kept events of a service again, for a broker that lost them; TIME as 2026-01-31T12:00:00Z',
    async run(args, env) {
      const since = args[0] === '--since' && args.length === 2 ? new Date(args[1] ?? '') : new Date(Number.NaN)
      if (Number.isNaN(since.getTime())) throw new CommandProblem(`Since when? gatehouse replay ${name} --since 2026-01-31T12:00:00Z`)
      const { databaseUrl, natsUrl } = readConfig({ DATABASE_URL: serviceVariables.DATABASE_URL, NATS_URL: serviceVariables.NATS_URL }, env)
      await using database = connect({ url: databaseUrl, poolSize: 2, applicationName: `gatehouse-${name}-command` })
      await using nats = connectNats({ url: natsUrl, name: `gatehouse-${name}-command` })
      try {
        const { published } = await replay({ db: database.kysely, nats, since, signal: AbortSignal.timeout(600_000) })
        process.stdout.write(`${published} events published again\n`)
      } catch (error) {
        if (error instanceof RangeError) throw new CommandProblem(`${error.message}.`)
        throw error
      }
    },
  }
}
