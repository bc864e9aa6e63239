import { type Command, CommandFailed, CommandProblem } from '@gatehouse/cli'
import { readConfig, serviceVariables } from '@gatehouse/config'
import { fillStream, type OutboxStatus, outboxStatus, replay, reportStream } from '@gatehouse/events'
import { type Environment, parse, print, withDatabase } from './command-parts.ts'
import { differencesIn, events, makesStream, seconds, sizeOf, time } from './in-words.ts'
import type { PeerName } from './peers.ts'
import { NoPastTime, pastTime } from './point-in-time.ts'
import { NatsAway, reachNats } from './reach-nats.ts'

const replayPatienceMs = 600_000

/** What an operator asks of the outbox of a service, and does with it. */
export function outboxCommands(name: PeerName): Command[] {
  return [
    {
      name: 'outbox status',
      summary: 'what waits for the broker and for how long, who publishes, how far back a replay reaches, and the state of the stream',
      run: (_, env) =>
        withDatabase(name, env, async ({ kysely }) => {
          for (const line of statusLines(name, await outboxStatus(kysely))) print(line)
          const stream = await streamLine(name, env)
          print(row('stream', stream.line))
          if (!stream.isWell) throw new CommandFailed(`${name}: the stream is not as it has to be; gatehouse doctor ${name} says more.`)
        }),
    },
    {
      name: 'outbox replay',
      usage: '--since TIME | --stream',
      summary: 'publishes kept events again under their ids: those since TIME (2026-01-31T12:00:00Z), or those that the stream lacks',
      async run(args, env) {
        const { values, positionals } = parse(args, { since: { type: 'string' }, stream: { type: 'boolean' } })
        const isClear = positionals.length === 0 && (values.since === undefined) === (values.stream === true)
        if (!isClear)
          throw new CommandProblem(
            `Which ones? gatehouse outbox replay ${name} --since 2026-01-31T12:00:00Z, or --stream for all that the stream lacks`,
          )
        const since = values.since === undefined ? undefined : timeOf(values.since)
        await withDatabase(name, env, async ({ kysely: db }) => {
          await using broker = await brokerOf(name, env)
          const options = { db, nats: broker.nats, signal: AbortSignal.timeout(replayPatienceMs) }
          const { published } =
            since === undefined ? await fillStream({ ...options, service: name }) : await replayed({ ...options, since })
          print(`${events(published)} published again`)
        })
      },
    },
  ]
}

const row = (what: string, text: string): string => `${what.padEnd(12)}${text}`

function statusLines(name: PeerName, { depth, oldestSeconds, position, lastPublishedTime, keptSince, lease }: OutboxStatus): string[] {
  const waiting =
    depth === 0 ? 'nothing' : `${depth >= 10_000 ? '10,000 events or more' : events(depth)}, the oldest for ${seconds(oldestSeconds)}`
  const relay = lease.isHeld
    ? `${lease.holder} publishes (epoch ${lease.epoch})`
    : lease.epoch === 0n
      ? `nobody has published yet: has ${name} ever run?`
      : `nobody has published for ${seconds(lease.endedSeconds)} (epoch ${lease.epoch}, last ${lease.holder}): does ${name} run, and does it reach Postgres?`
  return [
    row('waiting', waiting),
    row(
      'published',
      lastPublishedTime === undefined ? 'nothing yet' : `up to position ${position}, the last at ${time(lastPublishedTime)}`,
    ),
    row('kept', keptSince === undefined ? 'nothing yet' : `since ${time(keptSince)}: a replay reaches no further back`),
    row('relay', relay),
  ]
}

/** What cannot be asked is said, and the rest stands. */
async function streamLine(name: PeerName, env: Environment): Promise<{ line: string; isWell: boolean }> {
  const { natsUrl } = readConfig({ NATS_URL: serviceVariables.NATS_URL }, env)
  try {
    await using broker = await reachNats(natsUrl, `gatehouse-${name}-command`)
    const report = await reportStream(await broker.nats.connected(), name)
    if (report === undefined)
      return {
        line: `gatehouse-${name} is not there: ${makesStream(name)}; then gatehouse outbox replay ${name} --stream`,
        isWell: false,
      }
    const { messages, bytes, maxBytes, differences } = report
    const state = `${report.name} holds ${events(messages)}, ${sizeOf(bytes)} of ${sizeOf(maxBytes)}`
    return differences.length === 0
      ? { line: `${state}, and is as it has to be`, isWell: true }
      : { line: `${state}; it has ${differencesIn(differences)}`, isWell: false }
  } catch (error) {
    if (error instanceof NatsAway) return { line: error.message, isWell: false }
    throw error
  }
}

async function brokerOf(name: PeerName, env: Environment) {
  const { natsUrl } = readConfig({ NATS_URL: serviceVariables.NATS_URL }, env)
  try {
    return await reachNats(natsUrl, `gatehouse-${name}-command`)
  } catch (error) {
    throw error instanceof NatsAway ? new CommandFailed(`${error.message}. Nothing was published.`) : error
  }
}

function timeOf(text: string): Date {
  try {
    return pastTime(text, Date.now())
  } catch (error) {
    throw error instanceof NoPastTime ? new CommandProblem(`--since ${error.message}.`) : error
  }
}

async function replayed(options: Parameters<typeof replay>[0]): Promise<{ published: number }> {
  try {
    return await replay(options)
  } catch (error) {
    throw error instanceof RangeError ? new CommandProblem(`${error.message}.`) : error
  }
}
