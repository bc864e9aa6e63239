import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ADA, AUTHORIZATION, openTestDoor, type TestDoor } from './door-for-tests.ts'

const OTHER = '0190a0de-0000-7000-8000-00000000ffff'

let opened: TestDoor
before(async () => {
  opened = await openTestDoor()
})
after(() => opened[Symbol.asyncDispose]())

async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const json = body === undefined ? {} : { 'content-type': 'application/json' }
  const response = await fetch(opened.url + path, {
    method,
    headers: { ...AUTHORIZATION, ...json, ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
}

async function refused(asked: ReturnType<typeof ask>, status: number, reason: string, ...fields: string[]): Promise<void> {
  const { status: answered, body } = await asked
  const details: { type: string; debug: { reason?: string; fieldViolations?: { field?: string }[] } }[] = body.details
  const violations = details.find(({ type }) => type === 'google.rpc.BadRequest')?.debug.fieldViolations ?? []
  assert.deepEqual([answered, details[0]?.debug.reason, ...violations.map(({ field = '' }) => field)], [status, reason, ...fields])
}

test('a create answers 201 with the resource on top and its place', async () => {
  const { status, headers, body } = await ask('POST', '/api/users', { name: 'Grace', email: 'grace@example.com' })
  assert.equal(status, 201)
  assert.equal(headers.get('location'), `/api/users/${ADA}`)
  assert.deepEqual(
    [body.id, body.name, body.email, body.emailVerified, body.state],
    [ADA, 'Grace', 'grace@example.com', false, 'STATE_INVITED'],
  )
  const read = await ask('GET', headers.get('location') ?? '')
  assert.equal(read.status, 200)
  assert.equal(read.body.id, ADA)
  assert.equal(read.headers.get('location'), null)
})

test('wrong input answers 400 with every field, a body that does not decode with its first', async () => {
  await refused(ask('POST', '/api/users', {}), 400, 'INVALID_REQUEST', 'name', 'email')
  await refused(ask('POST', '/api/users', { name: 'x', email: 'x', requestId: 'x' }), 400, 'INVALID_REQUEST', 'email', 'requestId')
  await refused(ask('POST', '/api/users', { name: 1, email: 2 }), 400, 'MALFORMED_REQUEST', 'name')
  await refused(ask('POST', '/api/users', { name: 'x', admin: true }), 400, 'MALFORMED_REQUEST', 'admin')
  for (const body of ['', '[]', 'null', '{']) await refused(ask('POST', '/api/users', body), 400, 'MALFORMED_REQUEST', '')
})

test('the path fills the request, and the body may only agree with it', async () => {
  assert.equal((await ask('PATCH', `/api/users/${ADA}`, { name: 'Grace' })).body.name, 'Grace')
  assert.equal((await ask('PATCH', `/api/users/${ADA}`, { id: ADA, name: 'Grace' })).body.id, ADA)
  assert.equal((await ask('PATCH', `/api/users/${ADA}`, {})).body.name, 'unchanged')
  await refused(ask('PATCH', `/api/users/${ADA}`, { id: OTHER, name: 'Grace' }), 400, 'MALFORMED_REQUEST', 'id')
  await refused(ask('PATCH', `/api/users/${ADA}`, { id: null }), 400, 'MALFORMED_REQUEST', 'id')
  await refused(ask('PATCH', `/api/users/${ADA}`, ''), 400, 'MALFORMED_REQUEST', '')
  await refused(ask('GET', '/api/users/nobody'), 400, 'INVALID_REQUEST', 'id')
  await refused(ask('GET', `/api/users/${OTHER}`), 404, 'USER_NOT_FOUND')
})

test('a literal path goes before a variable, and a verb after it', async () => {
  assert.equal((await ask('GET', '/api/users/me')).body.id, ADA)
  assert.equal((await ask('POST', `/api/users/${ADA}:suspend`)).body.state, 'STATE_SUSPENDED')
  assert.equal((await ask('POST', `/api/users/${ADA}:suspend`, {})).body.state, 'STATE_SUSPENDED')
  assert.equal((await ask('POST', '/api/users:search', { query: 'gr' })).body.users[0].name, 'gr')
  await refused(ask('POST', `/api/users/${ADA}:promote`, {}), 404, 'NOT_SERVED')
  await refused(ask('GET', `/api/users/${ADA}:suspend`), 405, 'NOT_SERVED')
  await refused(ask('POST', '/api/users/me', {}), 405, 'NOT_SERVED')
  await refused(ask('GET', '/api/users/%zz'), 400, 'MALFORMED_REQUEST', '')
  await refused(ask('GET', `/api/users/${'a'.repeat(3000)}`), 400, 'INVALID_REQUEST', 'id')
})

test('a list takes its parameters from the query', async () => {
  const { body } = await ask('GET', '/api/users?pageSize=7&newestFirst=true&pageToken=a%2Bb+c')
  assert.deepEqual([body.users.length, body.nextPageToken], [1, '7/true'])
  assert.equal((await ask('GET', '/api/users')).body.nextPageToken, '0/false')
  assert.equal((await ask('GET', '/api/users?page_size=7')).body.nextPageToken, '7/false')
})

test('a query that says too much is refused', async () => {
  await refused(ask('GET', '/api/users?admin=true'), 400, 'MALFORMED_REQUEST', 'admin')
  await refused(ask('GET', '/api/users?pageSize=1&pageSize=2'), 400, 'MALFORMED_REQUEST', 'pageSize')
  await refused(ask('GET', '/api/users?pageSize=1&page_size=2'), 400, 'MALFORMED_REQUEST', 'pageSize')
  await refused(ask('GET', '/api/users?pageSize=many'), 400, 'MALFORMED_REQUEST', 'pageSize')
  await refused(ask('GET', '/api/users?pageSize='), 400, 'MALFORMED_REQUEST', 'pageSize')
  await refused(ask('GET', '/api/users?newestFirst=1'), 400, 'MALFORMED_REQUEST', 'newestFirst')
  await refused(ask('GET', '/api/users?pageToken=%ff'), 400, 'MALFORMED_REQUEST', '')
  await refused(ask('GET', '/api/users?__proto__=1'), 400, 'MALFORMED_REQUEST', '__proto__')
  await refused(ask('GET', `/api/users/${ADA}?id=${ADA}`), 400, 'MALFORMED_REQUEST', 'id')
  await refused(ask('GET', '/api/users?pageSize=1001'), 400, 'INVALID_REQUEST', 'pageSize')
  await refused(ask('POST', '/api/users?name=x', { name: 'x', email: 'x@example.com' }), 400, 'MALFORMED_REQUEST', 'name')
})

test('a delete takes no body', async () => {
  const deleted = await ask('DELETE', `/api/users/${ADA}`)
  assert.deepEqual([deleted.status, deleted.body], [200, {}])
  await refused(ask('DELETE', `/api/users/${ADA}`, { id: ADA }), 400, 'MALFORMED_REQUEST', '')
})

test('a form of another site is refused by its type', async () => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
    const headers = { 'content-type': type }
    await refused(ask('POST', '/api/users', '{"name":"x","email":"x@example.com"}', headers), 415, 'MALFORMED_REQUEST', 'content-type')
    await refused(ask('POST', `/api/users/${ADA}:suspend`, '', headers), 415, 'MALFORMED_REQUEST', 'content-type')
  }
})

test('a HEAD is a GET without its body', async () => {
  const { status, body, headers } = await ask('HEAD', '/api/users/me')
  assert.deepEqual([status, body], [200, undefined])
  assert.ok(Number(headers.get('content-length')) > 0)
})
