import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { encodePageToken } from '@gatehouse/postgres'
import { type OpenedDeps, openDeps } from '../../../test/open-deps.ts'
import { refresh, refusedWith, signSomebodyIn, somebody } from '../../../test/sign-somebody-in.ts'
import { cleanUp } from './clean-up.ts'
import { listSessions } from './list-sessions.ts'
import { revokePersonSessions } from './revoke-person-sessions.ts'
import { revokeSession } from './revoke-session.ts'
import { signOut } from './sign-out.ts'

let opened: OpenedDeps
before(async () => {
  opened = await openDeps()
})
after(async () => opened[Symbol.asyncDispose]())

const tenant = 'default'
const invalid = refusedWith('REFRESH_TOKEN_INVALID')

async function sessionsOf(userId: string, page: { pageSize?: number; pageToken?: string; currentSessionId?: string } = {}) {
  return await listSessions(opened.deps, { tenant, userId, currentSessionId: '', pageSize: 0, pageToken: '', ...page })
}

test('signing out ends the session of the token, and is fine twice', async () => {
  const user = await somebody(opened)
  const { refreshToken, session } = await signSomebodyIn(opened.deps, user)
  await signOut(opened.deps, { tenant, refreshToken })
  await assert.rejects(refresh(opened.deps, refreshToken), invalid)
  await signOut(opened.deps, { tenant, refreshToken })
  await signOut(opened.deps, { tenant, refreshToken: 'unknown' })
  const events = await opened.eventsOf(session?.id ?? '')
  assert.deepEqual(
    events.map((event) => event.$typeName),
    ['gatehouse.auth.v1.SignedIn', 'gatehouse.auth.v1.SessionRevoked'],
  )
})

test('sessions are listed last used first, page by page, with the own one marked', async () => {
  const user = await somebody(opened)
  const opens = []
  for (let i = 0; i < 5; i++) {
    opened.pass(1)
    opens.push(await signSomebodyIn(opened.deps, user))
  }
  opened.pass(1)
  await refresh(opened.deps, opens[0]?.refreshToken ?? '')
  const ids = opens.map(({ session }) => session?.id ?? '')
  const expected = [ids[0], ids[4], ids[3], ids[2], ids[1]]

  const all = await sessionsOf(user.id, { currentSessionId: ids[3] ?? '' })
  assert.deepEqual(
    all.sessions.map((session) => session.id),
    expected,
  )
  assert.deepEqual(
    all.sessions.map((session) => session.current),
    [false, false, true, false, false],
  )
  assert.equal(all.nextPageToken, '')

  const paged = []
  let pageToken = ''
  do {
    const page = await sessionsOf(user.id, { pageSize: 2, pageToken })
    paged.push(...page.sessions.map((session) => session.id))
    pageToken = page.nextPageToken
  } while (pageToken !== '')
  assert.deepEqual(paged, expected)
})

test('a page token is good for its owner only', async () => {
  const [one, two] = [await somebody(opened), await somebody(opened)]
  for (const user of [one, one, two, two]) await signSomebodyIn(opened.deps, user)
  const { nextPageToken } = await sessionsOf(one.id, { pageSize: 1 })
  const notOurs = { name: 'PageTokenInvalid' }
  await assert.rejects(sessionsOf(two.id, { pageSize: 1, pageToken: nextPageToken }), notOurs)
  const scope = `sessions/default/${one.id}`
  for (const key of [[], ['x', 'y'], ['1', 'y'], ['NaN', one.id], ['9'.repeat(99), one.id]])
    await assert.rejects(sessionsOf(one.id, { pageToken: encodePageToken(scope, key) }), notOurs)
})

test('a person ends an own session and nobody else’s', async () => {
  const [one, two] = [await somebody(opened), await somebody(opened)]
  const { session, refreshToken } = await signSomebodyIn(opened.deps, one)
  const sessionId = session?.id ?? ''
  const unknown = refusedWith('SESSION_NOT_FOUND')
  await assert.rejects(revokeSession(opened.deps, { tenant, userId: two.id, sessionId }), unknown)
  await assert.rejects(revokeSession(opened.deps, { tenant: 'acme', userId: one.id, sessionId }), unknown)
  await assert.rejects(revokeSession(opened.deps, { tenant, userId: one.id, sessionId: crypto.randomUUID() }), unknown)
  await revokeSession(opened.deps, { tenant, userId: one.id, sessionId })
  await assert.rejects(revokeSession(opened.deps, { tenant, userId: one.id, sessionId }), unknown)
  await assert.rejects(refresh(opened.deps, refreshToken), invalid)
  assert.deepEqual((await sessionsOf(one.id)).sessions, [])
})

test('every session of a person ends at once, told once each', async () => {
  const [user, other] = [await somebody(opened), await somebody(opened)]
  const opens = [await signSomebodyIn(opened.deps, user), await signSomebodyIn(opened.deps, user)]
  const spared = await signSomebodyIn(opened.deps, other)
  const replicas = [opened.deps, opened.replica()]
  const end = () => replicas.map((deps) => revokePersonSessions(deps, { tenant, userId: user.id, cause: 'revoked' }))
  const counts = await Promise.all([...end(), ...end()])
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    2,
  )
  for (const { session } of opens) assert.equal((await opened.eventsOf(session?.id ?? '')).length, 2)
  assert.ok(await refresh(opened.deps, spared.refreshToken))
})

test('what has ended is removed after a while, in batches', async () => {
  const user = await somebody(opened)
  const { refreshToken, session } = await signSomebodyIn(opened.deps, user)
  const { refreshToken: second } = await refresh(opened.deps, refreshToken)
  const rows = async () => ({
    sessions: (await opened.deps.db.selectFrom('sessions').select('id').where('user_id', '=', user.id).execute()).length,
    tokens: (
      await opened.deps.db
        .selectFrom('refresh_tokens')
        .select('tenant')
        .where('session_id', '=', session?.id ?? '')
        .execute()
    ).length,
  })
  opened.pass(8 * 86_400)
  await cleanUp(opened.deps)
  assert.deepEqual(await rows(), { sessions: 1, tokens: 1 })
  await signOut(opened.deps, { tenant, refreshToken: second })
  await cleanUp(opened.deps)
  assert.deepEqual(await rows(), { sessions: 1, tokens: 1 })
  opened.pass(8 * 86_400)
  await cleanUp(opened.deps)
  assert.deepEqual(await rows(), { sessions: 0, tokens: 0 })
})
