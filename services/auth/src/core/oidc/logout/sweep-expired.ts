import { transact } from '@gatehouse/postgres'
import { endGrantsOfSessions } from '../../../store/oidc/ended-sessions.ts'
import { listExpired, lockSweep, moveSweep } from '../../../store/oidc/expired-sessions.ts'
import type { Deps } from '../../deps.ts'

/** A use that was noted a moment before the end may not be committed yet, and another replica's clock may be behind. */
const settledMs = 60_000

const piece = 500

/**
 * Has clients told of sessions that ended by their time, each once: all replicas share one mark of how far they are. Nobody acts when such a session ends, so
 * this is what notices. Answers how many there were.
 */
export async function sweepExpired(deps: Pick<Deps, 'db' | 'now'>, signal?: AbortSignal): Promise<number> {
  const until = new Date(deps.now() - settledMs)
  let all = 0
  for (;;) {
    const swept = await transact(deps.db, async (tx) => {
      const after = await lockSweep(tx)
      if (after === undefined || after >= until) return undefined
      const { expired, reached } = await listExpired(tx, { after, until, limit: piece })
      await endGrantsOfSessions(tx, expired, new Date(deps.now()))
      await moveSweep(tx, reached)
      return { count: expired.length, isLast: reached >= until }
    })
    all += swept?.count ?? 0
    if (swept === undefined || swept.isLast || signal?.aborted) return all
  }
}
