import type { Deps } from '../core/deps.ts'
import { rotateOldKeys } from '../core/keys/rotate-keys.ts'
import { repeat } from './repeat.ts'

const everyMs = 15 * 60_000

/** Gives every tenant its next signing key when the present one has signed for long enough. */
export function startKeyRotation(deps: Deps, options: { maxAgeSeconds: number }): AsyncDisposable {
  return repeat({
    name: 'key-rotation',
    everyMs,
    log: deps.log,
    act: (signal) => rotateOldKeys(deps, { olderThanSeconds: options.maxAgeSeconds, signal }),
  })
}
