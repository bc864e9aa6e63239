import { deleteOldChallenges } from '../../store/challenges.ts'
import { deleteCodeFailures } from '../../store/code-failures.ts'
import type { Deps } from '../deps.ts'
import { keptSeconds } from './secret-lifetimes.ts'

const rowsAtOnce = 1_000
const dayMs = 86_400_000

/** Deletes what can be of use to nobody any more: the addresses and names of sign-ups that were never proven are personal data. Answers how many challenges went. */
export async function pruneChallenges(deps: Pick<Deps, 'db' | 'now'>): Promise<number> {
  await deleteCodeFailures(deps.db, { day: Math.floor(deps.now() / dayMs) - 1 })
  const time = new Date(deps.now() - keptSeconds * 1000)
  let pruned = 0
  for (;;) {
    const deleted = await deleteOldChallenges(deps.db, { time, limit: rowsAtOnce })
    pruned += deleted
    if (deleted < rowsAtOnce) return pruned
  }
}
