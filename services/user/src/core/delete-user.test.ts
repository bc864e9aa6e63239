import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { UserDeletedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { openUsers } from '../../test/open-users.ts'
import { deleteUser } from './delete-user.ts'
import { getUser } from './get-user.ts'
import { resolveUser } from './resolve-user.ts'

const users = await openUsers()
after(() => users[Symbol.asyncDispose]())

test('nothing personal is left of a deleted person', async () => {
  const user = await users.register({ email: 'leaving@example.com', name: 'Leaving', locale: 'de' })
  const deleted = await deleteUser(users.deps, user)
  const { id, tenant, create_time } = user
  const { update_time } = deleted
  const tombstone = {
    id,
    tenant,
    create_time,
    update_time,
    version: 2n,
    state: 'deleted',
    email: null,
    email_verified: false,
    name: '',
    locale: '',
    time_zone: '',
  }
  assert.deepEqual(deleted, tombstone)
  assert.deepEqual(await getUser(users.deps, user), tombstone)
  assert.deepEqual(await users.deps.db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst(), {
    ...tombstone,
    email_key: null,
    name_key: null,
  })
  assert.deepEqual((await users.eventsOf(user)).at(-1), create(UserDeletedSchema, { userId: id, version: 2n }))
  const pending = await users.deps.db.selectFrom('pending_revocations').select('version').where('user_id', '=', id).executeTakeFirst()
  assert.deepEqual(pending, { version: 2n })
})

test('deleting again changes nothing', async () => {
  const user = await users.register()
  const deleted = await deleteUser(users.deps, user)
  assert.deepEqual(await deleteUser(users.deps, user), deleted)
  assert.equal((await users.eventsOf(user)).length, 2)
})

test('the address is free at once and the id finds the tombstone', async () => {
  const user = await users.register({ email: 'free@example.com' })
  await deleteUser(users.deps, user)
  await assert.rejects(resolveUser(users.deps, { tenant: 'default', email: 'free@example.com' }), { reason: 'USER_NOT_FOUND' })
  assert.equal((await resolveUser(users.deps, { tenant: 'default', id: user.id })).state, 'deleted')
  assert.notEqual((await users.register({ email: 'free@example.com' })).id, user.id)
})

test('deletes nobody of another tenant', async () => {
  const user = await users.register()
  await assert.rejects(deleteUser(users.deps, { tenant: 'acme', id: user.id }), { reason: 'USER_NOT_FOUND' })
  assert.equal((await getUser(users.deps, user)).state, 'active')
})
