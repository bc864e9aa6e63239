import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Code } from '@connectrpc/connect'
import { IssuerService } from '@gatehouse/contracts/gatehouse/auth/v1/issuer_service_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import type { User } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { refused } from '@gatehouse/testkit'
import { decodeJwt } from 'jose'
import { createHashPool } from '../src/core/passwords/hash-pool.ts'
import { insertCredential } from '../src/store/credentials.ts'
import { openBrowser } from './browser.ts'
import { openStory, type Story } from './open-story.ts'
import { until } from './until.ts'

let story: Story
let passwordHash: string
before(async () => {
  story = await openStory()
  passwordHash = await createHashPool().hash(password)
})
after(async () => story[Symbol.asyncDispose]())

const password = 'correct horse battery'
const cookieName = '__Host-gatehouse-refresh'

let counter = 0
async function somebody(): Promise<User> {
  const user = story.people.add('default', { email: `story-${++counter}@example.com` })
  await insertCredential(story.db, { tenant: 'default', userId: user.id, passwordHash, time: new Date() })
  return user
}

async function signedIn(user?: User) {
  const { email } = user ?? (await somebody())
  const sessions = await story.grpc(SessionService)
  const { result } = await sessions.signIn({ email, password })
  assert.equal(result.case, 'signedIn')
  return result.value as Extract<typeof result, { case: 'signedIn' }>['value']
}

const bearer = (accessToken: string) => ({ authorization: `Bearer ${accessToken}` })

test('a person signs in over gRPC, is known by the token and ends the session', async () => {
  const user = await somebody()
  const { accessToken, refreshToken, session } = await signedIn(user)
  const sessions = await story.grpc(SessionService, bearer(accessToken))
  const listed = await sessions.listSessions({})
  assert.deepEqual(
    listed.sessions.map(({ id, current }) => ({ id, current })),
    [{ id: session?.id, current: true }],
  )
  await sessions.revokeSession({ sessionId: session?.id ?? '' })
  await until(() =>
    sessions.listSessions({}).then(
      () => false,
      () => true,
    ),
  )
  await refused(sessions.listSessions({}), Code.Unauthenticated, 'ACCESS_TOKEN_INVALID')
  const strangers = await story.grpc(SessionService)
  await refused(strangers.refreshSession({ refreshToken }), Code.Unauthenticated, 'REFRESH_TOKEN_INVALID')
})

test('a session that ends in one replica is refused in the other', async () => {
  const replica = await story.startReplica()
  const { accessToken, refreshToken } = await signedIn()
  const elsewhere = await story.grpc(SessionService, bearer(accessToken), undefined, replica)
  assert.equal((await elsewhere.listSessions({})).sessions.length, 1)
  await (await story.grpc(SessionService)).signOut({ refreshToken })
  await until(() =>
    elsewhere.listSessions({}).then(
      () => false,
      () => true,
    ),
  )
  await refused(elsewhere.listSessions({}), Code.Unauthenticated, 'ACCESS_TOKEN_INVALID')
})

