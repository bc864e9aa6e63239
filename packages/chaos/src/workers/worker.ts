import type { Constellation } from '../constellation.ts'
import type { Operation } from '../history.ts'
import type { Outcome } from '../outcome.ts'
import { perform } from '../perform.ts'
import type { Random } from '../random.ts'

/** Somebody who does one thing after the other in the house, and knows what they were told. */
export interface Worker {
  readonly name: string
  /** One operation, until it is answered or given up. */
  step(): Promise<void>
}

export interface WorkerParts {
  readonly house: Constellation
  readonly name: string
  readonly random: Random
  /** In so many of a hundred operations an unknown answer is not asked for again. */
  readonly givesUpPercent: number
  /** How long a call may take. */
  readonly timeoutMs: number
}

/** Tries operations under the worker's name. */
export function tryingAs({ house, name, random, givesUpPercent }: WorkerParts) {
  return (
    op: string,
    id: string,
    args: Operation['args'],
    call: () => Promise<Outcome>,
    { insists = false, patienceMs = 60_000 }: { readonly insists?: boolean; readonly patienceMs?: number } = {},
  ): Promise<Outcome> => {
    // Drawn whether it is needed or not, so that the schedule does not depend on answers.
    const givesUp = random.percent(givesUpPercent) && !insists
    return perform({ worker: name, op, id, args }, { history: house.history, random, givesUp, patienceMs }, call)
  }
}
