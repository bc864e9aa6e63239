import { listDeletedWithGrants } from '../../store/oidc/grants.ts'
import { pruneClientSecrets, pruneGrants, pruneLogouts, pruneRecords, pruneReplays } from '../../store/oidc/prune.ts'
import type { Deps } from '../deps.ts'
import { endGrantsOfDeleted } from './clients/disable-client.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** An expired code is told from an unknown one for as long as a person may take at the pages. */
const recordsKeptMs = hourMs

/** Ended grants stay for a while, for whoever looks into what happened; so do deliveries. */
const grantsKeptMs = 7 * dayMs

const secretsKeptMs = 30 * dayMs

const batch = 1_000

/** Removes what has had its time, and ends what a deleted client left. Answers how many rows went. */
export async function pruneOidc(deps: Pick<Deps, 'db' | 'now' | 'lifetimes' | 'committed'>, signal?: AbortSignal): Promise<number> {
  const now = deps.now()
  const before = (keptMs: number) => new Date(now - keptMs)
  let removed = 0
  for (const prune of [
    () => pruneRecords(deps.db, before(recordsKeptMs), batch),
    () => pruneReplays(deps.db, before(0), batch),
    () => pruneGrants(deps.db, before(grantsKeptMs), batch),
    () => pruneLogouts(deps.db, before(grantsKeptMs), batch),
    () => pruneClientSecrets(deps.db, before(secretsKeptMs), batch),
  ]) {
    let count: number
    do {
      count = await prune()
      removed += count
    } while (count === batch && !signal?.aborted)
  }
  for (const { tenant, client_id: clientId } of await listDeletedWithGrants(deps.db, batch)) {
    if (signal?.aborted) break
    await endGrantsOfDeleted(deps, { tenant, clientId })
  }
  return removed
}
