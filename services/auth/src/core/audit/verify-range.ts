import { decodePageToken, encodePageToken, PageTokenInvalid } from '@gatehouse/postgres'
import { type CheckpointRow, checkpointsBetween, listAuditKeys } from '../../store/audit-checkpoints.ts'
import { chainAfter, lastSeals, type SealedEntry, sealAt, strayEntries } from '../../store/audit-seals.ts'
import type { Db } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { beginning } from './chain.ts'
import { type Checkpoint, readCheckpoint, readOwnCheckpoint } from './checkpoints.ts'
import { checkpointFinding, type Finding, judgeEnd, keyFinding, startOfWalk, stepOn, strayFinding, type Walk } from './walk-chain.ts'

const pageSize = 1_000
/** What one call looks at. */
const bounds = { entries: 10_000, milliseconds: 2_000 }

export interface VerifyRange {
  readonly tenant: string
  /** 0 for the beginning. */
  readonly from: bigint
  /** 0 for the end. */
  readonly until: bigint
  /** Kept elsewhere. */
  readonly kept: readonly string[]
  readonly cursor: string
  readonly signal?: AbortSignal
  /** Less than what a call looks at otherwise, for tests. */
  readonly mostEntries?: number
}

export interface RangeVerified {
  readonly verifiedUntil: bigint
  readonly firstBreak?: Finding
  readonly entries: number
  readonly checkpoints: number
  readonly nextCursor: string
}

/** Where a verification stands between two calls. */
interface Place {
  readonly at: Walk
  /** Entries beside the chain were looked for up to this time; undefined for none yet. */
  readonly covered: Date | undefined
}

/** Computes a part of the range anew: up to the first break, the end of the range, or what one call looks at. */
export async function verifyRange(db: Db, input: VerifyRange): Promise<RangeVerified> {
  const { tenant, from, until, signal, mostEntries = bounds.entries } = input
  const scope = `audit verify/${tenant}/${from}/${until}`
  const kids = new Set((await listAuditKeys(db, tenant)).map(({ kid }) => kid))
  const kept = await readKept(tenant, input.kept)
  let place = await placeOf(db, tenant, from, decodePageToken(scope, input.cursor))
  const began = performance.now()
  let [entries, checkpoints] = [0, 0]
  for (;;) {
    const left = until === 0n ? pageSize : Number(until - place.at.last)
    const limit = Math.max(0, Math.min(pageSize, left, mostEntries - entries))
    const page = limit === 0 ? [] : await chainAfter(db, { tenant, after: place.at.last, limit })
    const found: Finding[] = []
    const upTo = page.at(-1)?.position ?? place.at.last
    const own = await readOwn(await checkpointsBetween(db, { tenant, after: place.at.last, upTo, limit: pageSize }), { kids, found })
    const known = new Map([...own, ...kept])
    for (const each of kept.values()) if (!kids.has(each.kid) && isWithin(page, each.position)) found.push(keyFinding(each))
    const isLast = page.length < limit || (until > 0n && upTo >= until)
    if (page.length < limit) found.push(...(await endsBefore(db, tenant, until > 0n ? until : from - 1n)))
    const next = await walkOn(db, { tenant, place, page, kids, known, found, isEnd: isLast && until === 0n })
    entries += next.at.entries - place.at.entries
    checkpoints += page.filter(({ position }) => known.has(position)).length
    const [firstBreak] = found.toSorted(inOrder)
    if (firstBreak) return { verifiedUntil: goodUntil(firstBreak, next.at), firstBreak, entries, checkpoints, nextCursor: '' }
    place = next
    if (isLast) return { verifiedUntil: place.at.last, entries, checkpoints, nextCursor: '' }
    const isEnough = entries >= mostEntries || performance.now() - began > bounds.milliseconds || signal?.aborted
    if (isEnough) return { verifiedUntil: place.at.last, entries, checkpoints, nextCursor: write(scope, place) }
  }
}

/** Whoever names a place has seen it, or was told of it: where the chain ends before that, its end was cut off. */
async function endsBefore(db: Db, tenant: string, asked: bigint): Promise<Finding[]> {
  const [end] = await lastSeals(db, [tenant])
  const last = end?.position ?? 0n
  if (last >= asked) return []
  const sentence = `the chain ends at ${last}, before ${asked}, up to which it was to be verified`
  return [{ problem: 'END_REMOVED', position: last + 1n, sentence }]
}

interface PageOfChain {
  readonly tenant: string
  readonly page: readonly SealedEntry[]
  /** Keys that sign checkpoints of the tenant. */
  readonly kids: ReadonlySet<string>
  readonly found: Finding[]
}

