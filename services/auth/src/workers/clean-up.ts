import { pruneAccess } from '../core/access/prune-access.ts'
import { pruneChallenges } from '../core/challenges/prune-challenges.ts'
import { finishDeletions } from '../core/connections/change-connection.ts'
import type { Deps } from '../core/deps.ts'
import { sweepExpired } from '../core/oidc/logout/sweep-expired.ts'
import { pruneOidc } from '../core/oidc/prune-oidc.ts'
import { cleanUp } from '../core/sessions/clean-up.ts'
import { repeat } from './repeat.ts'

const everyMs = 10 * 60_000

/** Has clients told of sessions that expired, and removes ended sessions, used-up refresh tokens, challenges, expired bindings and what else has had its time. */
export function startCleanUp(deps: Deps): AsyncDisposable {
  return repeat({
    name: 'clean-up',
    everyMs,
    log: deps.log,
    async act(signal) {
      // Before the sessions themselves go.
      await sweepExpired(deps, signal)
      await cleanUp(deps, signal)
      await pruneChallenges(deps, signal)
      await pruneAccess(deps, signal)
      await pruneOidc(deps, signal)
      await finishDeletions(deps, signal)
    },
  })
}
