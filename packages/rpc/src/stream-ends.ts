import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import type { AccessDecider } from '@gatehouse/identity'
import type { CallContext } from './call-context.ts'
import { type CredentialOptions, verifyPerson } from './credentials.ts'
import { commonRefusal, Refusal } from './refusal.ts'
import type { StreamEnd } from './stream-lifetime.ts'

/** What ends a stream from outside; answers how to stop watching. */
export type StreamWatch = (stream: StreamEnd) => () => void

const CHECK_INTERVAL_MS = 1000
const JITTER = 0.1
export const MAX_STREAM_SECONDS = 300
export const SLOW_READER_SECONDS = 30

/** How long a stream of a service lives at the longest: its age, and the patience with a caller who leaves the last answer untaken. What stands in between waits longer. */
export const longestStreamSeconds = Math.round(MAX_STREAM_SECONDS * (1 + JITTER)) + SLOW_READER_SECONDS

/** How long a stream may be open, and whether its caller still may. */
export interface StreamRule {
  readonly maxSeconds: number
  readonly stillMay: () => boolean
  readonly denied: () => Refusal
}

/**
 * What ends a stream though its handler would go on: its age, so that connections can be closed and callers move to new replicas without an error;
 * and the end of the person's token, well when it comes by its time, with `ACCESS_TOKEN_INVALID` when it was revoked: at once where the verifier tells so,
 * and within a second after its key or tenant went; and the loss of what it takes to call, as soon as that is known. A stream outlives the check at its door
 * by far; without this a revoked session would go on listening.
 */
export function watchStream(
  context: CallContext,
  options: CredentialOptions & { readonly access?: AccessDecider },
  { maxSeconds, stillMay, denied }: StreamRule,
): StreamWatch {
  return (stream) => {
    const jitter = 1 - JITTER + Math.random() * 2 * JITTER
    const age = setTimeout(() => stream.end(), maxSeconds * 1000 * jitter)
    const { person } = context.caller
    const { now = Date.now } = options
    const check = async (): Promise<void> => {
      if (person !== undefined && now() >= person.expireTime) return stream.end()
      if (!stillMay()) return stream.fail(denied())
      try {
        await verifyPerson(context, options)
      } catch (error) {
        if (error instanceof Refusal && error.reason === 'ACCESS_TOKEN_INVALID')
          stream.fail(commonRefusal(ErrorReason.ACCESS_TOKEN_INVALID))
      }
    }
    const timer = person === undefined ? undefined : setInterval(() => void check(), CHECK_INTERVAL_MS)
    const unwatch = person && options.accessTokens.onChange?.(person, () => void check())
    // It may have been revoked between the check at the door and this.
    if (unwatch) void check()
    // What ends by its time is found by the timer; what somebody takes away is told.
    const stopListening =
      person === undefined
        ? undefined
        : options.access?.onChange((tenant) => {
            if (tenant === person.tenant && !stillMay()) stream.fail(denied())
          })
    return () => {
      stopListening?.()
      unwatch?.()
      clearTimeout(age)
      clearInterval(timer)
    }
  }
}
