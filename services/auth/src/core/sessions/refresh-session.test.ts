import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Code, ConnectError } from '@connectrpc/connect'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { decodeJwt } from 'jose'
import { sql } from 'kysely'
import { type OpenedDeps, openDeps } from '../../../test/open-deps.ts'
import { refresh, refusedWith, signSomebodyIn, somebody } from '../../../test/sign-somebody-in.ts'
import { findSession } from '../../store/sessions.ts'
import { createTenant } from '../tenants/create-tenant.ts'
import { newRefreshToken } from './refresh-token.ts'

let opened: OpenedDeps
before(async () => {
  opened = await openDeps()
})
after(async () => opened[Symbol.asyncDispose]())

const invalid = refusedWith('REFRESH_TOKEN_INVALID')
const day = 86_400

async function signedIn() {
  const user = await somebody(opened)
  const { refreshToken, session } = await signSomebodyIn(opened.deps, user)
  return { user, refreshToken, sessionId: session?.id ?? '' }
}

const stateOf = async (id: string) => (await findSession(opened.deps.db, { tenant: 'default', id }))?.end_cause
const namesOf = async (id: string) => (await opened.eventsOf(id)).map((event) => event.$typeName.split('.').at(-1))

test('a refresh token is good once and gives a new pair', async () => {
  const { refreshToken, sessionId, user } = await signedIn()
  const next = await refresh(opened.deps, refreshToken)
  assert.notEqual(next.refreshToken, refreshToken)
  assert.equal(next.session?.id, sessionId)
  assert.equal(next.user?.id, user.id)
  assert.equal(decodeJwt(next.accessToken).sid, sessionId)
  assert.notEqual((await refresh(opened.deps, next.refreshToken)).refreshToken, next.refreshToken)
})

test('a repeat soon after answers the same successor', async () => {
  const { refreshToken, sessionId } = await signedIn()
  const first = await refresh(opened.deps, refreshToken)
  opened.pass(29)
  assert.equal((await refresh(opened.deps, refreshToken)).refreshToken, first.refreshToken)
  assert.equal(await stateOf(sessionId), null)
})

test('a repeat after the successor was used ends the session', async () => {
  const { refreshToken, sessionId } = await signedIn()
  const second = await refresh(opened.deps, refreshToken)
  const third = await refresh(opened.deps, second.refreshToken)
  await assert.rejects(refresh(opened.deps, refreshToken), invalid)
  assert.equal(await stateOf(sessionId), 'token_reused')
  await assert.rejects(refresh(opened.deps, third.refreshToken), invalid)
  assert.deepEqual(await namesOf(sessionId), ['SignedIn', 'RefreshTokenReused', 'SessionRevoked'])
})

test('a late repeat ends the session, with the user service away too', async () => {
  const { refreshToken, sessionId } = await signedIn()
  await refresh(opened.deps, refreshToken)
  opened.pass(31)
  opened.people.before('batchGetUsers', () => {
    throw new ConnectError('away', Code.Unavailable)
  })
  await assert.rejects(refresh(opened.deps, refreshToken), invalid)
  opened.people.before('batchGetUsers', () => {})
  assert.equal(await stateOf(sessionId), 'token_reused')
})

test('fifty refreshes at once over two pools have one successor', async () => {
  const { refreshToken, sessionId } = await signedIn()
  const replicas = [opened.replica(), opened.replica()]
  const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => refresh(replicas[i % 2] ?? opened.deps, refreshToken)))
  assert.equal(new Set(answers.map((answer) => answer.refreshToken)).size, 1)
  const rows = await opened.deps.db.selectFrom('refresh_tokens').selectAll().where('session_id', '=', sessionId).execute()
  assert.equal(rows.length, 2)
  assert.equal(rows.filter((row) => row.use_time !== null).length, 1)
  assert.equal(await stateOf(sessionId), null)
})

