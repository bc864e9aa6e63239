import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { UserUpdatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { openUsers } from '../../test/open-users.ts'
import { changeUserEmail } from './change-user-email.ts'
import { resolveUser } from './resolve-user.ts'
import { suspendUser } from './suspend-user.ts'

const users = await openUsers()
after(() => users[Symbol.asyncDispose]())

test('gives the person the new address and frees the old one', async () => {
  const user = await users.register({ email: 'old@example.com' })
  const changed = await changeUserEmail(users.deps, { ...user, email: 'New@example.com' })
  assert.deepEqual([changed.email, changed.email_verified, changed.version], ['New@example.com', true, 2n])
  assert.deepEqual(
    (await users.eventsOf(user)).at(-1),
    create(UserUpdatedSchema, { userId: user.id, version: 2n, changedFields: ['email'] }),
  )
  assert.equal((await resolveUser(users.deps, { tenant: 'default', email: 'nEW@example.com' })).id, user.id)
  await assert.rejects(resolveUser(users.deps, { tenant: 'default', email: 'old@example.com' }), { reason: 'USER_NOT_FOUND' })
  assert.equal((await users.register({ email: 'old@example.com' })).state, 'active')
})

test('the same address again changes nothing, another spelling is kept', async () => {
  const user = await users.register({ email: 'Spelled@example.com' })
  assert.deepEqual(await changeUserEmail(users.deps, { ...user, email: 'Spelled@example.com' }), user)
  assert.equal((await changeUserEmail(users.deps, { ...user, email: 'spelled@example.com' })).email, 'spelled@example.com')
})

test('refuses the address of somebody else and leaves nothing', async () => {
  await users.register({ email: 'hers@example.com' })
  const user = await users.register({ email: 'his@example.com' })
  await assert.rejects(changeUserEmail(users.deps, { ...user, email: 'Hers@example.com' }), { reason: 'EMAIL_TAKEN' })
  assert.equal((await resolveUser(users.deps, { tenant: 'default', id: user.id })).version, 1n)
  assert.equal((await users.eventsOf(user)).length, 1)
})

test('one of many at once gets an address', async () => {
  const rivals = await Promise.all(Array.from({ length: 20 }, () => users.register()))
  const outcomes = await Promise.allSettled(rivals.map((user) => changeUserEmail(users.deps, { ...user, email: 'prize@example.com' })))
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  for (const outcome of outcomes) if (outcome.status === 'rejected') assert.equal(outcome.reason.reason, 'EMAIL_TAKEN')
})

test('two who want each other’s address are both refused, not stuck', async () => {
  const one = await users.register({ email: 'one@example.com' })
  const other = await users.register({ email: 'other@example.com' })
  const outcomes = await Promise.allSettled([
    changeUserEmail(users.deps, { ...one, email: 'other@example.com' }),
    changeUserEmail(users.deps, { ...other, email: 'one@example.com' }),
  ])
  for (const outcome of outcomes) if (outcome.status === 'rejected') assert.equal(outcome.reason.reason, 'EMAIL_TAKEN')
})

test('changes nobody who is not active', async () => {
  await assert.rejects(changeUserEmail(users.deps, { ...(await users.invite()), email: 'x@example.com' }), {
    reason: 'USER_STATE',
    metadata: { state: 'INVITED' },
  })
  const suspended = await suspendUser(users.deps, await users.register())
  await assert.rejects(changeUserEmail(users.deps, { ...suspended, email: 'x@example.com' }), {
    reason: 'USER_STATE',
    metadata: { state: 'SUSPENDED' },
  })
})
