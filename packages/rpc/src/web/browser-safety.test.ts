import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import { ADA, AUTHORIZATION, ORIGIN, openTestDoor } from './door-for-tests.ts'

const GET_USER = '/gatehouse.user.v1.UserService/GetUser'
const REFRESH = '/gatehouse.auth.v1.SessionService/RefreshSession'
const SIGN_OUT = '/gatehouse.auth.v1.SessionService/SignOut'

interface Raw {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: string
}

// fetch keeps Origin, Cookie and Host to itself.
function ask(url: string, method: string, headers: Record<string, string | string[]>, body = ''): Promise<Raw> {
  const { promise, resolve, reject } = Promise.withResolvers<Raw>()
  const call = request(url, { method, headers }, async (response) => {
    let text = ''
    for await (const chunk of response) text += chunk
    resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text })
  })
  call.on('error', reject)
  call.end(body)
  return promise
}

const json = { 'content-type': 'application/json' }
const reasonIn = (answer: Raw) => /"reason":"([A-Z_]+)"/.exec(answer.body)?.[1]

test('an allowed origin may read answers and errors, with credentials', async () => {
  await using opened = await openTestDoor()
  for (const headers of [
    { ...AUTHORIZATION, ...json, origin: ORIGIN },
    { ...json, origin: ORIGIN },
  ]) {
    const answer = await ask(opened.url + GET_USER, 'POST', headers, JSON.stringify({ id: ADA }))
    assert.equal(answer.headers['access-control-allow-origin'], ORIGIN)
    assert.equal(answer.headers['access-control-allow-credentials'], 'true')
    assert.match(String(answer.headers['access-control-expose-headers']), /x-trace-id/)
    assert.equal(answer.headers.vary, 'Origin')
  }
})

test('no other origin may, however near it looks', async () => {
  await using opened = await openTestDoor()
  for (const origin of [
    'https://id.example.com.evil.test',
    'https://evil.test',
    'http://id.example.com',
    'https://ID.example.com',
    `${ORIGIN}:443`,
    `${ORIGIN}/`,
    'null',
    '*',
  ]) {
    const answer = await ask(opened.url + GET_USER, 'POST', { ...AUTHORIZATION, ...json, origin }, JSON.stringify({ id: ADA }))
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['access-control-allow-origin'], undefined, origin)
    assert.equal(answer.headers['access-control-allow-credentials'], undefined)
    assert.equal(answer.headers.vary, 'Origin')
  }
})

test('a preflight is answered before any handler, for what is served', async () => {
  await using opened = await openTestDoor()
  const preflight = (path: string, origin: string) =>
    ask(opened.url + path, 'OPTIONS', {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    })
  const allowed = await preflight(GET_USER, ORIGIN)
  assert.deepEqual([allowed.status, allowed.body], [204, ''])
  assert.equal(allowed.headers['access-control-allow-origin'], ORIGIN)
  assert.equal(allowed.headers['access-control-allow-methods'], 'POST, GET, HEAD, OPTIONS')
  assert.match(String(allowed.headers['access-control-allow-headers']).toLowerCase(), /content-type.*connect-timeout-ms.*authorization/)
  assert.equal(allowed.headers['access-control-max-age'], '7200')
  assert.equal((await preflight(`/api/users/${ADA}`, ORIGIN)).headers['access-control-allow-methods'], 'GET, HEAD, PATCH, DELETE, OPTIONS')
  const other = await preflight(GET_USER, 'https://evil.test')
  assert.deepEqual(
    [other.status, other.headers['access-control-allow-origin'], other.headers['access-control-allow-methods']],
    [204, undefined, undefined],
  )
  assert.equal((await preflight('/gatehouse.user.v1.UserService/ResolveUser', ORIGIN)).status, 404)
  assert.equal(opened.calls.length, 0)
})

test('a cookie is set and read for an allowed origin', async () => {
  await using opened = await openTestDoor()
  const answer = await ask(opened.url + REFRESH, 'POST', { ...json, origin: ORIGIN, cookie: 'theme=dark; __Host-session=t%2B1; x=y' }, '{}')
  assert.equal(answer.status, 200)
  assert.equal(JSON.parse(answer.body).signedIn.refreshToken, 't+1')
  assert.deepEqual(answer.headers['set-cookie'], ['__Host-session=t+1+1; Max-Age=60; Path=/; HttpOnly; Secure; SameSite=Strict'])
  const out = await ask(opened.url + SIGN_OUT, 'POST', { ...json, origin: ORIGIN }, '{}')
  assert.deepEqual(out.headers['set-cookie'], ['__Host-session=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Strict'])
})

test('a cookie does nothing from elsewhere', async () => {
  await using opened = await openTestDoor()
  const cookie = '__Host-session=t'
  for (const headers of [
    { ...json, cookie },
    { ...json, cookie, origin: 'https://evil.test' },
    { ...json, cookie, origin: 'null' },
  ]) {
    for (const path of [REFRESH, SIGN_OUT]) {
      const answer = await ask(opened.url + path, 'POST', headers, '{}')
      assert.deepEqual([answer.status, reasonIn(answer), answer.headers['set-cookie']], [403, 'ORIGIN_NOT_ALLOWED', undefined])
    }
  }
  const withToken = await ask(opened.url + REFRESH, 'POST', json, '{"refreshToken":"mine"}')
  assert.equal(JSON.parse(withToken.body).signedIn.refreshToken, 'mine', 'a call without cookies needs no origin')
})