test('a browser keeps the refresh token in a cookie that no script reads', async () => {
  const { email } = await somebody()
  const browser = openBrowser(story.app.ports.web)
  const answer = await browser.call('SessionService/SignIn', { email, password, useCookie: true })
  assert.equal(answer.status, 200)
  const { refreshToken, accessToken } = answer.body.signedIn as Record<string, string>
  assert.equal(refreshToken, undefined)
  assert.equal(decodeJwt(accessToken ?? '').client_id, 'gatehouse-console')
  const [cookie = ''] = answer.cookies
  assert.match(cookie, new RegExp(`^${cookieName}=ghr_[\\w-]{43};`))
  for (const attribute of [/; Path=\//, /; HttpOnly/, /; Secure/, /; SameSite=Strict/, /; Max-Age=259\d{4}/])
    assert.match(cookie, attribute)
  assert.doesNotMatch(cookie, /Domain/i)
  assert.equal(answer.headers['cache-control'], 'no-store')

  const held = browser.cookie
  const refreshed = await browser.call('SessionService/RefreshSession')
  assert.equal(refreshed.status, 200)
  assert.equal((refreshed.body.signedIn as Record<string, string>).refreshToken, undefined)
  assert.notEqual(browser.cookie, held)

  const out = await browser.call('SessionService/SignOut')
  assert.equal(out.status, 200)
  assert.equal(browser.cookie, '')
  assert.match(out.cookies[0] ?? '', /Max-Age=0/)
  browser.cookie = held
  assert.equal((await browser.call('SessionService/RefreshSession')).reason, 'REFRESH_TOKEN_INVALID')
})

test('a cookie acts for pages of an allowed origin only', async () => {
  const { email } = await somebody()
  const browser = openBrowser(story.app.ports.web)
  await browser.call('SessionService/SignIn', { email, password, useCookie: true })
  const held = browser.cookie
  for (const origin of ['https://evil.example', 'null', 'http://localhost:8081', 'http://localhost:8080.evil.example', ''])
    for (const method of ['RefreshSession', 'SignOut']) {
      const answer = await browser.call(`SessionService/${method}`, {}, { origin })
      assert.deepEqual([answer.status, answer.reason], [403, 'ORIGIN_NOT_ALLOWED'], `${method} from ${origin}`)
      assert.deepEqual(answer.cookies, [])
    }
  const asked = await browser.call('SessionService/SignIn', { email, password, useCookie: true }, { origin: 'https://evil.example' })
  assert.equal(asked.reason, 'ORIGIN_NOT_ALLOWED')
  const form = await browser.call('SessionService/RefreshSession', {}, { 'content-type': 'text/plain' })
  assert.equal(form.status, 415)
  assert.equal(browser.cookie, held)
  assert.equal((await browser.call('SessionService/RefreshSession')).status, 200)
})

test('the cookie opens nothing else', async () => {
  const { email } = await somebody()
  const browser = openBrowser(story.app.ports.web)
  await browser.call('SessionService/SignIn', { email, password, useCookie: true })
  assert.equal((await browser.call('SessionService/ListSessions')).reason, 'CREDENTIALS_MISSING')
})

test('the gRPC door gives no cookies, and opens no session for one', async () => {
  const user = await somebody()
  const sessions = await story.grpc(SessionService)
  const attempt = sessions.signIn({ email: user.email, password, useCookie: true })
  await refused(attempt, Code.PermissionDenied, 'ORIGIN_NOT_ALLOWED')
  const rows = await story.db.selectFrom('sessions').select('id').where('user_id', '=', user.id).execute()
  assert.deepEqual(rows, [])
})

test('wrong passwords slow strangers down, whatever spelling, door and replica, and not the owner’s device', async () => {
  const user = await somebody()
  const browser = openBrowser(story.app.ports.web)
  await browser.call('SessionService/SignIn', { email: user.email, password, useCookie: true })
  await using replica = await story.startReplica()
  const [here, there] = [await story.grpc(SessionService), await story.grpc(SessionService, {}, undefined, replica)]
  const { deviceToken } = await signedIn(user)
  assert.match(deviceToken, /^ghd_/)

  const spellings = [user.email, user.email.toUpperCase(), ` ${user.email} `]
  const guesses = await Promise.allSettled(
    Array.from({ length: 24 }, (_, at) =>
      (at % 2 ? here : there).signIn({ email: spellings[at % 3] ?? '', password: `a wrong one ${at}` }),
    ),
  )
  const codes = guesses.map((each) => (each.status === 'rejected' ? each.reason.code : undefined))
  assert.equal(codes.filter((code) => code === Code.Unauthenticated).length, 10)
  assert.equal(codes.filter((code) => code === Code.ResourceExhausted).length, 14)
  const stranger = await openBrowser(story.app.ports.web).call('SessionService/SignIn', { email: user.email, password, useCookie: true })
  assert.equal(stranger.reason, 'LIMIT_EXCEEDED')

  assert.equal((await there.signIn({ email: user.email, password, deviceToken })).result.case, 'signedIn')
  assert.equal((await browser.call('SessionService/SignIn', { email: user.email, password, useCookie: true })).status, 200)
  const another = await somebody()
  await refused(
    here.signIn({ email: another.email, password: 'a wrong one', deviceToken }),
    Code.Unauthenticated,
    'EMAIL_OR_PASSWORD_WRONG',
  )
})

test('services end the sessions of a person, and nobody else does', async () => {
  const user = await somebody()
  await signedIn(user)
  const { accessToken } = await signedIn(user)
  const end = async (workload?: 'user' | 'billing', headers: Record<string, string> = {}) =>
    (await story.grpc(SessionService, { ...(workload && { 'gatehouse-tenant': 'default' }), ...headers }, workload)).revokePersonSessions({
      userId: user.id,
    })
  await refused(end(), Code.Unauthenticated, 'CREDENTIALS_MISSING')
  await refused(end('billing'), Code.PermissionDenied, 'PERMISSION_DENIED')
  await refused(end(undefined, bearer(accessToken)), Code.PermissionDenied, 'PERMISSION_DENIED')
  const browser = openBrowser(story.app.ports.web)
  assert.equal((await browser.call('SessionService/RevokePersonSessions', { userId: user.id })).status, 404)
  assert.equal((await end('user')).revokedCount, 2)
  assert.equal((await end('user')).revokedCount, 0)
})

test('workloads follow issuers and revocations', async () => {
  const issuers = await story.grpc(IssuerService, {}, 'billing')
  const [issuer] = (await issuers.listIssuers({})).issuers
  assert.deepEqual([issuer?.tenant, issuer?.origin, issuer?.jwks.length], ['default', 'http://localhost:8080', 1])
  await refused((await story.grpc(IssuerService)).listIssuers({}), Code.Unauthenticated, 'CREDENTIALS_MISSING')

  const { refreshToken, session } = await signedIn()
  const stop = new AbortController()
  const sessions = await story.grpc(SessionService, {}, 'billing')
  for await (const message of sessions.watchRevocations({}, { signal: stop.signal, timeoutMs: 0 })) {
    if (message.snapshotComplete) await (await story.grpc(SessionService)).signOut({ refreshToken })
    if (message.revoked.some(({ sessionId }) => sessionId === session?.id)) break
  }
  stop.abort()
})

test('the public keys of the tenant stand at a well-known place', async () => {
  const browser = openBrowser(story.app.ports.web)
  const { status, headers, body } = await browser.get('/.well-known/jwks.json')
  assert.equal(status, 200)
  assert.equal(headers['cache-control'], 'public, max-age=300')
  const [key] = body.keys as Record<string, string>[]
  assert.deepEqual([key?.kty, key?.crv, key?.alg, key?.use, key?.d], ['EC', 'P-256', 'ES256', 'sig', undefined])
  assert.equal((await openBrowser(story.app.ports.web, 'http://unknown.example').get('/.well-known/jwks.json')).status, 404)
})

test('a token for another service is refused here', async () => {
  const { accessToken } = await signedIn()
  await story.db.insertInto('audiences').values({ tenant: 'default', audience: 'orders' }).execute()
  const sessions = await story.grpc(SessionService, bearer(accessToken))
  const issued = await sessions.issueToken({ audience: 'orders' })
  const foreign = await story.grpc(SessionService, bearer(issued.accessToken))
  await refused(foreign.listSessions({}), Code.Unauthenticated, 'ACCESS_TOKEN_INVALID')
  await refused(sessions.issueToken({ audience: 'unknown' }), Code.InvalidArgument, 'AUDIENCE_UNKNOWN')
})
