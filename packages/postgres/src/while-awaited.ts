import type pg from 'pg'
import type { Bounds } from './bounds.ts'
import { cancelStatement } from './cancel-statement.ts'
import { isConnectionLost, StatementAbandoned, sqlState } from './errors.ts'

type Watch = {
  readonly bounds: Bounds
  readonly client: pg.PoolClient
  /** Told that the connection must not be used again. */
  readonly onLost: () => void
}

const queryCanceled = '57014'

/**
 * Gives what a statement that was sent answers. When nobody waits for it any more it is cancelled in the server, and StatementAbandoned follows when the
 * server has stopped, or at the latest when no statement may run any longer: only then is it certain what the connection is good for. A server that is
 * slow keeps its connections so; to open others would take it longer than everything else.
 */
export function whileAwaited<T>(statement: Promise<T>, { bounds, client, onLost }: Watch): Promise<T> {
  const { signal, deadline } = bounds
  if (signal === undefined && deadline === undefined) return statement
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  let isStopping = false

  const stop = async (): Promise<void> => {
    isStopping = true
    const [isCertain, cause] = await Promise.all([cancelStatement(client), statement.then(nothing, (error: unknown) => error)])
    const isLost = isConnectionLost(cause)
    if (isLost || !isCertain) onLost()
    // What else it says came before the cancellation, and tells more.
    const isAbandoned = cause === undefined || isLost || sqlState(cause) === queryCanceled
    reject(isAbandoned ? new StatementAbandoned('nobody waits for this statement any more: it was cancelled', { cause }) : cause)
  }
  const onEnd = (): void => void stop()
  // A timer may come a millisecond before the clock of whoever asks why.
  const timer = signal === undefined && deadline !== undefined ? setTimeout(onEnd, Math.max(0, deadline - Date.now()) + 1) : undefined
  signal?.addEventListener('abort', onEnd, { once: true })

  const settle = (act: () => void): void => {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onEnd)
    // A cancellation that is on its way must not meet somebody else's statement.
    if (!isStopping) act()
  }
  statement.then(
    (result) => settle(() => resolve(result)),
    (error: unknown) => settle(() => reject(error)),
  )
  return promise
}

const nothing = (): undefined => undefined
