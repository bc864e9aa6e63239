import { pruneConnectionAttempts } from '../../store/connections/connection-attempts.ts'
import {
  pruneApiKeyChanges,
  pruneApiKeys,
  prunePasskeyAttempts,
  prunePendingSignIns,
  pruneRefreshTokens,
  pruneRevocations,
  pruneSessionRaises,
  pruneSessions,
  pruneSigningKeys,
} from '../../store/prune.ts'
import { pruneSuspicionMarks } from '../../store/suspicions.ts'
import type { Deps } from '../deps.ts'

const dayMs = 86_400_000

/** Ended sessions stay for a while, for whoever looks into what happened. */
const sessionsKeptMs = 7 * dayMs

/** A used-up refresh token that comes back later than this is unknown instead of reused. */
const usedTokensKeptMs = 7 * dayMs

/** Ended API keys stay in the lists for a month. */
const endedKeysKeptMs = 30 * dayMs

/** Longer than any watch looks back. */
const revocationsKeptMs = 10 * 60_000

const batch = 1_000

/** Removes what nobody needs any more, in batches short enough not to be in anybody's way. Answers how many rows went. */
export async function cleanUp(deps: Pick<Deps, 'db' | 'now'>, signal?: AbortSignal): Promise<number> {
  const now = deps.now()
  const before = (keptMs: number) => new Date(now - keptMs)
  let removed = await pruneSigningKeys(deps.db, before(dayMs))
  for (const prune of [
    () => pruneSessions(deps.db, before(sessionsKeptMs), batch),
    () => pruneRefreshTokens(deps.db, before(usedTokensKeptMs), batch),
    () => pruneRevocations(deps.db, before(revocationsKeptMs), batch),
    () => pruneSessionRaises(deps.db, before(revocationsKeptMs), batch),
    () => pruneApiKeyChanges(deps.db, before(revocationsKeptMs), batch),
    () => pruneApiKeys(deps.db, before(endedKeysKeptMs), batch),
    () => prunePendingSignIns(deps.db, before(0), batch),
    () => prunePasskeyAttempts(deps.db, before(0), batch),
    () => pruneSuspicionMarks(deps.db, before(0), batch),
    () => pruneConnectionAttempts(deps.db, before(0), batch),
  ]) {
    let count: number
    do {
      count = await prune()
      removed += count
    } while (count === batch && !signal?.aborted)
  }
  return removed
}
