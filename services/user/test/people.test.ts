import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Code } from '@connectrpc/connect'
import { type User, User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { refused } from '@gatehouse/testkit'
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid'
import { administrator, openStory } from './open-story.ts'

const story = await openStory()
after(() => story[Symbol.asyncDispose]())
const admin = await story.inBrowser(administrator())
const auth = await story.asWorkload('auth')
const there = (user: User | undefined): User => user ?? assert.fail('nobody was answered')

test('an invited person becomes active, changes, is suspended, comes back and leaves', async () => {
  const invited = there(
    (await admin.createUser({ name: 'Grace Hopper', email: ' Grace@EXAMPLE.com ', locale: 'en-US', requestId: uuidv4() })).user,
  )
  assert.deepEqual(
    [invited.state, invited.email, invited.emailVerified, invited.locale, invited.version],
    [User_State.INVITED, 'Grace@example.com', false, 'en-US', 1n],
  )
  const { id } = invited
  assert.deepEqual((await admin.getUser({ id })).user, invited)
  assert.deepEqual((await auth.resolveUser({ by: { case: 'email', value: 'gRACE@example.COM' } })).user, invited)

  const active = there((await auth.activateUser({ id })).user)
  assert.deepEqual([active.state, active.emailVerified], [User_State.ACTIVE, true])

  const grace = await story.inBrowser({ tenant: 'default', id })
  assert.deepEqual((await grace.getCurrentUser({})).user, active)
  assert.deepEqual((await grace.getUser({ id })).user, active)
  const updated = there((await grace.updateUser({ id, etag: active.etag, name: 'Amazing Grace', timeZone: 'America/New_York' })).user)
  assert.deepEqual([updated.name, updated.timeZone, updated.locale], ['Amazing Grace', 'America/New_York', 'en-US'])
  await refused(grace.updateUser({ id, etag: active.etag, name: 'Too late' }), Code.Aborted, 'ETAG_MISMATCH')
  assert.deepEqual((await (await story.asPerson({ tenant: 'default', id })).getCurrentUser({})).user, updated)

  const moved = there((await auth.changeUserEmail({ id, email: 'hopper@navy.mil' })).user)
  assert.deepEqual((await admin.searchUsers({ query: 'HOPPER@' })).users, [moved])
  assert.deepEqual((await admin.searchUsers({ query: 'amazing' })).users, [moved])

  const suspended = there((await admin.suspendUser({ id })).user)
  assert.equal(suspended.state, User_State.SUSPENDED)
  await refused(auth.activateUser({ id }), Code.FailedPrecondition, 'USER_STATE')
  const back = there((await admin.reactivateUser({ id })).user)
  assert.equal(back.state, User_State.ACTIVE)

  await grace.deleteUser({ id })
  const left = there((await admin.getUser({ id })).user)
  assert.deepEqual([left.state, left.email, left.name, left.locale, left.timeZone, left.version], [User_State.DELETED, '', '', '', '', 7n])
  await refused(auth.resolveUser({ by: { case: 'email', value: 'hopper@navy.mil' } }), Code.NotFound, 'USER_NOT_FOUND')
  assert.equal(there((await admin.createUser({ name: 'Another', email: 'hopper@navy.mil' })).user).state, User_State.INVITED)
})

test('many people are read in the order requested', async () => {
  const [one, two] = [await story.register(), await story.register()]
  const nobody = uuidv7()
  const found = await admin.batchGetUsers({ ids: [two.id, nobody, one.id] })
  assert.deepEqual(found.users, [two, one])
  assert.deepEqual(found.missingIds, [nobody])
})

test('the same request answers the same person, another one under its id is refused', async () => {
  const request = { name: 'Once', email: 'once@example.com', requestId: uuidv4() }
  const [first, second] = await Promise.all([admin.createUser(request), admin.createUser(request)])
  assert.deepEqual(first.user, second.user)
  await refused(admin.createUser({ ...request, name: 'Twice' }), Code.FailedPrecondition, 'REQUEST_ID_REUSED')
  await refused(admin.createUser({ ...request, requestId: uuidv4() }), Code.AlreadyExists, 'EMAIL_TAKEN')
})

test('a registration that is repeated answers the person that it made', async () => {
  const request = { id: uuidv7(), name: 'Repeated', email: 'repeated@example.com' }
  const [first, second] = await Promise.all([auth.registerUser(request), auth.registerUser(request)])
  assert.deepEqual(first.user, second.user)
  await refused(auth.registerUser({ ...request, id: uuidv7() }), Code.AlreadyExists, 'EMAIL_TAKEN')
})

test('every broken rule is named by its field', async () => {
  const id = uuidv7()
  const person = await story.register()
  const own = await story.inBrowser({ tenant: 'default', id: person.id })
  const wrong = [
    [() => admin.createUser({ name: '', email: 'nobody', locale: 'x', requestId: 'y' }), ['email', 'locale', 'name', 'requestId']],
    [() => admin.createUser({ name: 'a\u0000b', email: 'ä@example.com' }), ['email', 'name']],
    [() => admin.createUser({ name: 'x'.repeat(201), email: `${'x'.repeat(65)}@example.com` }), ['email', 'name']],
    [() => admin.createUser({ name: 'Ada', email: 'ada@example.com', locale: 'en-u' }), ['locale']],
    [() => admin.getUser({ id: 'x' }), ['id']],
    [() => admin.batchGetUsers({ ids: [] }), ['ids']],
    [() => admin.batchGetUsers({ ids: [id, id] }), ['ids']],
    [() => admin.listUsers({ pageSize: -1 }), ['pageSize']],
    [() => admin.listUsers({ pageSize: 1001, pageToken: 'x'.repeat(501) }), ['pageSize', 'pageToken']],
    [() => admin.searchUsers({ query: '' }), ['query']],
    [() => admin.searchUsers({ query: 'a\u0000' }), ['query']],
    [() => own.updateUser({ id: person.id, name: '', timeZone: 'a//b' }), ['name', 'timeZone']],
    [() => own.updateUser({ id: person.id, timeZone: 'Middle/Earth' }), ['timeZone']],
    [() => auth.resolveUser({}), ['by']],
    [() => auth.resolveUser({ by: { case: 'email', value: '' } }), ['email']],
    [() => auth.registerUser({ id: '', name: 'Ada', email: 'ada@example.com' }), ['id']],
    [() => auth.changeUserEmail({ id: person.id, email: 'x' }), ['email']],
  ] as const
  for (const [index, [call, fields]] of wrong.entries()) {
    const named = await refused(call(), Code.InvalidArgument, 'INVALID_REQUEST', `request ${index}`)
    assert.deepEqual([...new Set(named)].toSorted(), fields, `request ${index}`)
  }
  await refused(admin.listUsers({ pageToken: 'made-up' }), Code.InvalidArgument, 'PAGE_TOKEN_INVALID')
})

test('nobody is not found', async () => {
  const id = uuidv7()
  for (const [about, call] of Object.entries({
    getUser: () => admin.getUser({ id }),
    updateUser: () => admin.updateUser({ id, name: 'Nobody' }),
    suspendUser: () => admin.suspendUser({ id }),
    reactivateUser: () => admin.reactivateUser({ id }),
    deleteUser: () => admin.deleteUser({ id }),
    getCurrentUser: () => admin.getCurrentUser({}),
    resolveUser: () => auth.resolveUser({ by: { case: 'id', value: id } }),
    activateUser: () => auth.activateUser({ id }),
    changeUserEmail: () => auth.changeUserEmail({ id, email: 'nobody@example.com' }),
  })) {
    await refused(call(), Code.NotFound, 'USER_NOT_FOUND', about)
  }
})
