import { ErrorReason } from '@gatehouse/contracts/gatehouse/user/v1/error_reason_pb'
import { type LogPlace, logEnd, PlaceForgotten, readLog, requirePlace } from '@gatehouse/events'
import { pageOfPeople, peopleById } from '../../store/people-by-id.ts'
import type { UserRow } from '../../store/users.ts'
import type { Deps } from '../deps.ts'
import { refuse } from '../refuse.ts'
import { type Cursor, decodeCursor, encodeCursor } from './cursor.ts'
import { Stretch } from './stretch.ts'
import { stretchSize, type UserFeed } from './user-feed.ts'

export type WatchUsers = {
  readonly tenant: string
  /** Whose streams are counted together. */
  readonly caller: string
  /** Empty to be told everybody first. */
  readonly cursor: string
  readonly signal: AbortSignal
  /** Silence after which a message without people comes. */
  readonly heartbeatMs?: number
}

export type Told = { readonly users: readonly UserRow[]; readonly cursor: string; readonly snapshotComplete: boolean }

/**
 * Everybody in the tenant, then every change. The place in the log from which changes are told is taken before the first page of people is read, so that
 * whoever changes while pages are read is told again: no transaction is open meanwhile, and the highest version of each person is right in the end.
 */
export async function* watchUsers(
  deps: Pick<Deps, 'db'> & { readonly feed: UserFeed },
  { tenant, caller, cursor, signal, heartbeatMs = 10_000 }: WatchUsers,
): AsyncGenerator<Told> {
  using _place = deps.feed.enter(`${tenant} ${caller}`)
  try {
    const from = await begin(deps, decodeCursor(tenant, cursor))
    if (from.after !== undefined) yield* everybody(deps, tenant, { ...from, after: from.after })
    else yield { users: [], cursor: encodeCursor(tenant, from), snapshotComplete: false }
    yield* changes(deps, { tenant, place: from.place, signal, heartbeatMs })
  } catch (error) {
    if (error instanceof PlaceForgotten) throw refuse(ErrorReason.CURSOR_EXPIRED)
    throw error
  }
}

async function begin({ db }: Pick<Deps, 'db'>, cursor: Cursor | undefined): Promise<Cursor> {
  if (cursor === undefined) return { place: await logEnd(db), after: '' }
  await requirePlace(db, cursor.place)
  return cursor
}

async function* everybody(
  { db, feed }: Pick<Deps, 'db'> & { readonly feed: UserFeed },
  tenant: string,
  { place, after }: Required<Cursor>,
): AsyncGenerator<Told> {
  for (let last = after, complete = false; !complete; ) {
    const users = await feed.catchUp(() => peopleById(db, tenant, last))
    last = users.at(-1)?.id ?? last
    complete = users.length < pageOfPeople
    yield { users, cursor: encodeCursor(tenant, complete ? { place } : { place, after: last }), snapshotComplete: complete }
  }
}

async function* changes(
  deps: Pick<Deps, 'db'> & { readonly feed: UserFeed },
  { tenant, place, signal, heartbeatMs }: Required<Pick<WatchUsers, 'tenant' | 'signal' | 'heartbeatMs'>> & { place: LogPlace },
): AsyncGenerator<Told> {
  const { feed } = deps
  const told = (users: readonly UserRow[]): Told => ({ users, cursor: encodeCursor(tenant, { place: at }), snapshotComplete: false })
  let at = place
  let toldTime = performance.now()
  while (!signal.aborted) {
    const { news } = feed
    const next = await nextOf(deps, tenant, at.position)
    if (next !== undefined) at = next.end
    const silentMs = performance.now() - toldTime
    if (next !== undefined && next.users.length > 0) yield told(next.users)
    // What is not known to be the latest is no news: while the database is away, silence tells so.
    else if (silentMs >= heartbeatMs && (next !== undefined || (feed.seen?.time ?? 0) > toldTime)) yield told([])
    else {
      if (next === undefined) await feed.wait(news, Math.max(heartbeatMs - silentMs, beatMs), signal)
      continue
    }
    toldTime = performance.now()
  }
}

/** How soon a heartbeat that was not possible is tried again. */
const beatMs = 100

async function nextOf(
  { db, feed }: Pick<Deps, 'db'> & { readonly feed: UserFeed },
  tenant: string,
  position: bigint,
): Promise<{ users: readonly UserRow[]; end: LogPlace } | undefined> {
  const kept = feed.after(position)
  if (kept === undefined) return undefined
  if (kept !== 'behind') return { users: await kept.peopleOf(tenant, position), end: kept.end }
  return await feed.catchUp(async () => {
    const [first, ...rest] = await readLog(db, position, stretchSize)
    if (first === undefined) return undefined
    const stretch = new Stretch(db, [first, ...rest])
    return { users: await stretch.peopleOf(tenant, position), end: stretch.end }
  })
}
