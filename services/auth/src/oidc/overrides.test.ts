import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { commonRefusal } from '@gatehouse/rpc'
import { decodeJwt } from 'jose'
import type { Session } from 'oidc-provider'
import { clientOf } from '../../test/oidc-acts-in-memory.ts'
import { ISSUER, type TestProvider, testProvider } from '../../test/oidc-provider-for-tests.ts'
import type { EgressRequest } from '../core/egress/egress.ts'
import { logoutTeller } from './tell-logout.ts'
import { rewrite } from './tenant-request.ts'

const away = () => {
  throw commonRefusal(ErrorReason.DEPENDENCY_UNAVAILABLE, { dependency: 'user' })
}
const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const OPAQUE = (prefix: string) => new RegExp(`^${prefix}_[A-Za-z0-9_-]{43}$`)

test('the session of a browser is the row that its cookie names', async () => {
  const { provider, acts } = testProvider()
  const row = acts.openSession({ amr: ['pwd', 'otp'] })
  const session = await provider.Session.find<Session>(acts.sessions.cookieOf('default', row.id, 0))
  assert.deepEqual([session?.uid, session?.accountId, session?.acr, session?.amr], [row.id, row.userId, 'aal2', ['pwd', 'otp']])
  assert.equal((await provider.Session.findByUid(row.id))?.accountId, row.userId)
})

test('a raised session has another cookie, and the one before opens nothing', async () => {
  const { provider, acts } = testProvider()
  const row = acts.openSession()
  const cookie = acts.sessions.cookieOf('default', row.id, 0)
  row.generation = 1
  assert.equal(await provider.Session.find(cookie), undefined)
  assert.notEqual(await provider.Session.find(acts.sessions.cookieOf('default', row.id, 1)), undefined)
})

test('of a session only what the library added is written', async () => {
  const { provider, acts } = testProvider()
  const row = acts.openSession({ clients: { old: { grantId: 'g0', persistsLogout: false } } })
  const session = await provider.Session.findByUid(row.id)
  session?.grantIdFor('app', 'g1')
  await session?.save(60)
  assert.deepEqual(row.clients, { old: { grantId: 'g0', persistsLogout: false }, app: { grantId: 'g1', persistsLogout: false } })
})

test('a client knows a session by the same name for as long as it lives', async () => {
  const { provider, acts } = testProvider()
  const row = acts.openSession()
  const [one, other] = await Promise.all([provider.Session.findByUid(row.id), provider.Session.findByUid(row.id)])
  one?.ensureClientContainer('app')
  other?.ensureClientContainer('app')
  assert.equal(one?.sidFor('app'), other?.sidFor('app'))
  assert.equal(one?.sidFor('app'), acts.sessions.sidOf('default', row.id, 'app'))
})

test('a session of a person keeps its cookie, one of nobody gets another', async () => {
  const { provider, acts } = testProvider()
  const row = acts.openSession()
  const session = await provider.Session.findByUid(row.id)
  const cookie = session?.jti
  session?.resetIdentifier()
  assert.equal(session?.jti, cookie)
  const anonymous = new provider.Session()
  const before = anonymous.jti
  anonymous.resetIdentifier()
  assert.notEqual(anonymous.jti, before)
})

test('nobody is signed in without a session of ours', () => {
  const { provider } = testProvider()
  const session = new provider.Session()
  assert.throws(() => session.loginAccount({ accountId: 'ada' }), /signs in with a session/)
})

test('to sign out ends the row', async () => {
  const { provider, acts } = testProvider()
  const row = acts.openSession()
  await (await provider.Session.findByUid(row.id))?.destroy()
  assert.deepEqual(acts.calls.slice(-1), ['sessions.end'])
  assert.equal(acts.sessionRows.size, 0)
})

test('a session of nobody is written only where a form needs it', async () => {
  const { provider, acts } = testProvider()
  const session = new provider.Session()
  await session.save(60)
  assert.deepEqual(acts.calls, [])
  session.state = { secret: 'x' }
  await session.save(60)
  assert.deepEqual(acts.calls, ['records.save Session'])
})

test('grants and JWTs are named by UUIDs, opaque tokens by 256 random bits', async () => {
  const { provider, acts } = testProvider()
  const { resourceServer, client } = await resourceAndClient({ provider, acts })
  const idOf = (model: object) => (model as { generateTokenId(): string }).generateTokenId()
  assert.match(idOf(new provider.Grant()), UUID7)
  for (const make of [provider.AccessToken, provider.ClientCredentials]) {
    assert.match(idOf(new make({ client } as never)), OPAQUE('goa'))
    assert.match(idOf(new make({ client, resourceServer } as never)), UUID7)
  }
  assert.match(idOf(new provider.RefreshToken({ client } as never)), OPAQUE('gor'))
})

