import { setTimeout as delay } from 'node:timers/promises'
import { decodePageToken, encodePageToken, PageTokenInvalid } from '@gatehouse/postgres'
import { type AuditFilter, entriesAfter, type PlacedEntry } from '../../store/audit-entries.ts'
import { chainStart, sealAt } from '../../store/audit-seals.ts'
import type { Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'

/** Places of the chain that are looked at at once. */
const pageSize = 200

export interface WatchEntries {
  readonly tenant: string
  readonly filter: AuditFilter
  /** Empty for everything that is kept. */
  readonly cursor: string
  readonly signal: AbortSignal
  readonly pollMs?: number
  readonly heartbeatMs?: number
}

export interface ToldEntries {
  readonly entries: readonly PlacedEntry[]
  readonly cursor: string
}

/**
 * The chain from a place on, and then each entry as it is sealed. A reader takes a page when it has read the one before, so nothing is kept for it; while
 * the database is away it is told nothing, not even a heartbeat.
 */
export async function* watchEntries(
  { db }: Pick<Deps, 'db'>,
  { tenant, filter, cursor, signal, pollMs = 500, heartbeatMs = 10_000 }: WatchEntries,
): AsyncGenerator<ToldEntries> {
  const scope = `audit watch/${tenant}`
  let after = await placeOf({ db }, tenant, decodePageToken(scope, cursor))
  const encode = (): string => encodePageToken(scope, [String(after.position), after.mark])
  let toldTime = performance.now()
  while (!signal.aborted) {
    const { entries, end, endHash } = await entriesAfter(db, { tenant, filter, after: after.position, limit: pageSize })
    const isFull = end - after.position === BigInt(pageSize)
    if (endHash !== null) after = { position: end, mark: markOf(endHash) }
    if (entries.length > 0 || performance.now() - toldTime >= heartbeatMs) {
      yield { entries, cursor: encode() }
      toldTime = performance.now()
    }
    if (!isFull) await delay(pollMs, undefined, { signal }).catch(() => {})
  }
}

interface Place {
  readonly position: bigint
  /** Of the seal that stands there, so that a place in a chain that was set back by a restore is not taken for one in its successor. */
  readonly mark: string
}

/** Refuses a place behind which something was pruned, and one of another chain. */
async function placeOf({ db }: Pick<Deps, 'db'>, tenant: string, key: readonly string[] | undefined): Promise<Place> {
  const start = await chainStart(db, tenant)
  if (key === undefined) return { position: start, mark: '' }
  const [position = '', mark = ''] = key
  if (!/^\d{1,18}$/.test(position)) throw new PageTokenInvalid('not a place in the chain')
  const place = { position: BigInt(position), mark }
  if (place.position < start) throw refuse(ErrorReason.CURSOR_TOO_OLD)
  if (place.mark === '') return place
  const seal = await sealAt(db, { tenant, position: place.position })
  if (seal === undefined || markOf(seal.hash) !== mark) throw refuse(ErrorReason.CURSOR_TOO_OLD)
  return place
}

const markOf = (hash: Uint8Array): string => Buffer.from(hash.subarray(0, 6)).toString('hex')
