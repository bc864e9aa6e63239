import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { WatchRevocationsResponse } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { transact } from '@gatehouse/postgres'
import { type OpenedDeps, openDeps } from '../../../test/open-deps.ts'
import { refusedWith, signSomebodyIn, somebody } from '../../../test/sign-somebody-in.ts'
import { insertRevocations } from '../../store/revocations.ts'
import type { Deps } from '../deps.ts'
import { revokePersonSessions } from '../sessions/revoke-person-sessions.ts'
import { revokeSessionsOfUser } from '../sessions/revoke-sessions.ts'
import { type RevocationFeedOptions, startRevocationFeed } from './revocation-feed.ts'
import { watchRevocations } from './watch-revocations.ts'

let opened: OpenedDeps
before(async () => {
  opened = await openDeps()
})
after(async () => opened[Symbol.asyncDispose]())

const tenant = 'default'

function startFeed(deps: Deps, options: Partial<RevocationFeedOptions> = {}) {
  return startRevocationFeed({ db: deps.db, log: deps.log, tokenLifeSeconds: 600, pollMs: 20, ...options })
}

async function endedSession(deps = opened.deps): Promise<string> {
  const user = await somebody(opened)
  const { session } = await signSomebodyIn(opened.deps, user)
  await revokePersonSessions(deps, { tenant, userId: user.id, cause: 'revoked' })
  return session?.id ?? ''
}

/** Reads until the condition holds. */
async function readUntil(
  messages: AsyncIterable<WatchRevocationsResponse>,
  enough: (ids: ReadonlySet<string>, last: WatchRevocationsResponse) => boolean,
): Promise<{ ids: Set<string>; last: WatchRevocationsResponse }> {
  const ids = new Set<string>()
  const reader = messages[Symbol.asyncIterator]()
  for (;;) {
    const { value, done } = await reader.next()
    if (done) throw new Error('the stream ended')
    for (const { sessionId } of value.revoked) ids.add(sessionId)
    if (enough(ids, value)) return { ids, last: value }
  }
}

test('a watch tells what ended before, then what ends in any replica', { timeout: 20_000 }, async () => {
  const before = await endedSession()
  await using feed = startFeed(opened.deps)
  const stop = new AbortController()
  const messages = watchRevocations({ ...opened.deps, feed }, { cursor: '', signal: stop.signal })
  const snapshot = await readUntil(messages, (_, last) => last.snapshotComplete)
  assert.ok(snapshot.ids.has(before))
  const later = await endedSession(opened.replica())
  await readUntil(messages, (ids) => ids.has(later))
  assert.ok(feed.list.isRevoked(later))
  assert.ok(feed.list.isRevoked(before))
  stop.abort()
  assert.equal((await messages.next()).done, true)
})

test('a watch resumes from its cursor and misses nothing', { timeout: 20_000 }, async () => {
  await using feed = startFeed(opened.deps)
  const stop = new AbortController()
  const first = watchRevocations({ ...opened.deps, feed }, { cursor: '', signal: stop.signal })
  const { last } = await readUntil(first, (_, message) => message.snapshotComplete)
  await first.return(undefined)
  const missed = await endedSession()
  const second = watchRevocations({ ...opened.deps, feed }, { cursor: last.cursor, signal: stop.signal })
  assert.ok((await readUntil(second, (_, message) => message.snapshotComplete)).ids.has(missed))
  stop.abort()
})

test('a revocation that commits late is told', { timeout: 20_000 }, async () => {
  const user = await somebody(opened)
  const { session } = await signSomebodyIn(opened.deps, user)
  await using feed = startFeed(opened.deps)
  const stop = new AbortController()
  const messages = watchRevocations({ ...opened.deps, feed }, { cursor: '', signal: stop.signal })
  await readUntil(messages, (_, last) => last.snapshotComplete)
  await transact(opened.deps.db, async (tx) => {
    await revokeSessionsOfUser(tx, opened.deps, { tenant, userId: user.id })
    // Others commit, and polls pass, while this one is still open.
    const other = await endedSession(opened.replica())
    await readUntil(messages, (ids) => ids.has(other))
  })
  await readUntil(messages, (ids) => ids.has(session?.id ?? ''))
  stop.abort()
})

test('silence is broken by heartbeats that carry a cursor', { timeout: 20_000 }, async () => {
  await using feed = startFeed(opened.deps, { heartbeatMs: 50 })
  const stop = new AbortController()
  const messages = watchRevocations({ ...opened.deps, feed }, { cursor: '', signal: stop.signal })
  const { last } = await readUntil(messages, (_, message) => message.snapshotComplete)
  const beat = await readUntil(messages, (_, message) => message.revoked.length === 0)
  assert.ok(beat.last.cursor > last.cursor)
  stop.abort()
})

test('thousands that end at once are all told, by the snapshot and live', { timeout: 30_000 }, async () => {
  const forget = new Date(Date.now() + 600_000)
  const end = async (count: number) => {
    const ids = Array.from({ length: count }, () => crypto.randomUUID())
    await insertRevocations(
      opened.deps.db,
      ids.map((id) => ({ tenant, session_id: id, forget_time: forget })),
    )
    return ids
  }
  const before = await end(2_500)
  await using feed = startFeed(opened.deps)
  const stop = new AbortController()
  const messages = watchRevocations({ ...opened.deps, feed }, { cursor: '', signal: stop.signal })
  const snapshot = await readUntil(messages, (_, last) => last.snapshotComplete)
  assert.ok(before.every((id) => snapshot.ids.has(id)))
  const live = await end(2_500)
  await readUntil(messages, (ids) => live.every((id) => ids.has(id)))
  assert.ok([...before, ...live].every((id) => feed.list.isRevoked(id)))
  stop.abort()
})

test('a reader that does not read is cut off', { timeout: 20_000 }, async () => {
  await using feed = startFeed(opened.deps, { maxPending: 2 })
  const stop = new AbortController()
  const messages = watchRevocations({ ...opened.deps, feed }, { cursor: '', signal: stop.signal })
  await readUntil(messages, (_, last) => last.snapshotComplete)
  const ended = []
  for (let i = 0; i < 3; i++) ended.push(await endedSession())
  while (!ended.every((id) => feed.list.isRevoked(id))) await new Promise((resolve) => setTimeout(resolve, 10))
  await assert.rejects(async () => {
    for await (const _ of messages);
  }, refusedWith('OVERLOADED'))
})

test('cursors that are not ours, too old or from the future are refused', async () => {
  await using feed = startFeed(opened.deps)
  const old = `r1.${(Date.now() - 3_600_000).toString(36)}`
  const future = `r1.${(Date.now() + 3_600_000).toString(36)}`
  for (const cursor of ['x', 'r1.', 'r1.%', `r1.${'z'.repeat(50)}`, old, future]) {
    const messages = watchRevocations({ ...opened.deps, feed }, { cursor, signal: AbortSignal.timeout(10_000) })
    await assert.rejects(messages.next(), refusedWith('CURSOR_TOO_OLD'), cursor)
  }
})

test('the end of the feed ends every watch', { timeout: 20_000 }, async () => {
  const feed = startFeed(opened.deps)
  const messages = watchRevocations({ ...opened.deps, feed }, { cursor: '', signal: AbortSignal.timeout(60_000) })
  await readUntil(messages, (_, last) => last.snapshotComplete)
  const end = (async () => {
    for await (const _ of messages);
  })()
  await feed[Symbol.asyncDispose]()
  await end
})
