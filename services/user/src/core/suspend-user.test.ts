import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { UserReactivatedSchema, UserSuspendedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { openUsers } from '../../test/open-users.ts'
import { deleteUser } from './delete-user.ts'
import { reactivateUser } from './reactivate-user.ts'
import { suspendUser } from './suspend-user.ts'

const users = await openUsers()
after(() => users[Symbol.asyncDispose]())
const pendingOf = (id: string) =>
  users.deps.db.selectFrom('pending_revocations').select(['version', 'attempts']).where('user_id', '=', id).execute()

test('suspends once, tells it, and asks for the end of the sessions', async () => {
  const user = await users.register()
  const suspended = await suspendUser(users.deps, user)
  assert.deepEqual([suspended.state, suspended.version], ['suspended', 2n])
  assert.deepEqual(await suspendUser(users.deps, user), suspended)
  assert.deepEqual((await users.eventsOf(user)).slice(1), [create(UserSuspendedSchema, { userId: user.id, version: 2n })])
  assert.deepEqual(await pendingOf(user.id), [{ version: 2n, attempts: 0 }])
})

test('many suspensions at once are one', async () => {
  const user = await users.register()
  await Promise.all(Array.from({ length: 20 }, () => suspendUser(users.deps, user)))
  assert.equal((await users.eventsOf(user)).length, 2)
})

test('reactivates once and tells it; a later suspension replaces the waiting request', async () => {
  const user = await users.register()
  await suspendUser(users.deps, user)
  const active = await reactivateUser(users.deps, user)
  assert.deepEqual([active.state, active.version], ['active', 3n])
  assert.deepEqual(await reactivateUser(users.deps, user), active)
  assert.deepEqual((await users.eventsOf(user)).slice(2), [create(UserReactivatedSchema, { userId: user.id, version: 3n })])
  await suspendUser(users.deps, user)
  assert.deepEqual(await pendingOf(user.id), [{ version: 4n, attempts: 0 }])
})

test('only active people are suspended and only suspended ones reactivated', async () => {
  const invited = await users.invite()
  await assert.rejects(suspendUser(users.deps, invited), { reason: 'USER_STATE', metadata: { state: 'INVITED' } })
  await assert.rejects(reactivateUser(users.deps, invited), { reason: 'USER_STATE', metadata: { state: 'INVITED' } })
  const deleted = await deleteUser(users.deps, await users.register())
  await assert.rejects(suspendUser(users.deps, deleted), { reason: 'USER_STATE', metadata: { state: 'DELETED' } })
  await assert.rejects(reactivateUser(users.deps, deleted), { reason: 'USER_STATE', metadata: { state: 'DELETED' } })
  await assert.rejects(suspendUser(users.deps, { tenant: 'acme', id: invited.id }), { reason: 'USER_NOT_FOUND' })
  await assert.rejects(reactivateUser(users.deps, { tenant: 'acme', id: invited.id }), { reason: 'USER_NOT_FOUND' })
})