async function resourceAndClient({ provider, acts }: Pick<TestProvider, 'provider' | 'acts'>) {
  acts.clientRows.set('app', clientOf('app'))
  const client = await provider.Client.find('app')
  const resourceServer = new provider.ResourceServer('urn:orders', { scope: 'read', audience: 'orders', accessTokenFormat: 'jwt' })
  return { client, resourceServer }
}

test('a proof comes once', async () => {
  const { provider } = testProvider()
  const expire = Math.floor(Date.now() / 1000) + 60
  const answers = await Promise.all(Array.from({ length: 50 }, () => provider.ReplayDetection.unique('app', 'jti', expire)))
  assert.equal(answers.filter((each) => each).length, 1)
  assert.equal(await provider.ReplayDetection.unique('ap', 'pjti', expire), true)
})

test('a client proves itself with any secret that lives, and by no other', async () => {
  const { provider, acts } = testProvider()
  acts.clientRows.set('app', clientOf('app'))
  const client = await provider.Client.find('app')
  assert.equal(await client?.compareClientSecret('secret of app'), true)
  assert.equal(await client?.compareClientSecret('kept as a hash'), false)
  acts.clientRows.delete('app')
  assert.equal(await provider.Client.find('app'), undefined)
})

test('a code is used up once: of fifty at once one, and none while the user service is away', async () => {
  const { provider, acts } = testProvider()
  acts.clientRows.set('app', clientOf('app'))
  const client = await provider.Client.find('app')
  const code = new provider.AuthorizationCode({ accountId: 'ada', client } as never)
  await code.save()
  const { answer } = acts
  acts.answer = away
  await assert.rejects(code.consume(), { statusCode: 503, error: 'temporarily_unavailable' })
  assert.equal(acts.calls.includes('records.consume AuthorizationCode'), false)
  acts.answer = answer
  const ends = await Promise.allSettled(Array.from({ length: 50 }, () => code.consume()))
  assert.equal(ends.filter(({ status }) => status === 'fulfilled').length, 1)
})

test('a refresh token that is used up already is refused', async () => {
  const { provider, acts } = testProvider()
  acts.clientRows.set('app', clientOf('app'))
  const client = await provider.Client.find('app')
  const token = new provider.RefreshToken({ accountId: 'ada', client, scope: 'openid offline_access' } as never)
  await token.save()
  await token.consume()
  for (const answer of ['reused', 'gone'] as const) {
    Object.assign(acts.records, { rotate: async () => answer })
    await assert.rejects(token.consume(), { error: 'invalid_grant' })
  }
})

test('a pushed request is used up once', async () => {
  const { provider } = testProvider()
  const request = new provider.PushedAuthorizationRequest({ request: 'x' })
  await request.save(60)
  const used = request as unknown as { consume(): Promise<void> }
  await used.consume()
  await assert.rejects(used.consume(), { error: 'invalid_request_uri' })
})

test('no back-channel request leaves from a page, and none is written down outside of one', async () => {
  const { provider, acts } = testProvider({ egress: () => assert.fail('nobody is called') })
  acts.clientRows.set('app', clientOf('app'))
  const client = (await provider.Client.find('app')) as unknown as { backchannelLogout(sub: string, sid: string): Promise<void> }
  await client.backchannelLogout('ada', 'sid')
  assert.deepEqual(
    acts.calls.filter((call) => call.startsWith('logouts.')),
    [],
  )
})

test('what the library does for a back-channel logout is kept for whoever delivers it', async () => {
  const sent: { to: string; init: EgressRequest | undefined }[] = []
  const egress = async (to: string | URL, init?: EgressRequest) => {
    sent.push({ to: String(to), init })
    return new Response(null, { status: 204 })
  }
  const { provider, acts } = testProvider({ egress })
  acts.clientRows.set(
    'app',
    clientOf('app', { backchannel_logout_uri: 'https://rp.example/out', backchannel_logout_session_required: true }),
  )
  const tell = logoutTeller({ acts }, { of: async () => ({ provider, issuer: new URL(ISSUER), handle: async () => {} }) })
  const logout = { tenant: 'default', sessionId: 'session', userId: 'ada' }
  assert.equal(await tell({ ...logout, clientId: 'app' }), 'delivered')
  assert.deepEqual([sent.length, sent[0]?.to, sent[0]?.init?.method], [1, 'https://rp.example/out', 'POST'])
  assert.match(String(sent[0]?.init?.body), /^logout_token=/)
  acts.clientRows.set('quiet', clientOf('quiet'))
  for (const clientId of ['quiet', 'nobody']) assert.equal(await tell({ ...logout, clientId }), 'dropped')
  assert.equal(sent.length, 1)
})

