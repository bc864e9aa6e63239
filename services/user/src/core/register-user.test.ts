import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { UserCreatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { v7 as uuidv7 } from 'uuid'
import { openUsers } from '../../test/open-users.ts'
import { activateUser } from './activate-user.ts'
import { deleteUser } from './delete-user.ts'
import { suspendUser } from './suspend-user.ts'

const users = await openUsers()
after(() => users[Symbol.asyncDispose]())

test('registers an active person who has proven the mailbox', async () => {
  const id = uuidv7()
  const user = await users.register({ id, locale: 'de' })
  assert.deepEqual([user.id, user.state, user.email_verified, user.locale, user.version], [id, 'active', true, 'de', 1n])
  assert.deepEqual(await users.eventsOf(user), [create(UserCreatedSchema, { userId: id, version: 1n })])
})

test('the same id fifty times at once is one person and one event', async () => {
  const id = uuidv7()
  const made = await Promise.all(Array.from({ length: 50 }, () => users.register({ id, email: 'repeat@example.com' })))
  assert.deepEqual(new Set(made.map((user) => user.version)), new Set([1n]))
  assert.equal((await users.eventsOf({ tenant: 'default', id })).length, 1)
})

test('other ids for one address: one of fifty at once wins', async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => users.register({ email: 'rush@example.com' })))
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  for (const outcome of outcomes) if (outcome.status === 'rejected') assert.equal(outcome.reason.reason, 'EMAIL_TAKEN')
})

test('the id of another tenant makes another person', async () => {
  const here = await users.register()
  const there = await users.register({ id: here.id, tenant: 'acme', name: 'Another' })
  assert.equal(there.name, 'Another')
})

test('a language tag that is none does not turn a proven person away', async () => {
  assert.equal((await users.register({ locale: 'en-u' })).locale, 'en')
})

test('activates an invited person once', async () => {
  const invited = await users.invite()
  const active = await activateUser(users.deps, invited)
  assert.deepEqual([active.state, active.email_verified, active.version], ['active', true, 2n])
  assert.deepEqual(await activateUser(users.deps, invited), active)
  assert.deepEqual((await users.eventsOf(invited)).at(-1), create(UserCreatedSchema, { userId: invited.id, version: 2n }))
  assert.equal((await users.eventsOf(invited)).length, 2)
})

test('activates nobody who is suspended, deleted or unknown', async () => {
  const suspended = await suspendUser(users.deps, await users.register())
  await assert.rejects(activateUser(users.deps, suspended), { reason: 'USER_STATE', metadata: { state: 'SUSPENDED' } })
  const deleted = await deleteUser(users.deps, await users.invite())
  await assert.rejects(activateUser(users.deps, deleted), { reason: 'USER_STATE', metadata: { state: 'DELETED' } })
  await assert.rejects(activateUser(users.deps, { tenant: 'default', id: uuidv7() }), { reason: 'USER_NOT_FOUND' })
})