test('fifty thieves at once end the session once', async () => {
  const { refreshToken, sessionId } = await signedIn()
  const { refreshToken: second } = await refresh(opened.deps, refreshToken)
  await refresh(opened.deps, second)
  const replicas = [opened.replica(), opened.replica()]
  const answers = await Promise.allSettled(Array.from({ length: 50 }, (_, i) => refresh(replicas[i % 2] ?? opened.deps, refreshToken)))
  for (const answer of answers) assert.equal(answer.status === 'rejected' && answer.reason.reason, 'REFRESH_TOKEN_INVALID')
  assert.deepEqual(await namesOf(sessionId), ['SignedIn', 'RefreshTokenReused', 'SessionRevoked'])
})

test('nothing is used up while the user service is away', async () => {
  const { refreshToken } = await signedIn()
  opened.people.before('batchGetUsers', () => {
    throw new ConnectError('away', Code.Unavailable)
  })
  await assert.rejects(refresh(opened.deps, refreshToken), refusedWith('DEPENDENCY_UNAVAILABLE'))
  opened.people.before('batchGetUsers', () => {})
  opened.pass(60)
  const next = await refresh(opened.deps, refreshToken)
  assert.ok(next.refreshToken)
})

test('whoever is suspended gets nothing new', async () => {
  const { refreshToken, user } = await signedIn()
  for (const state of [User_State.SUSPENDED, User_State.DELETED, User_State.INVITED]) {
    user.state = state
    await assert.rejects(refresh(opened.deps, refreshToken), refusedWith('PERSON_CANNOT_SIGN_IN'))
  }
  user.state = User_State.ACTIVE
  assert.ok(await refresh(opened.deps, refreshToken))
})

test('no transaction is open while the user service is asked', async () => {
  const { refreshToken } = await signedIn()
  let open: unknown
  opened.people.before('batchGetUsers', async () => {
    const { rows } = await sql<{ open: bigint }>`select count(*) as open from pg_stat_activity
      where datname = current_database() and state like 'idle in transaction%'`.execute(opened.deps.db)
    open = rows[0]?.open
  })
  await refresh(opened.deps, refreshToken)
  opened.people.before('batchGetUsers', () => {})
  assert.equal(open, 0n)
})

test('a session ends when it has been idle for too long', async () => {
  const { refreshToken } = await signedIn()
  opened.pass(29 * day)
  const next = await refresh(opened.deps, refreshToken)
  opened.pass(30 * day)
  await assert.rejects(refresh(opened.deps, next.refreshToken), invalid)
})

test('a session ends in the end, however often it is refreshed, and its last token with it', async () => {
  let { refreshToken } = await signedIn()
  for (let passed = 0; passed < 88; passed += 22) {
    opened.pass(22 * day)
    ;({ refreshToken } = await refresh(opened.deps, refreshToken))
  }
  opened.pass(2 * day - 300)
  const last = await refresh(opened.deps, refreshToken)
  const { exp = 0, iat = 0 } = decodeJwt(last.accessToken)
  assert.ok(exp - iat <= 300)
  opened.pass(301)
  await assert.rejects(refresh(opened.deps, last.refreshToken), invalid)
})

test('what is no refresh token of the tenant is refused', async () => {
  const { refreshToken } = await signedIn()
  await createTenant(opened.deps, { id: 'acme', origin: 'http://acme.localhost:8080' })
  for (const token of ['', 'x', newRefreshToken(), refreshToken.slice(0, -1), `${refreshToken} `])
    await assert.rejects(refresh(opened.deps, token), invalid)
  await assert.rejects(refresh(opened.deps, refreshToken, 'acme'), invalid)
  assert.ok(await refresh(opened.deps, refreshToken))
})

test('no refresh token can be read out of the database', async () => {
  const { refreshToken } = await signedIn()
  const { refreshToken: next } = await refresh(opened.deps, refreshToken)
  const rows = await opened.deps.db.selectFrom('refresh_tokens').selectAll().execute()
  const dump = JSON.stringify(
    rows.map((row) => Object.values(row).map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value))),
  )
  for (const token of [refreshToken, next]) assert.ok(!dump.includes(token.slice(4)))
})
