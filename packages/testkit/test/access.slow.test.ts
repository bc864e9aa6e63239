import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Code, ConnectError, createClient } from '@connectrpc/connect'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { peerTransport, reasonOf as reasonOfError } from '@gatehouse/rpc'
import { type Answer, type House, openHouse, reasonOf, until } from './house.ts'

let house: House
before(async () => {
  house = await openHouse()
})
after(() => house[Symbol.asyncDispose]())

const aSecondMs = 1_000

type Person = Awaited<ReturnType<House['person']>>

/** Three at once: each is a process of its own. */
const people = async (...names: [string, string, string]): Promise<[Person, Person, Person]> =>
  (await Promise.all(names.map((name) => house.person(`${name}@example.com`)))) as [Person, Person, Person]

async function bind(role: string, userId: string, more: object = {}): Promise<string> {
  const subject = { kind: 'SUBJECT_KIND_PERSON', id: userId }
  const answer = await house.call('/api/bindings', { role, subject, ...more }, { token: await house.adminToken() })
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return String(answer.body.id)
}

async function unbind(id: string): Promise<void> {
  const answer = await house.call(`/api/bindings/${id}`, undefined, { token: await house.adminToken(), method: 'DELETE' })
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
}

test('every service follows a role that is given and taken away, open streams too, with NATS down', { timeout: 60_000 }, async () => {
  const { userId, accessToken: token } = await house.person('reader@example.com')
  const statuses = async () =>
    Promise.all(
      ['/api/users', '/api/notifications', '/api/roles'].map(async (path) => (await house.call(path, undefined, { token })).status),
    )
  assert.deepEqual(await statuses(), [403, 403, 403])
  await house.local.interrupt('nats', async () => {
    const binding = await bind('support', userId)
    await until('the role to be known everywhere', async () => (await statuses()).every((status) => status === 200), aSecondMs)

    await using transport = peerTransport({ target: 'user', url: house.local.environment('auth').USER_URL ?? '' })
    const stream = createClient(UserService, transport).watchUsers({}, { headers: { authorization: `Bearer ${token}` }, timeoutMs: 0 })
    const reader = stream[Symbol.asyncIterator]()
    assert.equal((await reader.next()).done, false)
    const ended = (async () => {
      while ((await reader.next()).done !== true);
    })().then(
      () => 'ended well',
      (error: unknown) => `${Code[ConnectError.from(error).code]} ${reasonOfError(error)}`,
    )
    await unbind(binding)
    const since = performance.now()
    await until('the role to be gone everywhere', async () => (await statuses()).every((status) => status === 403), aSecondMs)
    assert.equal(await ended, 'PermissionDenied PERMISSION_DENIED')
    assert.ok(performance.now() - since < 2 * aSecondMs)
  })
})

test('a role on one person is good for that person only, and a condition looks at whom the call is about', {
  timeout: 60_000,
}, async () => {
  const [desk, one, other] = await people('desk', 'one', 'other')
  const { userId, accessToken: token } = desk
  const read = async ({ userId: id }: { userId: string }): Promise<Answer> => house.call(`/api/users/${id}`, undefined, { token })
  const scoped = await bind('support', userId, { resource: `user/${one.userId}` })
  await until('the role to be known', async () => (await read(one)).status === 200, aSecondMs)
  assert.deepEqual([(await read(other)).status, reasonOf(await read(other))], [403, 'PERMISSION_DENIED'])
  assert.equal((await house.call('/api/users', undefined, { token })).status, 403)
  assert.equal((await house.call(`/api/users/${one.userId}:suspend`, {}, { token })).status, 403)
  await bind('support', userId, { condition: `resource.owner == "${other.userId}" && request.permission.endsWith(".read")` })
  await until('the condition to be known', async () => (await read(other)).status === 200, aSecondMs)
  await unbind(scoped)
  await until('the role to be gone', async () => (await read(one)).status === 403, aSecondMs)
  assert.equal((await read({ userId })).status, 200, 'one’s own')
})

test('a role ends by itself at its time', { timeout: 60_000 }, async () => {
  const { userId, accessToken: token } = await house.person('guest@example.com')
  const expireTime = new Date(Date.now() + 2_000)
  await bind('support', userId, { expireTime: expireTime.toISOString() })
  const status = async () => (await house.call('/api/users', undefined, { token })).status
  await until('the role to be known', async () => (await status()) === 200, aSecondMs)
  await until('its end', async () => (await status()) === 403, 3_000)
  assert.ok(Date.now() >= expireTime.getTime())
})

test('the last administrator is neither suspended nor deleted; of two at once one is', { timeout: 60_000 }, async () => {
  const [one, two, nobody] = await people('boss', 'deputy', 'nobody')
  await house.local.gatehouse('auth', 'admin', 'invite', one.email)
  const suspend = async (id: string) => house.call(`/api/users/${id}:suspend`, {}, { token: await house.adminToken() })
  const refused = await suspend(one.userId)
  assert.deepEqual([refused.status, reasonOf(refused)], [400, 'LAST_ADMINISTRATOR'])
  const deleted = await house.call(`/api/users/${one.userId}`, undefined, { token: one.accessToken, method: 'DELETE' })
  assert.deepEqual([deleted.status, reasonOf(deleted)], [400, 'LAST_ADMINISTRATOR'])
  await house.local.gatehouse('auth', 'admin', 'invite', two.email)
  // Their tokens claim nothing: the user service has been told.
  for (const { accessToken: token } of [one, two])
    await until('the role to be known', async () => (await house.call('/api/users', undefined, { token })).status === 200)
  const both = await Promise.all([suspend(one.userId), suspend(two.userId)])
  assert.deepEqual(both.map(({ status }) => status).sort(), [200, 400])
  // Whoever is no administrator goes without a question, also while auth is away.
  await house.local.stopService('auth')
  assert.equal((await suspend(nobody.userId)).status, 200)
  const last = both[0]?.status === 200 ? two : one
  const unanswered = await suspend(last.userId)
  assert.deepEqual([unanswered.status, reasonOf(unanswered)], [503, 'DEPENDENCY_UNAVAILABLE'], JSON.stringify(unanswered.body))
  await house.local.startService('auth')
})
