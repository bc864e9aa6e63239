import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import type { CallContext } from './call-context.ts'
import { commonRefusal } from './refusal.ts'

const ENDED = Symbol('ended')

/** Something outside that may end a stream: `end` ends it well, `fail` with an error. */
export interface StreamEnd {
  end(): void
  fail(error: unknown): void
}

/**
 * The answers of a handler, until it is done, `watch` ends them, the caller takes none for `patienceMs`, or the call's signal aborts: a handler that
 * looks at nothing but its own events must not keep a stream open whose caller is gone. The handler's signal aborts in each of these cases.
 */
export async function* untilEnded<T>(
  context: CallContext,
  start: () => AsyncIterable<T>,
  watch: (stream: StreamEnd) => () => void,
  patienceMs: number,
): AsyncGenerator<T> {
  const own = new AbortController()
  const inbound = context.inbound.signal
  const outcome: { over: boolean; error: unknown } = { over: false, error: undefined }
  let wake: () => void = () => {}
  const stop = (error?: unknown): void => {
    if (outcome.over) return
    outcome.over = true
    outcome.error = error
    own.abort(error)
    wake()
  }
  const onAbort = () => stop(inbound.reason)
  context.signal = own.signal
  inbound.addEventListener('abort', onAbort, { once: true })
  if (inbound.aborted) onAbort()
  const unwatch = watch({ end: () => stop(), fail: stop })
  // A generator runs where it is asked for more, so that each step needs the call's trace around it.
  const iterator = context.trace.run(start)[Symbol.asyncIterator]()
  const loseHope = (): void => {
    stop(commonRefusal(ErrorReason.SLOW_READER, {}, { retryAfterSeconds: 1 }))
    // The handler waits where it gave its last answer, and hears of nothing.
    iterator.return?.().catch(() => {})
    context.inbound.abort?.(outcome.error)
  }
  try {
    for (;;) {
      // One new promise a message: racing against one that lives as long as the stream would keep every message.
      const next = await new Promise<IteratorResult<T> | typeof ENDED>((resolve, reject) => {
        wake = () => resolve(ENDED)
        if (outcome.over) resolve(ENDED)
        else context.trace.run(() => iterator.next()).then(resolve, reject)
      })
      if (next === ENDED) {
        if (outcome.error !== undefined) throw outcome.error
        return
      }
      if (next.done === true) return
      const patience = setTimeout(loseHope, patienceMs)
      try {
        yield next.value
      } finally {
        clearTimeout(patience)
      }
    }
  } finally {
    stop()
    inbound.removeEventListener('abort', onAbort)
    unwatch()
    // Not awaited: a handler that ignores its signal would hold up the answer.
    iterator.return?.().catch(() => {})
  }
}
