import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { UserInvitedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { RequestIdReused } from '@gatehouse/postgres'
import { v4 as uuidv4 } from 'uuid'
import { openUsers } from '../../test/open-users.ts'
import { deleteUser } from './delete-user.ts'
import { getUser } from './get-user.ts'

const users = await openUsers()
after(() => users[Symbol.asyncDispose]())
const requestOf = (id: string, fingerprint = 'a') => ({ requestId: id, caller: 'person:1', method: 'CreateUser', fingerprint })

test('creates an invited person and tells it in the same transaction', async () => {
  const before = users.commits()
  const user = await users.invite({ email: 'Grace@example.com', name: 'Grace Hopper', inviterId: 'somebody' })
  assert.equal(user.state, 'invited')
  assert.equal(user.email, 'Grace@example.com')
  assert.equal(user.email_verified, false)
  assert.equal(user.locale, 'en')
  assert.equal(user.version, 1n)
  assert.equal(users.commits(), before + 1)
  assert.deepEqual(await getUser(users.deps, user), user)
  assert.deepEqual(await users.eventsOf(user), [create(UserInvitedSchema, { userId: user.id, version: 1n, inviterId: 'somebody' })])
})

test('refuses an address in another letter case, and leaves nothing', async () => {
  await users.invite({ email: 'Taken@example.com' })
  const before = users.commits()
  await assert.rejects(users.invite({ email: 'tAKEN@example.com' }), { reason: 'EMAIL_TAKEN' })
  assert.equal(users.commits(), before)
})

test('an address lives once in each tenant', async () => {
  const here = await users.invite({ email: 'both@example.com' })
  const there = await users.invite({ email: 'both@example.com', tenant: 'acme' })
  assert.notEqual(here.id, there.id)
  await assert.rejects(getUser(users.deps, { tenant: 'acme', id: here.id }), { reason: 'USER_NOT_FOUND' })
})

test('one of fifty at once gets an address', async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => users.invite({ email: 'rush@example.com' })))
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  for (const outcome of outcomes) if (outcome.status === 'rejected') assert.equal(outcome.reason.reason, 'EMAIL_TAKEN')
})

test('the same request at once fifty times makes one person and one event', async () => {
  const request = requestOf(uuidv4())
  const made = await Promise.all(Array.from({ length: 50 }, () => users.invite({ email: 'once@example.com', request })))
  assert.equal(new Set(made.map(({ id }) => id)).size, 1)
  assert.equal((await users.eventsOf({ tenant: 'default', id: made[0]?.id ?? '' })).length, 1)
})

test('the same request later answers the person as they are now', async () => {
  const request = requestOf(uuidv4())
  const made = await users.invite({ email: 'again@example.com', request })
  await deleteUser(users.deps, made)
  const again = await users.invite({ email: 'again@example.com', request })
  assert.equal(again.id, made.id)
  assert.equal(again.state, 'deleted')
})

test('another request under a used id is refused', async () => {
  const id = uuidv4()
  await users.invite({ request: requestOf(id, 'a') })
  await assert.rejects(users.invite({ request: requestOf(id, 'b') }), RequestIdReused)
})

test('a refused request can be repeated when the address is free', async () => {
  const first = await users.invite({ email: 'later@example.com' })
  const request = requestOf(uuidv4())
  await assert.rejects(users.invite({ email: 'later@example.com', request }), { reason: 'EMAIL_TAKEN' })
  await deleteUser(users.deps, first)
  assert.equal((await users.invite({ email: 'later@example.com', request })).state, 'invited')
})

test('keeps a language in its canonical form and refuses what is none', async () => {
  assert.equal((await users.invite({ locale: 'de-at' })).locale, 'de-AT')
  await assert.rejects(users.invite({ locale: 'en-u' }), {
    reason: 'INVALID_REQUEST',
    violations: [{ field: 'locale', description: 'is not a BCP 47 language tag', reason: 'LOCALE_UNKNOWN' }],
  })
})
