import { tenantsToCheckpoint } from '../../store/audit-checkpoints.ts'
import type { Deps } from '../deps.ts'
import { closedKeyIn } from '../keys/sealed-box.ts'
import { makeCheckpoint } from './checkpoints.ts'

/** Signs the chains that have grown, and whose last checkpoint is old. A tenant whose key does not open keeps nobody else from theirs. */
export async function makeDueCheckpoints(deps: Pick<Deps, 'db' | 'keys' | 'now' | 'log'>, everyMs: number): Promise<void> {
  for (const tenant of await tenantsToCheckpoint(deps.db, new Date(deps.now() - everyMs))) {
    try {
      await makeCheckpoint(deps, tenant)
    } catch (error) {
      const closed = closedKeyIn(error)
      if (closed === undefined) throw error
      deps.log.error({ tenant, problem: closed.message }, 'no checkpoint of the audit log can be signed')
    }
  }
}
