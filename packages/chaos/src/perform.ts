import { setTimeout as delay } from 'node:timers/promises'
import type { History, Operation } from './history.ts'
import type { Outcome } from './outcome.ts'
import type { Random } from './random.ts'

export interface Persistence {
  readonly history: History
  readonly random: Random
  /** Whether the first unknown answer is the last: the operation is left to whatever became of it. */
  readonly givesUp: boolean
  /** How long an unknown answer is asked for again. */
  readonly patienceMs?: number
}

const firstPauseMs = 50
const longestPauseMs = 1_000

/** Tries an operation until somebody knows what became of it, each time the same call, with its outcomes in the history. */
export async function perform(
  operation: Omit<Operation, 'attempts'>,
  { history, random, givesUp, patienceMs = 60_000 }: Persistence,
  call: () => Promise<Outcome>,
): Promise<Outcome> {
  const end = performance.now() + patienceMs
  for (let attempt = 0; ; attempt++) {
    const answered = history.invoke(operation)
    const outcome = await call()
    answered(outcome)
    if (outcome.kind !== 'unknown' || givesUp || performance.now() > end) return outcome
    await delay(random.integer(firstPauseMs / 2, Math.min(longestPauseMs, firstPauseMs * 2 ** attempt)))
  }
}
