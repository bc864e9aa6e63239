import { create } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import type { AccessFact } from '@gatehouse/contracts/gatehouse/auth/v1/access_pb'
import { type WatchAccessResponse, WatchAccessResponseSchema } from '@gatehouse/contracts/gatehouse/auth/v1/access_service_pb'
import { ErrorReason as CommonReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { commonRefusal } from '@gatehouse/rpc'
import { listChanges } from '../../store/access-changes.ts'
import { databaseTime } from '../../store/revocations.ts'
import type { Db } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { type AccessFeed, cursorOf, overlapMs, timeOfCursor } from './access-feed.ts'
import { allFacts, factsOf } from './facts.ts'

export interface WatchAccessInput {
  /** Empty for everything. */
  readonly cursor: string
  readonly signal: AbortSignal
}

/** How far back a watch can be resumed; changes are kept for longer. */
const resumableMs = 60 * 60_000
const pageSize = 1_000

/** First what there is, or what changed since the cursor, then each change. A reader that falls behind is cut off rather than fed from ever more memory. */
export async function* watchAccess(
  { db, feed }: { readonly db: Db; readonly feed: AccessFeed },
  { cursor, signal }: WatchAccessInput,
): AsyncGenerator<WatchAccessResponse> {
  const watcher = feed.join()
  const leave = () => feed.leave(watcher)
  signal.addEventListener('abort', leave)
  try {
    const now = await databaseTime(db)
    const facts = cursor === '' ? allFacts(db) : pagesOf(await factsOf(db, await listChanges(db, startOf(cursor, now))))
    for await (const page of facts) yield create(WatchAccessResponseSchema, { facts: page, cursor })
    yield messageOf([], cursorOf(now), true)
    while (!signal.aborted) {
      const told = await watcher.next()
      if (told === undefined) break
      yield messageOf(told.rows, told.cursor, false)
    }
    if (watcher.overrun) throw commonRefusal(CommonReason.OVERLOADED, {}, { retryAfterSeconds: 1 })
  } finally {
    signal.removeEventListener('abort', leave)
    leave()
  }
}

function startOf(cursor: string, now: Date): Date {
  const time = timeOfCursor(cursor)
  if (time === undefined || time < now.getTime() - resumableMs || time > now.getTime() + overlapMs) throw refuse(ErrorReason.CURSOR_TOO_OLD)
  return new Date(time - overlapMs)
}

function* pagesOf(facts: readonly AccessFact[]): Generator<AccessFact[]> {
  for (let start = 0; start < facts.length; start += pageSize) yield facts.slice(start, start + pageSize)
}

function messageOf(facts: readonly AccessFact[], cursor: string, snapshotComplete: boolean): WatchAccessResponse {
  return create(WatchAccessResponseSchema, {
    facts: [...facts],
    cursor,
    snapshotComplete,
    asOfTime: timestampFromMs(timeOfCursor(cursor) ?? 0),
  })
}
