import { listAuditKeys, listCheckpoints } from '../../store/audit-checkpoints.ts'
import { chainAfter, type SealedEntry, strayEntries } from '../../store/audit-seals.ts'
import type { Db } from '../deps.ts'
import { beginning, chainHash } from './chain.ts'
import { type Checkpoint, readCheckpoint } from './checkpoints.ts'

const pageSize = 1_000
const straysNamed = 10

/** What came of a verification. */
export interface Verified {
  /** What is not as it was, the first place first; empty where all is well. */
  readonly findings: readonly string[]
  /** Entries whose hash was computed anew. */
  readonly entries: number
  /** The first that is kept and the last; 0 where there is none. */
  readonly first: bigint
  readonly last: bigint
  readonly checkpoints: number
}

/**
 * Computes the chain of a tenant anew and holds it against its checkpoints and those that were kept elsewhere: names the first entry that was changed,
 * removed, inserted or moved. Whoever may write everything can compute a whole chain anew, or cut off its end, and only what was kept elsewhere tells.
 */
export async function verifyChain(db: Db, { tenant, kept }: { tenant: string; kept: readonly string[] }): Promise<Verified> {
  const findings: string[] = []
  const checkpoints = await readCheckpoints(db, tenant, kept, findings)
  const { entries, first, last } = await walk(db, tenant, checkpoints, findings)
  for (const { position, time } of checkpoints.values())
    if (position > last)
      findings.push(`the end was cut off: the chain ends at ${last}, and reached ${position} at the checkpoint of ${time.toISOString()}`)
  const strays = await strayEntries(db, tenant, straysNamed)
  for (const id of strays) findings.push(`entry ${id} was inserted, or its seal was removed: it has no place in the chain`)
  return { findings, entries, first, last, checkpoints: checkpoints.size }
}

type Checkpoints = ReadonlyMap<bigint, Checkpoint>

/** By position. What was kept elsewhere goes before what the database says now. */
async function readCheckpoints(db: Db, tenant: string, kept: readonly string[], findings: string[]): Promise<Checkpoints> {
  const known = new Set((await listAuditKeys(db, tenant)).map(({ kid }) => kid))
  const found = new Map<bigint, Checkpoint>()
  for (const jws of kept) {
    const checkpoint = await readCheckpoint(jws)
    if (checkpoint === undefined) findings.push(`a kept checkpoint is not one, or was changed: ${jws.slice(0, 40)}…`)
    else if (checkpoint.tenant === tenant) {
      if (!known.has(checkpoint.kid)) findings.push(`key ${checkpoint.kid}, which signed a kept checkpoint, is no longer in the database`)
      found.set(checkpoint.position, checkpoint)
    }
  }
  for (let before: bigint | undefined; ; ) {
    const rows = await listCheckpoints(db, { tenant, limit: pageSize, ...(before !== undefined && { before }) })
    for (const row of rows) {
      const checkpoint = await readCheckpoint(row.jws)
      const fits = checkpoint?.tenant === tenant && checkpoint.position === row.position && known.has(checkpoint.kid)
      if (!fits) findings.push(`the checkpoint at ${row.position} was changed`)
      else if (!found.has(row.position)) found.set(row.position, checkpoint)
    }
    before = rows.at(-1)?.position
    if (rows.length < pageSize) return found
  }
}

/** What the walk stands on: the seal before, and what it has found so far. */
interface Walk {
  readonly first: bigint
  readonly last: bigint
  readonly hash: Uint8Array
  readonly entries: number
  /** The checkpoint up to which entries were pruned, and what the chain itself tells of that. */
  readonly pruned: bigint
  readonly toldPruned: bigint
}

async function walk(db: Db, tenant: string, checkpoints: Checkpoints, findings: string[]): Promise<Walk> {
  let at: Walk = { first: 0n, last: 0n, hash: beginning, entries: 0, pruned: 0n, toldPruned: 0n }
  for (let isMore = true; isMore; ) {
    const page = await chainAfter(db, { tenant, after: at.last, limit: pageSize })
    for (const sealed of page) {
      const isStart = at.first === 0n && sealed.position !== 1n
      at = isStart ? startAt(at, sealed, checkpoints, findings) : goTo(at, sealed, findings)
      const checkpoint = checkpoints.get(sealed.position)
      if (checkpoint !== undefined && checkpoint.hash !== Buffer.from(sealed.hash).toString('base64url'))
        findings.push(
          `the chain was computed anew: at ${sealed.position} it is another than at the checkpoint of ${checkpoint.time.toISOString()}`,
        )
    }
    isMore = page.length === pageSize
  }
  if (at.toldPruned < at.pruned) findings.push(`the entries up to ${at.pruned} were removed, and no entry tells that they were pruned`)
  return at
}

/** Where entries were pruned the chain begins with the seal of a checkpoint, whose entry is gone too. */
function startAt(at: Walk, { position, hash, entry }: SealedEntry, checkpoints: Checkpoints, findings: string[]): Walk {
  const isPruned = entry === null && checkpoints.has(position)
  if (!isPruned) findings.push(`the entries before ${position} were removed, and no checkpoint tells that they were pruned`)
  return { ...at, first: position, last: position, hash, pruned: isPruned ? position : 0n }
}

function goTo(at: Walk, { position, hash, entry, entry_id: id }: SealedEntry, findings: string[]): Walk {
  const expected = at.last + 1n
  if (position !== expected) findings.push(`the seals from ${expected} to ${position - 1n} were removed`)
  else if (entry === null) findings.push(`entry ${id} at ${position} was removed`)
  else if (!chainHash(at.hash, position, entry).equals(hash)) findings.push(`entry ${id} at ${position} was changed, inserted or moved`)
  const toldPruned = entry?.kind === 'audit_prune' ? BigInt(entry.details.up_to ?? 0) : at.toldPruned
  return { ...at, first: at.first === 0n ? position : at.first, last: position, hash, entries: at.entries + 1, toldPruned }
}
