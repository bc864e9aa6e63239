import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Code } from '@connectrpc/connect'
import { PasskeyService } from '@gatehouse/contracts/gatehouse/auth/v1/passkey_service_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { SuspicionKind } from '@gatehouse/contracts/gatehouse/auth/v1/suspicion_pb'
import { type User, User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import type { App } from '@gatehouse/service'
import { refused } from '@gatehouse/testkit'
import { sql } from 'kysely'
import { createHashPool } from '../src/core/passwords/hash-pool.ts'
import { insertCredential } from '../src/store/credentials.ts'
import { type Browser, openBrowser } from './browser.ts'
import { openStory, type Story } from './open-story.ts'
import { passkeyOwner } from './passkey-owner.ts'
import { suspicionsIn, toldOf } from './told-suspicions.ts'

const password = 'correct horse battery'
let story: Story
let replicas: readonly [App, App]
let passwordHash: string
before(async () => {
  story = await openStory()
  const behindProxy = { TRUSTED_PROXIES: '127.0.0.1' }
  replicas = await Promise.all([story.startReplica(behindProxy), story.startReplica(behindProxy)])
  passwordHash = await createHashPool().hash(password)
})
after(async () => story[Symbol.asyncDispose]())

let counter = 0
async function somebody(state: User_State = User_State.ACTIVE): Promise<User> {
  const user = story.people.add('default', { email: `suspicion-${++counter}@example.com`, state })
  await insertCredential(story.db, { tenant: 'default', userId: user.id, passwordHash, time: new Date() })
  return user
}

const browserAt = (replica: 0 | 1 = 0): Browser => openBrowser(replicas[replica].ports.web)

async function signIn(browser: Browser, email: string, source: string, given = password): Promise<string | undefined> {
  const answer = await browser.call('SessionService/SignIn', { email, password: given, useCookie: true }, { 'x-forwarded-for': source })
  return answer.reason
}

/** So much later for whatever is told of the person, and not for anything else. */
async function mayBeToldAgain({ id }: User): Promise<void> {
  await sql`update suspicion_marks set until_time = now() where subject = ${id}`.execute(story.db)
}

test('a sign-in on a new device from a new network is told as one, once in an hour over both replicas; the very first one and those of a known device are not', async () => {
  const user = await somebody()
  const own = browserAt()
  await signIn(own, user.email, '192.0.2.7')
  // The own device, in the same coarse network.
  await signIn(own, user.email, '192.0.2.200')
  assert.deepEqual(await toldOf(story.db, user.id), [])

  await Promise.all(([0, 1, 0, 1] as const).map((replica) => signIn(browserAt(replica), user.email, '198.51.100.9')))
  assert.deepEqual(await toldOf(story.db, user.id), ['NEW_DEVICE NEW_NETWORK +'])
  const [told] = (await suspicionsIn(story.db)).filter(({ userId }) => userId === user.id)
  const { rows } = await sql<{ user_id: string }>`select user_id from sessions where id = ${told?.sessionId ?? ''}`.execute(story.db)
  assert.deepEqual(rows, [{ user_id: user.id }])

  await mayBeToldAgain(user)
  await signIn(own, user.email, '192.0.2.7')
  assert.equal((await toldOf(story.db, user.id)).length, 1)
  await signIn(own, user.email, '203.0.113.5')
  await mayBeToldAgain(user)
  await signIn(browserAt(1), user.email, '192.0.2.7')
  assert.deepEqual((await toldOf(story.db, user.id)).slice(1), ['NEW_NETWORK +', 'NEW_DEVICE +'])
})

test('where people signed in from is known when their sessions are gone', async () => {
  const user = await somebody()
  await signIn(browserAt(), user.email, '192.0.2.7')
  await sql`delete from sessions where user_id = ${user.id}`.execute(story.db)
  await signIn(browserAt(), user.email, '192.0.2.7')
  assert.deepEqual(await toldOf(story.db, user.id), ['NEW_DEVICE +'])
})

test('more than twenty sign-ins within a minute over two replicas are told once, and twenty are not', async () => {
  const user = await somebody()
  const browsers = [browserAt(0), browserAt(1)] as const
  await signIn(browsers[0], user.email, '192.0.2.7')
  browsers[1].device = browsers[0].device
  for (let times = 1; times < 20; times++) await signIn(browsers[times % 2 === 0 ? 0 : 1], user.email, '192.0.2.7')
  assert.deepEqual(await toldOf(story.db, user.id), [])
  await Promise.all(([0, 1, 0] as const).map((at) => signIn(browsers[at], user.email, '192.0.2.7')))
  assert.deepEqual(await toldOf(story.db, user.id), ['IMPOSSIBLE_RATE +'])
})

test('whoever tries a suspended account is answered like anybody, with the right password and a wrong one, and it is told once without a mail', async () => {
  const suspended = await somebody(User_State.SUSPENDED)
  const active = await somebody()
  const answers = [
    await signIn(browserAt(), suspended.email, '192.0.2.30'),
    await signIn(browserAt(), suspended.email, '192.0.2.31', 'wrong horse battery'),
    await signIn(browserAt(), active.email, '192.0.2.32', 'wrong horse battery'),
    await signIn(browserAt(1), 'nobody@example.com', '192.0.2.33'),
  ]
  assert.deepEqual(answers, Array(4).fill('EMAIL_OR_PASSWORD_WRONG'))
  assert.deepEqual(await toldOf(story.db, suspended.id), ['SUSPENDED_ACCOUNT_TRIED'])
  assert.deepEqual(await toldOf(story.db, active.id), [])
})

test('a source that fails at many accounts, over two replicas and in one IPv6 /64, is told once and its victims are not; whose account it gets into is asked', async () => {
  const [victim, other] = await Promise.all([somebody(), somebody()])
  const sprayed = () => suspicionsIn(story.db).then((all) => all.filter(({ kinds }) => kinds.includes(SuspicionKind.MANY_ACCOUNTS)))
  const source = (at: number) => `2001:db8:5:5::${at.toString(16)}`
  const guess = (at: number, email = `sprayed-${at}@example.com`) => signIn(browserAt(at % 2 === 0 ? 0 : 1), email, source(at), 'wrong')
  for (let at = 0; at < 15; at++) await guess(at)
  // The same accounts again and again are not more accounts.
  for (let at = 0; at < 15; at++) await guess(at)
  await signIn(browserAt(), other.email, source(99))
  assert.deepEqual(await sprayed(), [])

  await Promise.all([15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25].map((at) => guess(at)))
  assert.deepEqual(
    (await sprayed()).map(({ userId, challengeId }) => [userId, challengeId]),
    [['', '']],
  )
  await signIn(browserAt(1), victim.email, source(77))
  assert.deepEqual(await toldOf(story.db, victim.id), ['MANY_ACCOUNTS +'])
  assert.deepEqual(await toldOf(story.db, other.id), [])
  // Whoever has such a neighbour, and comes from their own device, is not asked.
  await signIn(browserAt(), other.email, '192.0.2.60')
  assert.equal((await sprayed()).length, 2)
})

test('people who mistype and then get in share a source without suspicion', async () => {
  const people = await Promise.all(Array.from({ length: 24 }, () => somebody()))
  const before = (await suspicionsIn(story.db)).length
  for (const [at, { email }] of people.entries()) {
    await signIn(browserAt(at % 2 === 0 ? 0 : 1), email, '203.0.113.99', 'mistyped')
    assert.equal(await signIn(browserAt(), email, '203.0.113.99'), undefined)
  }
  assert.equal((await suspicionsIn(story.db)).length, before)
})

test('a passkey is judged as a password is, and leaves a device token', async () => {
  const owner = await passkeyOwner(story)
  const { authenticator } = await owner.register()
  assert.deepEqual(await toldOf(story.db, owner.user.id), [])
  const passkeys = await story.grpc(PasskeyService)
  const signInBy = async (browser: Browser) => {
    const { attemptId, optionsJson } = await passkeys.beginPasskeySignIn({})
    const body = { attemptId, passkeyJson: authenticator.assert(optionsJson), useCookie: true }
    return (await browser.call('PasskeyService/CompletePasskeySignIn', body, { 'x-forwarded-for': '127.0.0.1' })).status
  }
  const browser = browserAt()
  assert.equal(await signInBy(browser), 200)
  assert.deepEqual(await toldOf(story.db, owner.user.id), ['NEW_DEVICE +'])
  await mayBeToldAgain(owner.user)
  assert.equal(await signInBy(browser), 200)
  assert.equal((await toldOf(story.db, owner.user.id)).length, 1)
  assert.equal(await signInBy(browserAt(1)), 200)
  assert.equal((await toldOf(story.db, owner.user.id)).length, 2)

  owner.user.state = User_State.SUSPENDED
  assert.equal(await signInBy(browser), 403)
  assert.deepEqual((await toldOf(story.db, owner.user.id)).slice(2), ['SUSPENDED_ACCOUNT_TRIED'])
})

test('a refresh token that comes back is told, and its person asked', async () => {
  const user = await somebody()
  const sessions = await story.grpc(SessionService, {}, undefined, replicas[0])
  const { result } = await sessions.signIn({ email: user.email, password })
  assert.equal(result.case, 'signedIn')
  const first = result.value.refreshToken
  const { signedIn: second } = await sessions.refreshSession({ refreshToken: first })
  await sessions.refreshSession({ refreshToken: second?.refreshToken ?? '' })
  assert.deepEqual(await toldOf(story.db, user.id), [])
  await refused(sessions.refreshSession({ refreshToken: first }), Code.Unauthenticated, 'REFRESH_TOKEN_INVALID')
  assert.deepEqual(await toldOf(story.db, user.id), ['REFRESH_TOKEN_REUSED +'])
})

test('what was told is on record and counted, and a kind that was not is at zero', async () => {
  const { rows } = await sql<{ kinds: string }>`
    select distinct details->>'kinds' as kinds from audit_entries where kind = 'suspicious_activity' order by kinds`.execute(story.db)
  const kinds = rows.map((row) => row.kinds)
  for (const kind of ['new_device new_network', 'impossible_rate', 'many_accounts', 'suspended_account_tried', 'refresh_token_reused'])
    assert.ok(kinds.includes(kind), kind)
  const exposed = await (await fetch(`http://127.0.0.1:${replicas[0].ports.metrics}/metrics`)).text()
  assert.match(exposed, /gatehouse_suspicions_total\{kind="new_network"[^}]*\} [1-9]/)
  assert.match(exposed, /gatehouse_suspicions_total\{kind="password_guessed"[^}]*\} 0/)
})
