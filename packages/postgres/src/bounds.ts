import { AsyncLocalStorage } from 'node:async_hooks'
import { StatementAbandoned } from './errors.ts'

/** How long somebody waits for what is done at this moment. */
export interface Bounds {
  /** Epoch milliseconds. */
  readonly deadline?: number | undefined
  /** Aborted when nobody waits any more; where it is given, at the deadline too. */
  readonly signal?: AbortSignal | undefined
  /** Set when the work is done in time: what it started beside itself is bounded by it no more. */
  readonly ended?: boolean
}

const storage = new AsyncLocalStorage<Bounds | undefined>()

/**
 * Runs `act` for somebody who waits that long: its statements are not sent after the end, and one that is under way then is cancelled in the server.
 * A commit and a rollback are never cancelled.
 */
export const withinBounds = <T>(bounds: Bounds, act: () => T): T => storage.run(bounds, act)

/** Runs `act` for more than whoever happens to call: what many wait for, or what nobody waits for. */
export const unbounded = <T>(act: () => T): T => storage.run(undefined, act)

/** Of whoever is served at this moment; undefined where nobody said how long they wait. */
export function currentBounds(): Bounds | undefined {
  const bounds = storage.getStore()
  return bounds?.ended === true ? undefined : bounds
}

/** The last moment at which somebody waits; never ends where nobody said. */
export const endOf = (bounds: Bounds | undefined): number => bounds?.deadline ?? Number.POSITIVE_INFINITY

/** Whether nobody waits any more. */
export const isOver = (bounds: Bounds): boolean => endOf(bounds) <= Date.now() || bounds.signal?.aborted === true

/** Throws where nobody waits any more: what nobody waits for is not begun. */
export function refuseWhenOver(bounds: Bounds | undefined): void {
  if (bounds !== undefined && isOver(bounds)) throw new StatementAbandoned('nobody waits for this statement any more: it was not sent')
}

/** Runs `act` for several who wait together, as long as the most patient of them does. */
export const untilEnd = <T>(end: number, act: () => T): T =>
  end === Number.POSITIVE_INFINITY ? unbounded(act) : withinBounds({ deadline: end }, act)
