import type { Deps } from '../core/deps.ts'
import { rotateKeys } from '../core/keys/rotate-keys.ts'
import { listTenants } from '../store/tenants.ts'
import { repeat } from './repeat.ts'

const everyMs = 15 * 60_000

/** Gives every tenant its next signing key when the present one has signed for long enough. Every replica looks; the tenant's lock lets one act. */
export function startKeyRotation(deps: Deps, options: { maxAgeSeconds: number }): AsyncDisposable {
  return repeat({
    name: 'key-rotation',
    everyMs,
    log: deps.log,
    async act(signal) {
      for (const { id } of await listTenants(deps.db)) {
        if (signal.aborted) return
        const kid = await rotateKeys(deps, { tenant: id, olderThanSeconds: options.maxAgeSeconds })
        if (kid !== undefined) deps.log.info({ tenant: id, kid }, 'the next signing key is published')
      }
    },
  })
}
