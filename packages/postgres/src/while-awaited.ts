import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import type { Bounds } from './bounds.ts'
import { cancelStatement } from './cancel-statement.ts'
import { StatementAbandoned, sqlState } from './errors.ts'

/** So long may the server take to stop a statement; then its connection is given up. */
const patienceMs = 1000
const queryCanceled = '57014'

/**
 * Gives what a statement that was sent answers, while somebody waits for it. Then it is cancelled in the server, and the connection is good for the next;
 * where that cannot be had, `onLost` tells that it is not.
 */
export function whileAwaited<T>(statement: Promise<T>, { bounds, client, onLost }: Watch): Promise<T> {
  const { signal, deadline } = bounds
  if (signal === undefined && deadline === undefined) return statement
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  let stopping: Promise<boolean> | undefined
  const stop = (): void => {
    stopping ??= cancelStatement(client)
    void giveUp(stopping)
  }
  const giveUp = async (cancelled: Promise<boolean>): Promise<void> => {
    const settled = statement.then(
      () => true,
      () => true,
    )
    const inTime = await Promise.race([Promise.all([settled, cancelled]), delay(patienceMs, undefined, { ref: false })])
    if (inTime?.[1] !== true) onLost()
    // Nothing the statement answers now is of use to anybody, and its error says no more than this.
    const error = inTime === undefined ? undefined : await statement.then(() => undefined).catch((cause: unknown) => cause)
    reject(abandoned(error))
  }
  // A timer may come a millisecond before the clock of whoever asks why.
  const timer = signal === undefined && deadline !== undefined ? setTimeout(stop, Math.max(0, deadline - Date.now()) + 1) : undefined
  signal?.addEventListener('abort', stop, { once: true })
  const settle = (act: () => void): void => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
    // While it is being cancelled the connection must not be anybody else's.
    if (stopping === undefined) act()
  }
  statement.then(
    (result) => settle(() => resolve(result)),
    (error: unknown) => settle(() => reject(error)),
  )
  return promise
}

type Watch = {
  readonly bounds: Bounds
  readonly client: pg.PoolClient
  readonly onLost: () => void
}

const abandoned = (cause: unknown): unknown =>
  cause === undefined || sqlState(cause) === queryCanceled
    ? new StatementAbandoned('nobody waits for this statement any more: it was cancelled', { cause })
    : cause
