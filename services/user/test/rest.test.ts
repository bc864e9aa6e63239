import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { administrator, openStory } from './open-story.ts'

const story = await openStory()
after(() => story[Symbol.asyncDispose]())
const authorization = `Bearer ${await story.auth.tokenFor(administrator())}`

type Answer = { status: number; headers: Headers; body: Record<string, unknown> }

async function rest(method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(`${story.origin('default')}${path}`, {
    method,
    headers: { authorization, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> }
}

test('creating answers 201, the person on top and where to find them', async () => {
  const created = await rest('POST', '/api/users', { name: 'Ada Lovelace', email: 'Ada@EXAMPLE.com' })
  assert.equal(created.status, 201)
  const { id, name, email, state, emailVerified, version } = created.body
  assert.deepEqual(
    { name, email, state, version },
    { name: 'Ada Lovelace', email: 'Ada@example.com', state: 'STATE_INVITED', version: '1' },
  )
  assert.ok(emailVerified === undefined || emailVerified === false)
  assert.equal(created.headers.get('location'), `/api/users/${id}`)
  const found = await rest('GET', `/api/users/${id}`)
  assert.deepEqual([found.status, found.body], [200, created.body])
  assert.equal(found.headers.get('cache-control'), 'no-store')
})

test('people are listed page by page', async () => {
  for (let count = 0; count < 3; count++)
    await rest('POST', '/api/users', { name: `Listed ${count}`, email: `listed-${count}@example.com` })
  const ids = new Set<unknown>()
  for (let pageToken = '', pages = 0; pages < 10; pages++) {
    const { status, body } = await rest('GET', `/api/users?pageSize=2&pageToken=${encodeURIComponent(pageToken)}`)
    assert.equal(status, 200)
    for (const { id } of body.users as { id: string }[]) ids.add(id)
    pageToken = (body.nextPageToken as string | undefined) ?? ''
    if (pageToken === '') break
  }
  assert.ok(ids.size >= 3)
})

test('search, change, suspension and deletion have their paths', async () => {
  const { body: created } = await rest('POST', '/api/users', { name: 'Charles', email: 'charles@example.com' })
  const id = String(created.id)
  assert.deepEqual((await rest('POST', '/api/users:search', { query: 'charles' })).body.users, [created])
  const changed = await rest('PATCH', `/api/users/${id}`, { name: 'Charles Babbage', etag: created.etag })
  assert.deepEqual([changed.status, changed.body.name], [200, 'Charles Babbage'])
  assert.equal((await rest('PATCH', `/api/users/${id}`, { name: 'Late', etag: created.etag })).status, 409)
  await (await story.asWorkload('auth')).activateUser({ id })
  assert.equal((await rest('POST', `/api/users/${id}:suspend`, {})).body.state, 'STATE_SUSPENDED')
  assert.equal((await rest('POST', `/api/users/${id}:reactivate`, {})).body.state, 'STATE_ACTIVE')
  assert.equal((await rest('DELETE', `/api/users/${id}`)).status, 200)
  assert.equal((await rest('GET', `/api/users/${id}`)).body.state, 'STATE_DELETED')
})

test('wrong input answers 400 and names the fields', async () => {
  const all = await rest('POST', '/api/users', { name: '', email: 'nobody' })
  assert.deepEqual([all.status, all.body.code], [400, 'invalid_argument'])
  for (const field of ['name', 'email']) assert.match(JSON.stringify(all.body), new RegExp(`"field":"${field}"`))
  for (const body of [
    '{',
    '{"name":1,"email":"a@example.com"}',
    '{"name":"Ada","email":"a@example.com","admin":true}',
    '{"name":"a","name":"b","email":"a@example.com"}',
    '[]',
  ]) {
    const { status, body: answer } = await rest('POST', '/api/users', body)
    assert.deepEqual([status, answer.code], [400, 'invalid_argument'], body)
  }
  for (const path of ['/api/users/x', '/api/users?pageSize=many', '/api/users?pageToken=made-up'])
    assert.equal((await rest('GET', path)).status, 400, path)
  assert.equal((await rest('GET', '/api/users/01890000-0000-7000-8000-000000000000')).status, 404)
  const taken = { name: 'Taken', email: 'taken@example.com' }
  await rest('POST', '/api/users', taken)
  const again = await rest('POST', '/api/users', taken)
  assert.deepEqual([again.status, again.body.code], [409, 'already_exists'])
})
