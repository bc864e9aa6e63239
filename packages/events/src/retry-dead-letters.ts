import { setTimeout as delay } from 'node:timers/promises'
import { transact } from '@gatehouse/postgres'
import { context } from '@opentelemetry/api'
import type { Kysely } from 'kysely'
import type { Consumer } from './consumer.ts'
import { askLater, claimAsked, type DeadLetter, failAgain, takeAway } from './dead-letters.ts'
import { endSpan, processSpan } from './event-spans.ts'
import { rememberEvent } from './inbox.ts'
import type { Log } from './log.ts'
import { stackId } from './stack-id.ts'

export type RetryingOptions<DB> = {
  readonly db: Kysely<DB>
  /** Whose dead letters. */
  readonly name: string
  readonly byType: ReadonlyMap<string, Consumer<DB>>
  /** Whether an error says nothing about the event. */
  readonly isAway: (error: unknown) => boolean
  readonly onCommit: () => void
  readonly log: Log
}

const pollMs = 1000
const atOnce = 20
const leaseSeconds = 60
const awaySeconds = 5

/**
 * Handles the dead letters that an operator asked for, in the process that has the handlers and what they stand on. Each is taken away in the
 * transaction of its effect, which also remembers the event: it has one effect, though the stream bring it too. One that fails again stays, with the
 * new reason; one that waits for what is away goes on being asked for.
 */
export function startRetrying<DB>(options: RetryingOptions<DB>): AsyncDisposable {
  const stop = new AbortController()
  const { db, name, byType } = options
  const claim = { consumer: name, types: [...byType.keys()], limit: atOnce, leaseSeconds }

  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      try {
        for (const letter of await claimAsked(db, claim)) if (!stop.signal.aborted) await retry(options, letter)
      } catch {
        // Without a database nothing is asked for; a lease that nobody gave back ends.
      }
      await delay(pollMs, undefined, { signal: stop.signal }).catch(() => {})
    }
  }
  const running = run()
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await running
    },
  }
}

async function retry<DB>(options: RetryingOptions<DB>, letter: DeadLetter): Promise<void> {
  const process = processSpan(letter.envelope, { consumer: letter.consumer, attempt: letter.attempts + 1 })
  endSpan(process.span, await context.with(process.context, () => handleAgain(options, letter)))
}

/** Gives what went wrong, if anything did. */
async function handleAgain<DB>({ db, byType, isAway, onCommit, log }: RetryingOptions<DB>, letter: DeadLetter): Promise<unknown> {
  const { envelope, payload, consumer: name } = letter
  const about = { type: envelope.type, id: envelope.id, tenant: envelope.tenant }
  const consumer = byType.get(envelope.type)
  if (consumer === undefined) return undefined
  try {
    const act = await consumer.prepare(payload, envelope)
    await transact(db, async (tx) => {
      if ((await takeAway(tx, letter)) && (await rememberEvent(tx, name, envelope.tenant, envelope.id))) await act(tx)
    })
  } catch (error) {
    if (isAway(error)) {
      await askLater(db, letter, awaySeconds)
      return error
    }
    const failure = { reason: String(error), stackId: stackId(error) }
    log.warn({ ...about, err: error, stack_id: failure.stackId }, 'a dead letter could not be handled again')
    await failAgain(db, letter, failure)
    return error
  }
  log.info(about, 'a dead letter was handled')
  try {
    consumer.committed(payload, envelope)
    onCommit()
  } catch (error) {
    log.error({ ...about, err: error }, 'what follows an event failed')
  }
  return undefined
}
