import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Code } from '@connectrpc/connect'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { refused } from '@gatehouse/testkit'
import { v4 as uuidv4 } from 'uuid'
import { administrator, openStory } from './open-story.ts'

const story = await openStory()
after(() => story[Symbol.asyncDispose]())
const email = 'ada@example.com'
const here = await story.register({ email, name: 'Ada here' })
const there = await story.register({ tenant: 'acme', email, name: 'Ada there' })
const second = await story.register({ name: 'Ada second' })
const acmeAdmin = administrator('acme')
const doors = { web: await story.inBrowser(acmeAdmin), grpc: await story.asPerson(acmeAdmin) }
const acmeAuth = await story.asWorkload('auth', 'acme')

test('one address lives in both tenants, each finds its own', async () => {
  assert.notEqual(here.id, there.id)
  const resolve = async (tenant: string) =>
    (await (await story.asWorkload('auth', tenant)).resolveUser({ by: { case: 'email', value: email } })).user
  assert.deepEqual(await resolve('default'), here)
  assert.deepEqual(await resolve('acme'), there)
})

test('an id of the other tenant is the id of nobody, in every RPC and over both doors', async () => {
  const { id } = here
  for (const users of Object.values(doors)) {
    await refused(users.getUser({ id }), Code.NotFound, 'USER_NOT_FOUND')
    await refused(users.updateUser({ id, name: 'Mine' }), Code.NotFound, 'USER_NOT_FOUND')
    await refused(users.suspendUser({ id }), Code.NotFound, 'USER_NOT_FOUND')
    await refused(users.reactivateUser({ id }), Code.NotFound, 'USER_NOT_FOUND')
    await refused(users.deleteUser({ id }), Code.NotFound, 'USER_NOT_FOUND')
    assert.deepEqual(await users.batchGetUsers({ ids: [id, there.id] }).then(({ users: found, missingIds }) => [found, missingIds]), [
      [there],
      [id],
    ])
  }
  await refused(acmeAuth.resolveUser({ by: { case: 'id', value: id } }), Code.NotFound, 'USER_NOT_FOUND')
  await refused(acmeAuth.activateUser({ id }), Code.NotFound, 'USER_NOT_FOUND')
  await refused(acmeAuth.changeUserEmail({ id, email: 'mine@example.com' }), Code.NotFound, 'USER_NOT_FOUND')
  await refused((await story.inBrowser({ tenant: 'acme', id })).getCurrentUser({}), Code.NotFound, 'USER_NOT_FOUND')
  const stranger = (await acmeAuth.registerUser({ id, name: 'Same id', email: 'same-id@example.com' })).user
  assert.deepEqual([stranger?.id, stranger?.name], [id, 'Same id'])
  assert.deepEqual((await (await story.asWorkload('auth')).resolveUser({ by: { case: 'id', value: id } })).user, here)
  await acmeAuth.resolveUser({ by: { case: 'id', value: id } })
  await doors.web.deleteUser({ id })
  assert.equal((await (await story.asWorkload('billing')).getUser({ id })).user?.state, User_State.ACTIVE)
})

test('lists and searches show the own tenant only', async () => {
  for (const users of Object.values(doors)) {
    assert.deepEqual((await users.listUsers({})).users, [there])
    assert.deepEqual((await users.searchUsers({ query: 'ada' })).users, [there])
  }
})

test('a page token of the other tenant is refused', async () => {
  const admin = await story.inBrowser(administrator())
  const listed = await admin.listUsers({ pageSize: 1 })
  const found = await admin.searchUsers({ query: 'ada', pageSize: 1 })
  assert.deepEqual(
    [...listed.users, ...(await admin.listUsers({ pageToken: listed.nextPageToken })).users].map(({ id }) => id).toSorted(),
    [here.id, second.id].toSorted(),
  )
  for (const users of Object.values(doors)) {
    await refused(users.listUsers({ pageSize: 1, pageToken: listed.nextPageToken }), Code.InvalidArgument, 'PAGE_TOKEN_INVALID')
    await refused(
      users.searchUsers({ query: 'ada', pageSize: 1, pageToken: found.nextPageToken }),
      Code.InvalidArgument,
      'PAGE_TOKEN_INVALID',
    )
  }
})

test('the same request id means another request in the other tenant', async () => {
  const request = { name: 'Both', email: 'both@example.com', requestId: uuidv4() }
  const admin = administrator()
  const made = (await (await story.inBrowser(admin)).createUser(request)).user
  const twin = (await (await story.inBrowser({ ...admin, tenant: 'acme' })).createUser(request)).user
  assert.notEqual(made?.id, twin?.id)
})

test('a token opens the host of its own tenant only', async () => {
  const token = await story.auth.tokenFor(administrator())
  const answer = await fetch(`${story.origin('acme')}/api/users`, { headers: { authorization: `Bearer ${token}` } })
  assert.equal(answer.status, 403)
  const body = (await answer.json()) as { details: { debug?: { reason?: string } }[] }
  assert.match(JSON.stringify(body), /WRONG_TENANT|permission_denied/)
})

test('a workload that names another tenant than the person it forwards is refused', async () => {
  const users = await story.asWorkload('auth', 'acme', { tenant: 'default', id: here.id })
  await refused(users.getUser({ id: here.id }), Code.PermissionDenied, 'WRONG_TENANT')
})
