import { hostname, userInfo } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { type Command, CommandFailed, CommandProblem } from '@gatehouse/cli'
import { askRetry, type DeadLetter, deadLetters, deadLettersOf, dropDeadLetter } from '@gatehouse/events'
import type { Db } from '@gatehouse/postgres'
import { createLogger } from '@gatehouse/telemetry'
import { parse, print, withDatabase } from './command-parts.ts'
import { bodyOf } from './event-body.ts'
import { time } from './in-words.ts'
import type { PeerName } from './peers.ts'

const listed = 1000
const patienceMs = 15_000

/** What an operator does with the events that a service could not handle. */
export function deadLetterCommands(name: PeerName): Command[] {
  const one = (args: readonly string[], act: string): string => {
    const { positionals } = parse(args, {})
    const [id] = positionals
    if (id === undefined || positionals.length > 1) throw new CommandProblem(`Which one? gatehouse dead-letters ${act} ${name} ID`)
    return id
  }
  const none = (id: string) => new CommandFailed(`${name} has no dead letter ${id}: gatehouse dead-letters list ${name}`)
  return [
    {
      name: 'dead-letters list',
      summary: 'lists the events that a service put aside, the oldest first: id, time, type, tenant, tries, reason',
      run: (_, env) =>
        withDatabase(name, env, async ({ kysely }) => {
          const letters = await deadLetters(kysely, listed)
          for (const { envelope, createTime, attempts, reason, isAsked } of letters)
            print(
              [
                envelope.id,
                time(createTime),
                envelope.type,
                envelope.tenant,
                `${attempts} tries`,
                isAsked ? `asked for; ${reason}` : reason,
              ].join('\t'),
            )
          if (letters.length === 0) process.stderr.write(`${name} has no dead letters.\n`)
          if (letters.length === listed) process.stderr.write(`These are the oldest ${listed}; there may be more.\n`)
        }),
    },
    {
      name: 'dead-letters show',
      usage: 'ID',
      summary: 'tells all about one: the event without what is personal, the reason, and what finds it in logs and traces',
      run: (args, env) =>
        withDatabase(name, env, async ({ kysely }) => {
          const id = one(args, 'show')
          const letters = await deadLettersOf(kysely, id)
          if (letters.length === 0) throw none(id)
          for (const letter of letters) for (const [what, text] of Object.entries(about(letter))) print(`${what.padEnd(12)}${text}`)
        }),
    },
    {
      name: 'dead-letters retry',
      usage: 'ID | --all',
      summary: 'has the running service handle one again, or all, and waits for what comes of it',
      run: (args, env) =>
        withDatabase(name, env, async ({ kysely }) => {
          const { values, positionals } = parse(args, { all: { type: 'boolean' } })
          if (positionals.length !== (values.all ? 0 : 1))
            throw new CommandProblem(`Which one? gatehouse dead-letters retry ${name} ID, or --all`)
          const ids = await askRetry(kysely, positionals[0])
          if (ids.length === 0 && positionals[0] !== undefined) throw none(positionals[0])
          await tellOutcome(name, kysely, ids)
        }),
    },
    {
      name: 'dead-letters drop',
      usage: 'ID',
      summary: 'forgets one for ever: its effect never happens. Told in the log on standard error, which is to be kept',
      run: (args, env) =>
        withDatabase(name, env, async ({ kysely }) => {
          const id = one(args, 'drop')
          const letters = await dropDeadLetter(kysely, id)
          if (letters.length === 0) throw none(id)
          const log = createLogger({ service: name, destination: process.stderr })
          const by = `${userInfo().username}@${hostname()}`
          for (const { envelope, reason, attempts } of letters) {
            const { type, tenant, key, version } = envelope
            log.warn({ id, type, tenant, key, version: String(version), reason, attempts, by }, 'a dead letter was dropped by an operator')
          }
          print(`${id} is forgotten`)
        }),
    },
  ]
}

function about({ envelope, payload, reason, stackId, attempts, createTime, updateTime, isAsked }: DeadLetter): Record<string, string> {
  const { id, type, tenant, key, version, time: written, traceparent } = envelope
  return {
    id,
    event: `${type} of ${key}, version ${version}, tenant ${tenant}, written ${time(written)}`,
    body: bodyOf(type, payload),
    reason,
    'put aside': `${time(createTime)}, tried ${attempts === 1 ? 'once' : `${attempts} times`}, last at ${time(updateTime)}${isAsked ? '; it is asked for again' : ''}`,
    'stack id': stackId === undefined ? '-' : `${stackId} (stack_id in the service's log, with the stack)`,
    'trace id': traceparent === undefined ? '-' : `${traceparent.split('-')[1]} (trace_id in the logs of the call that wrote the event)`,
  }
}

/** Waits until each was handled or failed, or it is plain that nobody does it now. */
async function tellOutcome(name: PeerName, db: Db<unknown>, ids: readonly string[]): Promise<void> {
  const asked = new Set(ids)
  let left: DeadLetter[] = []
  for (const end = performance.now() + patienceMs; ; ) {
    left = (await deadLetters(db, 10_000)).filter(({ envelope }) => asked.has(envelope.id))
    if (!left.some(({ isAsked }) => isAsked) || performance.now() > end) break
    await delay(250)
  }
  const [waiting, failed] = [left.filter(({ isAsked }) => isAsked), left.filter(({ isAsked }) => !isAsked)]
  print(`${asked.size - left.length} handled`)
  for (const { envelope, reason } of failed) print(`${envelope.id} failed again: ${reason}`)
  for (const { envelope } of waiting)
    print(`${envelope.id} waits: a running ${name} that knows ${envelope.type} handles it, when what it needs is there`)
  if (left.length > 0) throw new CommandFailed(`${left.length} of ${asked.size} were not handled.`)
}
