import type { SealedEntry } from '../../store/audit-seals.ts'
import { beginning, chainHash } from './chain.ts'
import type { Checkpoint } from './checkpoints.ts'

/** What can be wrong with the log; the names of `gatehouse.auth.v1.AuditProblem`. */
export type Problem =
  | 'ENTRY_CHANGED'
  | 'ENTRY_REMOVED'
  | 'SEALS_REMOVED'
  | 'ENTRY_INSERTED'
  | 'BEGINNING_REMOVED'
  | 'END_REMOVED'
  | 'CHECKPOINT_CHANGED'
  | 'CHECKPOINT_KEY_UNKNOWN'
  | 'CHAIN_REPLACED'

/** Something that is not as it was. */
export interface Finding {
  readonly problem: Problem
  /** Its place in the chain; 0 where it has none. */
  readonly position: bigint
  readonly entryId?: string
  readonly sentence: string
}

/** By position. */
export type Checkpoints = ReadonlyMap<bigint, Checkpoint>

/** What the walk stands on: the seal before, and what it has seen so far. */
export interface Walk {
  /** The first place that is kept; 0 before it is known. */
  readonly first: bigint
  readonly last: bigint
  readonly hash: Uint8Array
  readonly entries: number
  /** The checkpoint up to which entries were pruned, and what the chain itself tells of that. */
  readonly pruned: bigint
  readonly toldPruned: bigint
}

export const startOfWalk: Walk = { first: 0n, last: 0n, hash: beginning, entries: 0, pruned: 0n, toldPruned: 0n }

/** One place further; what is wrong there is added to `found`. */
export function stepOn(at: Walk, sealed: SealedEntry, checkpoints: Checkpoints, found: Finding[]): Walk {
  const isStart = at.first === 0n && sealed.position !== 1n
  const next = isStart ? startAt(at, sealed, checkpoints, found) : goTo(at, sealed, found)
  const checkpoint = checkpoints.get(sealed.position)
  if (checkpoint !== undefined && checkpoint.hash !== Buffer.from(sealed.hash).toString('base64url')) {
    const sentence = `the chain was computed anew: at ${sealed.position} it is another than at the checkpoint of ${checkpoint.time.toISOString()}`
    found.push({ problem: 'CHAIN_REPLACED', position: sealed.position, sentence })
  }
  return next
}

/** Where entries were pruned the chain begins with the seal of a checkpoint, whose entry is gone too. */
function startAt(at: Walk, { position, hash, entry }: SealedEntry, checkpoints: Checkpoints, found: Finding[]): Walk {
  const isPruned = entry === null && checkpoints.has(position)
  const sentence = `the entries before ${position} were removed, and no checkpoint tells that they were pruned`
  if (!isPruned) found.push({ problem: 'BEGINNING_REMOVED', position, sentence })
  return { ...at, first: position, last: position, hash, pruned: isPruned ? position : 0n }
}

function goTo(at: Walk, { position, hash, entry, entry_id: entryId }: SealedEntry, found: Finding[]): Walk {
  const expected = at.last + 1n
  if (position !== expected)
    found.push({
      problem: 'SEALS_REMOVED',
      position: expected,
      sentence: `the seals from ${expected} to ${position - 1n} were removed`,
    })
  else if (entry === null)
    found.push({ problem: 'ENTRY_REMOVED', position, entryId, sentence: `entry ${entryId} at ${position} was removed` })
  else if (!chainHash(at.hash, position, entry).equals(hash))
    found.push({
      problem: 'ENTRY_CHANGED',
      position,
      entryId,
      sentence: `entry ${entryId} at ${position} was changed, inserted or moved`,
    })
  const toldPruned = entry?.kind === 'audit_prune' ? BigInt(entry.details.up_to ?? 0) : at.toldPruned
  return { ...at, first: at.first === 0n ? position : at.first, last: position, hash, entries: at.entries + 1, toldPruned }
}

/** What only the end of the chain can tell: that it was cut off, or that its beginning went in silence. */
export function judgeEnd(at: Walk, checkpoints: Iterable<Checkpoint>, found: Finding[]): void {
  if (at.toldPruned < at.pruned)
    found.push({
      problem: 'BEGINNING_REMOVED',
      position: at.pruned,
      sentence: `the entries up to ${at.pruned} were removed, and no entry tells that they were pruned`,
    })
  for (const { position, time } of checkpoints)
    if (position > at.last)
      found.push({
        problem: 'END_REMOVED',
        position: at.last + 1n,
        sentence: `the end was cut off: the chain ends at ${at.last}, and reached ${position} at the checkpoint of ${time.toISOString()}`,
      })
}

/** An entry beside the chain. */
export const strayFinding = (entryId: string): Finding => ({
  problem: 'ENTRY_INSERTED',
  position: 0n,
  entryId,
  sentence: `entry ${entryId} was inserted, or its seal was removed: it has no place in the chain`,
})

/** A checkpoint of the database that says something else than its row, or is signed by a stranger. */
export const checkpointFinding = (position: bigint): Finding => ({
  problem: 'CHECKPOINT_CHANGED',
  position,
  sentence: `the checkpoint at ${position} was changed`,
})

/** A kept checkpoint whose key we do not know. */
export const keyFinding = ({ kid, position }: Checkpoint): Finding => ({
  problem: 'CHECKPOINT_KEY_UNKNOWN',
  position,
  sentence: `key ${kid}, which signed a kept checkpoint, is no longer in the database`,
})
