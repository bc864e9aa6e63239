import { listAuditKeys, listCheckpoints } from '../../store/audit-checkpoints.ts'
import { chainAfter, strayEntries } from '../../store/audit-seals.ts'
import type { Db } from '../deps.ts'
import { type Checkpoint, readCheckpoint, readOwnCheckpoint } from './checkpoints.ts'
import { type Checkpoints, checkpointFinding, type Finding, judgeEnd, keyFinding, startOfWalk, stepOn, strayFinding } from './walk-chain.ts'

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
  const broken: string[] = []
  const found: Finding[] = []
  const checkpoints = await readCheckpoints(db, tenant, kept, { broken, found })
  let at = startOfWalk
  for (let isMore = true; isMore; ) {
    const page = await chainAfter(db, { tenant, after: at.last, limit: pageSize })
    for (const sealed of page) at = stepOn(at, sealed, checkpoints, found)
    isMore = page.length === pageSize
  }
  judgeEnd(at, checkpoints.values(), found)
  found.push(...(await strayEntries(db, tenant, { limit: straysNamed })).map(strayFinding))
  const { entries, first, last } = at
  return { findings: [...broken, ...found.map(({ sentence }) => sentence)], entries, first, last, checkpoints: checkpoints.size }
}

/** By position. What was kept elsewhere goes before what the database says now. */
async function readCheckpoints(
  db: Db,
  tenant: string,
  kept: readonly string[],
  { broken, found }: { broken: string[]; found: Finding[] },
): Promise<Checkpoints> {
  const known = new Set((await listAuditKeys(db, tenant)).map(({ kid }) => kid))
  const checkpoints = new Map<bigint, Checkpoint>()
  for (const jws of kept) {
    const checkpoint = await readCheckpoint(jws)
    if (checkpoint === undefined) broken.push(`a kept checkpoint is not one, or was changed: ${jws.slice(0, 40)}…`)
    else if (checkpoint.tenant === tenant) {
      if (!known.has(checkpoint.kid)) found.push(keyFinding(checkpoint))
      checkpoints.set(checkpoint.position, checkpoint)
    }
  }
  for (let before: bigint | undefined; ; ) {
    const rows = await listCheckpoints(db, { tenant, limit: pageSize, ...(before !== undefined && { before }) })
    for (const row of rows) {
      const checkpoint = await readOwnCheckpoint(row, known)
      if (checkpoint === undefined) found.push(checkpointFinding(row.position))
      else if (!checkpoints.has(row.position)) checkpoints.set(row.position, checkpoint)
    }
    before = rows.at(-1)?.position
    if (rows.length < pageSize) return checkpoints
  }
}
