import { logoutsWaiting as readWaiting } from '../../../store/oidc/logouts.ts'
import type { Deps } from '../../deps.ts'

/** How many ends of sessions clients are still to be told of, and for how long the first of them has been due. */
export async function logoutsWaiting(deps: Pick<Deps, 'db' | 'now'>): Promise<{ count: number; overdueSeconds: number }> {
  const now = deps.now()
  const { count, dueSince } = await readWaiting(deps.db, new Date(now))
  return { count, overdueSeconds: dueSince === undefined ? 0 : Math.max(0, (now - dueSince.getTime()) / 1000) }
}
