import { setTimeout as delay } from 'node:timers/promises'
import { currentBounds, endOf, untilEnd } from './bounds.ts'
import type { Executor } from './connect.ts'
import { DatabaseUnavailable, isConflict, StatementAbandoned } from './errors.ts'
import { type Counted, type Counter, countCalls, type Limit } from './limit-statement.ts'

/** How one call came out: how many of its limits let it pass, and the seconds until the window of the next one begins. */
export type Outcome = { readonly passed: number; readonly seconds: number }

type Caller = {
  readonly counters: readonly Counter[]
  /** When it stops waiting. */
  readonly end: number
  readonly resolve: (outcome: Outcome) => void
  readonly reject: (error: unknown) => void
}
type Batch = { readonly callers: Caller[]; readonly depths: Map<string, number> }

const maxCalls = 500
// One that the database works on, and one under way to it: more would only wait for the first one's locks, each with fewer calls.
const maxInFlight = 2
const attempts = 5

/**
 * Counts calls of one set of limits: those that arrive in one turn of the event loop, and while `maxInFlight` batches are under way, are counted by one
 * statement. A popular counter is then one write for many calls instead of a queue of writers. Nothing is decided here: the counters live in Postgres.
 */
export function limitBatches(
  db: Executor,
  limits: readonly Limit[],
  { maxWaiting = 10_000 }: { readonly maxWaiting?: number } = {},
): (counters: readonly Counter[]) => Promise<Outcome> {
  const batches: Batch[] = []
  let waiting = 0
  let inFlight = 0
  let scheduled = false

  const schedule = (): void => {
    if (scheduled || inFlight >= maxInFlight || waiting === 0) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      for (let next = batches.shift(); next !== undefined; next = inFlight < maxInFlight ? batches.shift() : undefined) void send(next)
    })
  }

  const send = async (batch: Batch): Promise<void> => {
    waiting -= batch.callers.length
    const callers = whoeverWaits(batch)
    if (callers.length === 0) return
    inFlight += 1
    try {
      const end = callers.reduce((latest, caller) => Math.max(latest, caller.end), 0)
      const calls = callers.map(({ counters }) => counters)
      const { passed, seconds } = await untilEnd(end, () => countPatiently(db, limits, calls))
      for (const [number, { resolve }] of callers.entries()) {
        const own = passed[number] ?? 0
        resolve({ passed: own, seconds: seconds[own] ?? 1 })
      }
    } catch (error) {
      for (const { reject } of callers) reject(error)
    } finally {
      inFlight -= 1
      schedule()
    }
  }

  return (counters) =>
    new Promise((resolve, reject) => {
      if (waiting >= maxWaiting) return reject(new DatabaseUnavailable(`${waiting} calls wait to be counted already`))
      const last = batches.at(-1)
      const batch: Batch = last !== undefined && fits(last, counters) ? last : { callers: [], depths: new Map() }
      if (batch !== last) batches.push(batch)
      for (const [depth, counter] of counters.entries()) batch.depths.set(nameOf(counter), depth)
      batch.callers.push({ counters, end: endOf(currentBounds()), resolve, reject })
      waiting += 1
      schedule()
    })
}

/** Whoever stopped waiting is not counted. */
function whoeverWaits({ callers }: Batch): readonly Caller[] {
  const now = Date.now()
  return callers.filter(({ end, reject }) => {
    if (end > now) return true
    reject(new StatementAbandoned('nobody waits for this call any more: it was not counted'))
    return false
  })
}

/** A counter stands at one place of all calls of a batch, or Postgres would have to change its row twice in one statement. */
function fits({ callers, depths }: Batch, counters: readonly Counter[]): boolean {
  return callers.length < maxCalls && counters.every((counter, depth) => (depths.get(nameOf(counter)) ?? depth) === depth)
}

const nameOf = ({ tenant, key }: Counter): string => `${key} ${tenant}`

/** Batches may charge the same counters in opposite orders: one of them then has to begin again, and has counted nothing. */
async function countPatiently(db: Executor, limits: readonly Limit[], calls: readonly (readonly Counter[])[]): Promise<Counted> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await countCalls(db, limits, calls)
    } catch (error) {
      if (attempt === attempts || !isConflict(error)) throw error
      await delay(Math.random() * 10 * attempt)
    }
  }
}
