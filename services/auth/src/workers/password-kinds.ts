import type { Deps } from '../core/deps.ts'
import { followKinds } from '../core/passwords/follow-kinds.ts'
import { repeat } from './repeat.ts'

const everyMs = 60_000

/** Follows which kinds of password hashes there are, because wrong passwords are answered when the slowest of them would be through. */
export function startFollowingKinds(deps: Deps): AsyncDisposable {
  return repeat({ name: 'password-kinds', everyMs, log: deps.log, act: (signal) => followKinds(deps, signal) })
}
