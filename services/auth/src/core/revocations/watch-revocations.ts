import { create } from '@bufbuild/protobuf'
import { timestampFromDate } from '@bufbuild/protobuf/wkt'
import { type WatchRevocationsResponse, WatchRevocationsResponseSchema } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { ErrorReason as CommonReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { commonRefusal } from '@gatehouse/rpc'
import { databaseTime, type RevocationRow } from '../../store/revocations.ts'
import type { Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { cursorOf, overlapMs, pagesOfRevocations, type RevocationFeed, timeOfCursor } from './revocation-feed.ts'

export interface WatchRevocationsInput {
  /** Empty for everything that still matters. */
  readonly cursor: string
  readonly signal: AbortSignal
}

/** First what a verifier has to know, then each session that ends and each key that changes. A reader that falls behind is cut off rather than fed from ever more memory. */
export async function* watchRevocations(
  deps: Pick<Deps, 'db' | 'lifetimes'> & { feed: RevocationFeed },
  input: WatchRevocationsInput,
): AsyncGenerator<WatchRevocationsResponse> {
  const watcher = deps.feed.join()
  const leave = () => deps.feed.leave(watcher)
  input.signal.addEventListener('abort', leave)
  try {
    const now = await databaseTime(deps.db)
    const cursor = cursorOf(now)
    for await (const page of pagesOfRevocations(deps.db, startOf(deps, input.cursor, now))) yield messageOf(page, input.cursor, false)
    yield messageOf([], cursor, true)
    while (!input.signal.aborted) {
      const told = await watcher.next()
      if (told === undefined) break
      yield messageOf(told.rows, told.cursor, false)
    }
    if (watcher.overrun) throw commonRefusal(CommonReason.OVERLOADED, {}, { retryAfterSeconds: 1 })
  } finally {
    input.signal.removeEventListener('abort', leave)
    leave()
  }
}

function startOf(deps: Pick<Deps, 'lifetimes'>, cursor: string, now: Date): Date {
  const oldest = now.getTime() - (deps.lifetimes.accessTokenSeconds * 1000 + overlapMs)
  if (cursor === '') return new Date(oldest)
  const time = timeOfCursor(cursor)
  if (time === undefined || time < oldest || time > now.getTime() + overlapMs) throw refuse(ErrorReason.CURSOR_TOO_OLD)
  return new Date(time - overlapMs)
}

function messageOf(rows: readonly RevocationRow[], cursor: string, snapshotComplete: boolean): WatchRevocationsResponse {
  const told = (row: RevocationRow) => ({ sessionId: row.session_id, tenant: row.tenant, forgetTime: timestampFromDate(row.forget_time) })
  return create(WatchRevocationsResponseSchema, {
    revoked: rows.filter(({ generation }) => generation === null).map(told),
    raised: rows.flatMap((row) => (row.generation === null || row.is_key ? [] : [{ ...told(row), generation: row.generation }])),
    keys: rows.filter((row) => row.is_key).map((row) => ({ keyId: row.session_id, tenant: row.tenant })),
    cursor,
    snapshotComplete,
  })
}
