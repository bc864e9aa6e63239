import { transact } from '@gatehouse/postgres'
import { insertAccessChanges, pruneAccessChanges, raiseAccessVersion } from '../../store/access-changes.ts'
import { deleteExpiredBindings } from '../../store/bindings.ts'
import type { Deps } from '../deps.ts'

const dayMs = 86_400_000
/** Longer than any watch looks back. */
const changesKeptMs = dayMs
/** Expired bindings stay for a while, for whoever looks into what happened. */
const expiredKeptMs = 7 * dayMs
const batch = 1_000

/** Forgets bindings that have long expired, and changes that no watch looks back to. */
export async function pruneAccess(deps: Pick<Deps, 'db' | 'now'>, signal?: AbortSignal): Promise<void> {
  const before = (keptMs: number) => new Date(deps.now() - keptMs)
  while (!signal?.aborted && (await pruneBindings(deps, before(expiredKeptMs))) === batch);
  while (!signal?.aborted && (await pruneAccessChanges(deps.db, before(changesKeptMs), batch)) === batch);
}

async function pruneBindings({ db }: Pick<Deps, 'db'>, before: Date): Promise<number> {
  return await transact(db, async (tx) => {
    const gone = await deleteExpiredBindings(tx, before, batch)
    // In one order, so that two replicas never wait for each other.
    const byTenant = [...Map.groupBy(gone, ({ tenant }) => tenant)].sort(([a], [b]) => (a < b ? -1 : 1))
    for (const [tenant, rows] of byTenant) {
      const changes = rows.map(({ id }) => ({ kind: 'binding', name: id }) as const)
      await insertAccessChanges(tx, tenant, await raiseAccessVersion(tx, tenant), changes)
    }
    return gone.length
  })
}
