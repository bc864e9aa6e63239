import { deleteOldChallenges } from '../../store/challenges.ts'
import { deleteCodeFailures } from '../../store/code-failures.ts'
import { prunePasswordFailures } from '../../store/password-failures.ts'
import type { Deps } from '../deps.ts'
import { failuresKeptSeconds } from '../passwords/attempts.ts'
import { keptSeconds } from './secret-lifetimes.ts'

const rowsAtOnce = 1_000
const dayMs = 86_400_000

/** Deletes what can be of use to nobody any more: the addresses and names of sign-ups that were never proven are personal data. Answers how many challenges went. */
export async function pruneChallenges({ db, now }: Pick<Deps, 'db' | 'now'>, signal?: AbortSignal): Promise<number> {
  const day = Math.floor(now() / dayMs) - 1
  await allOf(() => deleteCodeFailures(db, { day, limit: rowsAtOnce }), signal)
  await allOf(() => prunePasswordFailures(db, new Date(now() - failuresKeptSeconds * 1000), rowsAtOnce), signal)
  const time = new Date(now() - keptSeconds * 1000)
  return await allOf(() => deleteOldChallenges(db, { time, limit: rowsAtOnce }), signal)
}

/** In pieces short enough not to be in anybody's way. */
async function allOf(prune: () => Promise<number>, signal: AbortSignal | undefined): Promise<number> {
  for (let pruned = 0; ; ) {
    const deleted = await prune()
    pruned += deleted
    if (deleted < rowsAtOnce || signal?.aborted) return pruned
  }
}