test('a client hears of a sign-out by the id that it knows the person by', async () => {
  const bodies: string[] = []
  const egress = async (_to: string | URL, init?: EgressRequest) => {
    bodies.push(String(init?.body))
    return new Response(null, { status: 204 })
  }
  const { provider, acts } = testProvider({ egress })
  const tell = logoutTeller({ acts }, { of: async () => ({ provider, issuer: new URL(ISSUER), handle: async () => {} }) })
  const told = { backchannel_logout_uri: 'https://rp.example/out', backchannel_logout_session_required: true }
  acts.clientRows.set('pairs', clientOf('pairs', { ...told, subject_type: 'pairwise' }))
  acts.clientRows.set('plain', clientOf('plain', told))
  for (const clientId of ['pairs', 'plain']) await tell({ tenant: 'default', sessionId: 'session', userId: 'ada', clientId })
  const subjects = bodies.map((body) => decodeJwt(new URLSearchParams(body).get('logout_token') ?? '').sub)
  const pairs = acts.clientRows.get('pairs')
  assert.deepEqual(subjects, [pairs && acts.clients.subject('default', pairs, 'ada'), 'ada'])
  assert.notEqual(subjects[0], 'ada')
})

test('the answered acr is the first that was asked for and is reached', () => {
  const { provider } = testProvider()
  const acrOf = (own: string, asked: object) => {
    const context = Object.assign(Object.create(provider.OIDCContext.prototype), {
      session: { acr: own },
      claims: { id_token: { acr: asked } },
    })
    return (context as { acr: string }).acr
  }
  assert.equal(acrOf('phr', { values: ['aal2', 'aal1'] }), 'aal2')
  assert.equal(acrOf('aal1', { values: ['aal2'] }), 'aal1')
  assert.equal(acrOf('phr', { value: 'urn:unknown' }), 'phr')
  assert.equal(acrOf('aal2', {}), 'aal2')
})

test('cookies are Secure on http too, and never have a signature beside them', async () => {
  await using served = await serve(testProvider())
  const { headers } = await served.get(
    '/auth?client_id=app&response_type=code&scope=openid&redirect_uri=https%3A%2F%2Frp.example%2Fcallback&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256',
  )
  const cookies = headers.getSetCookie()
  assert.deepEqual(
    cookies.map((cookie) => cookie.split('=')[0]),
    ['__Secure-gatehouse-oidc-step', '__Secure-gatehouse-oidc-resume'],
  )
  for (const cookie of cookies) assert.match(cookie, /; samesite=lax; secure; httponly$/)
})

test('a browser whose first request is refused can go on from there', async () => {
  const opened = testProvider()
  await using served = await serve(opened)
  const answer = await served.post('/device', { user_code: 'BBBB-BBBB' }, { accept: 'text/html' })
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(await answer.text())?.[1]
  const [cookie = ''] = answer.headers.getSetCookie()
  const kept = opened.acts.kept.get(`Session ${/^__Host-gatehouse-oidc=([^;]+)/.exec(cookie)?.[1]}`)
  assert.deepEqual([answer.status, kept?.payload.state], [400, { secret: xsrf }])
  assert.deepEqual(opened.faults, [])
})

test('a wrong cookie makes nobody write anything', async () => {
  const opened = testProvider()
  await using served = await serve(opened)
  const answer = await served.get(
    '/auth?client_id=app&response_type=code&scope=openid&prompt=none&redirect_uri=https%3A%2F%2Frp.example%2Fcallback&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256',
    { cookie: '__Host-gatehouse-oidc=wrong' },
  )
  assert.match(answer.headers.get('location') ?? '', /error=login_required/)
  assert.deepEqual(
    opened.acts.calls.filter((call) => /save/.test(call)),
    [],
  )
})

test('a fault of ours is told to the log and to nobody else', async () => {
  const opened = testProvider()
  await using served = await serve(opened)
  opened.acts.clientRows.clear()
  Object.assign(opened.acts.clients, { known: () => Promise.reject(new Error('secret detail')) })
  const answer = await served.post('/token', { grant_type: 'client_credentials' })
  assert.deepEqual(
    [answer.status, (await answer.json()) as unknown],
    [500, { error: 'server_error', error_description: 'oops! something went wrong' }],
  )
  assert.match(opened.faults.join(), /secret detail/)
})

interface Served extends AsyncDisposable {
  get(path: string, headers?: Record<string, string>): Promise<Response>
  post(path: string, form: Record<string, string>, headers?: Record<string, string>): Promise<Response>
}

async function serve({ provider, acts }: TestProvider): Promise<Served> {
  acts.clientRows.set('app', clientOf('app'))
  const handle = provider.callback()
  const server = createServer((request, response) => {
    rewrite(request, (request.url ?? '').slice('/oidc'.length), new URL(ISSUER), '192.0.2.1')
    void handle(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/oidc`
  const authorization = `Basic ${btoa('app:secret of app')}`
  return {
    get: (path, headers = {}) => fetch(base + path, { redirect: 'manual', headers }),
    post: (path, form, headers = {}) =>
      fetch(base + path, { method: 'POST', headers: { authorization, ...headers }, body: new URLSearchParams(form) }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
