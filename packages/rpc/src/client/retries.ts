import { setTimeout as delay } from 'node:timers/promises'
import { status as Status } from '@grpc/grpc-js'

const MAX_ATTEMPTS = 4
const FIRST_BACKOFF_MS = 50
const MAX_BACKOFF_MS = 1000
const BUDGET = 20
const EARNED_BY_SUCCESS = 0.1

/** Runs `attempt`, and again while it fails with UNAVAILABLE, within `deadline` (epoch milliseconds). */
export type Retry = <T>(attempt: () => Promise<T>, deadline: number, signal: AbortSignal | undefined) => Promise<T>

/**
 * Retries with exponential backoff and full jitter, at most three per call. A budget as in gRFC A6 bounds them all together: while most calls
 * fail nobody retries, so that a peer that comes back is not met by four times its load.
 */
export function createRetries(): Retry {
  let budget = BUDGET
  return async (attempt, deadline, signal) => {
    for (let attempts = 1; ; attempts += 1) {
      try {
        const answer = await attempt()
        budget = Math.min(BUDGET, budget + EARNED_BY_SUCCESS)
        return answer
      } catch (error) {
        if (!isUnavailable(error)) throw error
        budget = Math.max(0, budget - 1)
        const backoff = Math.random() * Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** attempts)
        if (attempts >= MAX_ATTEMPTS || budget <= BUDGET / 2 || signal?.aborted === true || Date.now() + backoff >= deadline) throw error
        await delay(backoff, undefined, signal === undefined ? {} : { signal })
      }
    }
  }
}

function isUnavailable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === Status.UNAVAILABLE
}