test('two cookies of one name are not believed', async () => {
  await using opened = await openTestDoor()
  const answer = await ask(
    opened.url + REFRESH,
    'POST',
    { ...json, origin: ORIGIN, cookie: '__Host-session=planted; __Host-session=mine' },
    '{}',
  )
  assert.equal(JSON.parse(answer.body).signedIn.refreshToken, 'none')
})

test('every answer carries the headers that keep browsers from guessing', async () => {
  await using opened = await openTestDoor({
    routes: (scope) => void scope.get('/keys', (_request, reply) => reply.header('cache-control', 'max-age=60').send({})),
  })
  for (const path of [GET_USER, '/api/users/me', '/nothing', '/api/users/%zz', '/keys']) {
    const { headers } = await ask(opened.url + path, 'GET', AUTHORIZATION)
    assert.equal(headers['x-content-type-options'], 'nosniff', path)
    assert.equal(headers['referrer-policy'], 'no-referrer')
    assert.equal(headers['content-security-policy'], "default-src 'none'; frame-ancestors 'none'")
    assert.equal(headers['cache-control'], path === '/keys' ? 'max-age=60' : 'no-store')
    assert.equal(headers['x-powered-by'] ?? headers.server, undefined)
  }
})

test('the service has routes of its own beside the RPCs', async () => {
  await using opened = await openTestDoor({
    routes(scope) {
      scope.post('/own', (request, reply) => reply.send(request.body))
      scope.get('/broken', () => Promise.reject(new Error('secret detail')))
    },
  })
  assert.equal((await ask(`${opened.url}/own`, 'POST', json, '{"a":1}')).body, '{"a":1}')
  for (const [body, type] of [
    ['{', 'application/json'],
    ['{"__proto__":1}', 'application/json'],
    ['{}', 'text/plain'],
  ] as const) {
    const answer = await ask(`${opened.url}/own`, 'POST', { 'content-type': type }, body)
    assert.equal(reasonIn(answer), 'MALFORMED_REQUEST')
    assert.ok(answer.status === 400 || answer.status === 415)
  }
  const broken = await ask(`${opened.url}/broken`, 'GET', {})
  assert.deepEqual([broken.status, reasonIn(broken), broken.body.includes('secret')], [500, 'INTERNAL', false])
})

test('the source of a call is what our own proxies say', async () => {
  const forwarded = { ...AUTHORIZATION, ...json, 'x-forwarded-for': '203.0.113.66, 198.51.100.7' }
  for (const [trustedProxies, source] of [
    [[], '127.0.0.1'],
    [['127.0.0.0/8'], '198.51.100.7'],
  ] as const) {
    await using opened = await openTestDoor({ trustedProxies })
    await ask(opened.url + GET_USER, 'POST', forwarded, JSON.stringify({ id: ADA }))
    assert.equal(opened.calls[0]?.source, source)
  }
})

test('an unknown host serves nothing', async () => {
  await using opened = await openTestDoor()
  const answer = await ask(
    opened.url + GET_USER,
    'POST',
    { ...AUTHORIZATION, ...json, host: 'unknown.example.com' },
    JSON.stringify({ id: ADA }),
  )
  assert.deepEqual([answer.status, reasonIn(answer)], [404, 'NOT_SERVED'])
})

test('an origin that no browser would send, and a wildcard, are refused at start', async () => {
  for (const origin of ['*', 'https://id.example.com/', 'id.example.com', 'https://ID.example.com', 'https://id.example.com:443', 'null']) {
    await assert.rejects(openTestDoor({ allowedOrigins: [origin] }), TypeError, origin)
  }
})

test('pages have cookies at the host of their own tenant', async () => {
  const originOfHost = (host: string) => (host === 'acme.example.com' ? 'https://acme.example.com' : undefined)
  await using opened = await openTestDoor({ originOfHost })
  const refresh = (host: string, origin: string) =>
    ask(opened.url + REFRESH, 'POST', { ...json, host, origin, cookie: '__Host-session=t' }, '{}')
  assert.equal((await refresh('ACME.example.com', 'https://acme.example.com')).status, 200)
  for (const [host, origin] of [
    ['other.example.com', 'https://acme.example.com'],
    ['acme.example.com', 'https://other.example.com'],
    ['acme.example.com', 'http://acme.example.com'],
  ] as const) {
    assert.equal(reasonIn(await refresh(host, origin)), 'ORIGIN_NOT_ALLOWED', `${origin} at ${host}`)
  }
})

test('headers that frameworks listen to change nothing', async () => {
  await using opened = await openTestDoor()
  const body = JSON.stringify({ id: ADA })
  const odd = {
    'accept-version': '9.9.9',
    'x-http-method-override': 'DELETE',
    'x-forwarded-host': 'unknown.example.com',
    'x-forwarded-proto': 'https',
    'x-original-url': '/nothing',
    'x-user-id': 'somebody',
    accept: 'text/html',
    'accept-encoding': 'br',
    'if-none-match': '*',
    range: 'bytes=0-1',
  }
  const answer = await ask(opened.url + GET_USER, 'POST', { ...AUTHORIZATION, ...json, ...odd }, body)
  assert.deepEqual([answer.status, JSON.parse(answer.body).user.id], [200, ADA])
})
