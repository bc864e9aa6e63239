import { transact } from '@gatehouse/postgres'
import { listCheckpoints, pruneEntries as removeEntries } from '../../store/audit-checkpoints.ts'
import type { Db, Deps } from '../deps.ts'
import { audit } from './audit.ts'

const pieceSize = 1_000

/**
 * Removes the entries up to the last checkpoint before a time. `owner` is a connection that may, which the service's own is not. That it was done is the
 * next entry of the chain, written before anything is removed: what stops in the middle has told, and goes on when it is run again.
 */
export async function pruneEntries(
  deps: Pick<Deps, 'db'>,
  owner: Db,
  { tenant, before }: { readonly tenant: string; readonly before: Date },
): Promise<{ readonly upTo: bigint; readonly removed: number }> {
  const upTo = await lastCheckpointBefore(deps.db, tenant, before)
  if (upTo === undefined) return { upTo: 0n, removed: 0 }
  await transact(deps.db, (tx) =>
    audit(tx, { tenant, kind: 'audit_prune', subjectId: tenant, details: { up_to: String(upTo), before: before.toISOString() } }),
  )
  let removed = 0
  for (let piece = pieceSize; piece === pieceSize; ) {
    piece = await removeEntries(owner, { tenant, upTo, limit: pieceSize })
    removed += piece
  }
  return { upTo, removed }
}

async function lastCheckpointBefore(db: Db, tenant: string, before: Date): Promise<bigint | undefined> {
  for (let at: bigint | undefined; ; ) {
    const page = await listCheckpoints(db, { tenant, limit: 100, ...(at !== undefined && { before: at }) })
    const found = page.find(({ time }) => time < before)
    if (found !== undefined || page.length < 100) return found?.position
    at = page.at(-1)?.position
  }
}