async function walkOn(
  db: Db,
  given: PageOfChain & { place: Place; known: ReadonlyMap<bigint, Checkpoint>; isEnd: boolean },
): Promise<Place> {
  const { tenant, place, page, kids, known, found, isEnd } = given
  let { at } = place
  for (const sealed of page) at = stepOn(at, sealed, known, found)
  if (isEnd) {
    const beyond = await readOwn(await checkpointsBetween(db, { tenant, after: at.last, limit: 1 }), { kids, found })
    judgeEnd(at, [...known.values(), ...beyond.values()], found)
  }
  const times = page.flatMap(({ entry }) => (entry === null ? [] : [entry.time.getTime()]))
  const upTo = new Date(Math.max(place.covered?.getTime() ?? Number.NEGATIVE_INFINITY, ...times))
  // A page without an entry that is there has no time either.
  const hasTime = !Number.isNaN(upTo.getTime())
  if (!hasTime && !isEnd) return { at, covered: undefined }
  const window = { after: place.covered ?? null, upTo: isEnd ? null : upTo, limit: 1 }
  found.push(...(await strayEntries(db, tenant, window)).map(strayFinding))
  return { at, covered: hasTime ? upTo : undefined }
}

/** What the database's checkpoints say; those that were changed are added to `found`. */
async function readOwn(
  rows: readonly CheckpointRow[],
  { kids, found }: Pick<PageOfChain, 'kids' | 'found'>,
): Promise<Map<bigint, Checkpoint>> {
  const checkpoints = new Map<bigint, Checkpoint>()
  for (const row of rows) {
    const checkpoint = await readOwnCheckpoint(row, kids)
    if (checkpoint === undefined) found.push(checkpointFinding(row.position))
    else checkpoints.set(row.position, checkpoint)
  }
  return checkpoints
}

/** What the caller kept has to be checkpoints of this tenant, whoever signed them. */
async function readKept(tenant: string, kept: readonly string[]): Promise<Map<bigint, Checkpoint>> {
  const read = await Promise.all(kept.map(readCheckpoint))
  return new Map(
    read.map((checkpoint, index) => {
      if (checkpoint?.tenant !== tenant) throw refuse(ErrorReason.AUDIT_CHECKPOINT_INVALID, { index: String(index) })
      return [checkpoint.position, checkpoint] as const
    }),
  )
}

const isWithin = (page: readonly SealedEntry[], position: bigint): boolean =>
  position >= (page[0]?.position ?? 0n) && position <= (page.at(-1)?.position ?? -1n)

/** The first place first; what has no place is last. */
const inOrder = (one: Finding, other: Finding): number => Number(orderOf(one) - orderOf(other))
const orderOf = ({ position }: Finding): bigint => (position === 0n ? 2n ** 62n : position)

function goodUntil({ problem, position }: Finding, at: Walk): bigint {
  if (problem === 'BEGINNING_REMOVED') return 0n
  return position === 0n ? at.last : position - 1n
}

/** Where a call begins: at the beginning, behind the seal before the range, or where the call before ended. */
async function placeOf(db: Db, tenant: string, from: bigint, key: readonly string[] | undefined): Promise<Place> {
  if (key !== undefined) return await placeAgain(db, tenant, key)
  if (from <= 1n) return { at: startOfWalk, covered: undefined }
  const before = await sealAt(db, { tenant, position: from - 1n })
  const [first] = await chainAfter(db, { tenant, after: from - 1n, limit: 1 })
  const covered = new Date(first?.entry ? first.entry.time.getTime() - 1 : Date.now())
  // Without the seal before it the range begins where the chain does: as what was pruned, or as what was removed.
  if (before === undefined) return { at: { ...startOfWalk, last: from - 1n }, covered }
  return { at: { ...startOfWalk, first: from, last: from - 1n, hash: before.hash }, covered }
}

function write(scope: string, { at, covered }: Place): string {
  const { first, last, hash, pruned, toldPruned } = at
  const numbers = [first, last, pruned, toldPruned].map(String)
  return encodePageToken(scope, [...numbers, Buffer.from(hash).toString('base64url'), String(covered?.getTime() ?? '')])
}

/** Whoever makes a cursor up deceives themselves only; it has to name a seal that is there, so that nothing was removed or pruned there meanwhile. */
async function placeAgain(db: Db, tenant: string, key: readonly string[]): Promise<Place> {
  const [hash = '', coveredMs = ''] = key.slice(4)
  const numbers = key.slice(0, 4)
  const isRight = numbers.length === 4 && numbers.every((each) => /^\d{1,18}$/.test(each)) && /^(\d{1,15})?$/.test(coveredMs)
  const bytes = Buffer.from(hash, 'base64url')
  if (!isRight || bytes.length !== beginning.length) throw new PageTokenInvalid('not a place in a verification')
  const [first = 0n, last = 0n, pruned = 0n, toldPruned = 0n] = numbers.map(BigInt)
  const seal = await sealAt(db, { tenant, position: last })
  if (seal === undefined || !bytes.equals(seal.hash)) throw refuse(ErrorReason.CURSOR_TOO_OLD)
  return {
    at: { first, last, hash: bytes, entries: 0, pruned, toldPruned },
    covered: coveredMs === '' ? undefined : new Date(Number(coveredMs)),
  }
}
