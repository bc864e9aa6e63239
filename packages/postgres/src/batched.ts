import { currentBounds, endOf, untilEnd } from './bounds.ts'
import { DatabaseUnavailable, StatementAbandoned } from './errors.ts'

export type BatchOptions<K> = {
  /** The same text for the same row: `(tenant, id)` as one string. */
  readonly keyOf: (key: K) => string
  /** Keys of one batch at most. Default 200. */
  readonly maxKeys?: number
  /** Batches under way at once; what comes meanwhile waits and joins the next one. Default 4. */
  readonly maxInFlight?: number
  /** Reads that may wait; more are refused with DatabaseUnavailable. Default 10000. */
  readonly maxWaiting?: number
}

/**
 * Reads one row through the next batch: undefined when there is none. An aborted `signal` ends only this caller's wait. What nobody waits for any more
 * when its batch goes out (withinBounds) is not read, and a batch is cancelled when the most patient of its callers stops waiting.
 */
export type BatchedRead<K, V> = (key: K, wait?: { readonly signal?: AbortSignal | undefined }) => Promise<V | undefined>

type Waiting<K, V> = { readonly key: K; readonly callers: Caller<V>[] /** When the most patient of them stops waiting. */; end: number }
type Caller<V> = {
  readonly resolve: (value: V | undefined) => void
  readonly reject: (error: unknown) => void
  /** Takes the caller's ear off its signal, where it has one. */
  readonly unwatch?: () => void
}

/**
 * Joins the reads of one turn of the event loop into one statement (`where (tenant, id) in (…)` over arrays).
 * A call joins only a batch that is not sent yet, so it sees every commit that came before it, and nothing is kept from one
 * batch to the next. For the primary and outside transactions only. `load` gives rows by keyOf.
 */
export function batched<K, V>(load: (keys: K[]) => Promise<Map<string, V>>, options: BatchOptions<K>): BatchedRead<K, V> {
  const { keyOf, maxKeys = 200, maxInFlight = 4, maxWaiting = 10_000 } = options
  const waiting = new Map<string, Waiting<K, V>>()
  let reads = 0
  let inFlight = 0
  let scheduled = false

  const schedule = (): void => {
    if (scheduled || inFlight >= maxInFlight || waiting.size === 0) return
    scheduled = true
    // After the I/O of this turn: everything that arrived with it is in the batch.
    setImmediate(() => {
      scheduled = false
      while (inFlight < maxInFlight && waiting.size > 0) void send()
    })
  }

  const send = async (): Promise<void> => {
    const batch = takeBatch()
    if (batch.length === 0) return
    inFlight++
    try {
      const end = batch.reduce((latest, [, entry]) => Math.max(latest, entry.end), 0)
      const rows = await untilEnd(end, () => load(batch.map(([, { key }]) => key)))
      for (const [name, { callers }] of batch) {
        const row = rows.get(name)
        for (const { resolve, unwatch } of callers) {
          unwatch?.()
          resolve(row)
        }
      }
    } catch (error) {
      for (const [, { callers }] of batch) {
        for (const { reject, unwatch } of callers) {
          unwatch?.()
          reject(error)
        }
      }
    } finally {
      inFlight--
      schedule()
    }
  }

  const takeBatch = (): (readonly [string, Waiting<K, V>])[] => {
    const now = Date.now()
    const batch: (readonly [string, Waiting<K, V>])[] = []
    for (const entry of waiting) {
      if (batch.length === maxKeys) break
      const [name, { callers, end }] = entry
      waiting.delete(name)
      reads -= callers.length
      if (end > now) batch.push(entry)
      else
        for (const { reject, unwatch } of callers) {
          unwatch?.()
          reject(new StatementAbandoned('nobody waits for this read any more: it was not sent'))
        }
    }
    return batch
  }

  const watched = (ends: Caller<V>, signal: AbortSignal, name: string, entry: Waiting<K, V>): Caller<V> => {
    const leave = (): void => {
      entry.callers.splice(entry.callers.indexOf(caller), 1)
      if (waiting.get(name) === entry) {
        reads -= 1
        // Nobody waits for it any more: it need not be read.
        if (entry.callers.length === 0) waiting.delete(name)
      }
      ends.reject(signal.reason)
    }
    const caller = { ...ends, unwatch: () => signal.removeEventListener('abort', leave) }
    signal.addEventListener('abort', leave, { once: true })
    return caller
  }

  return (key, { signal } = {}) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const name = keyOf(key)
      const known = waiting.get(name)
      if (reads >= maxWaiting) return reject(new DatabaseUnavailable(`${reads} reads wait already`))
      reads += 1
      const end = endOf(currentBounds())
      const entry = known ?? { key, callers: [], end }
      if (known === undefined) waiting.set(name, entry)
      else known.end = Math.max(known.end, end)
      entry.callers.push(signal === undefined ? { resolve, reject } : watched({ resolve, reject }, signal, name, entry))
      schedule()
    })
}
