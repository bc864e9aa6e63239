import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import type { CallContext } from './call-context.ts'
import { commonRefusal } from './refusal.ts'

/**
 * Runs a handler no longer than the call's deadline. gRPC calls are left to their engine, which answers by itself and aborts the signal;
 * on the web door this is the only watch.
 */
export function withinDeadline<T>(context: CallContext, act: () => T | Promise<T>): T | Promise<T> {
  const { deadline } = context
  return deadline === undefined || context.door === 'grpc' ? act() : watched(context, deadline, act)
}

async function watched<T>(context: CallContext, deadline: number, act: () => T | Promise<T>): Promise<T> {
  const late = new AbortController()
  context.signal = AbortSignal.any([context.inbound.signal, late.signal])
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => {
      late.abort()
      reject(commonRefusal(ErrorReason.DEADLINE_EXCEEDED))
    },
    Math.max(0, Math.min(deadline - Date.now(), 2 ** 31 - 1)),
  )
  try {
    const answer = Promise.resolve(act())
    // Whoever is late answers nobody; its end must not become an unhandled rejection.
    answer.catch(() => {})
    return await Promise.race([answer, promise])
  } finally {
    clearTimeout(timer)
  }
}
