import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { UserUpdatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { v7 as uuidv7 } from 'uuid'
import { openUsers } from '../../test/open-users.ts'
import { deleteUser } from './delete-user.ts'
import { etagOf } from './etag.ts'
import { getUser } from './get-user.ts'
import { updateUser } from './update-user.ts'

const users = await openUsers()
after(() => users[Symbol.asyncDispose]())

test('changes the given fields and tells which', async () => {
  const user = await users.register()
  const changed = await updateUser(users.deps, {
    ...user,
    etag: etagOf(user),
    name: 'Ada King',
    locale: undefined,
    timeZone: 'Europe/Vienna',
  })
  assert.deepEqual([changed.name, changed.locale, changed.time_zone, changed.version], ['Ada King', 'en', 'Europe/Vienna', 2n])
  assert.ok(changed.update_time >= user.update_time)
  assert.deepEqual(changed.create_time, user.create_time)
  assert.deepEqual(await getUser(users.deps, user), changed)
  assert.deepEqual(
    (await users.eventsOf(user)).at(-1),
    create(UserUpdatedSchema, { userId: user.id, version: 2n, changedFields: ['name', 'time_zone'] }),
  )
  assert.equal((await updateUser(users.deps, { tenant: user.tenant, id: user.id, etag: '', timeZone: '' })).time_zone, '')
})

test('the same values are no change', async () => {
  const user = await users.register({ name: 'Same' })
  const before = users.commits()
  assert.deepEqual(
    await updateUser(users.deps, { tenant: user.tenant, id: user.id, etag: '', name: 'Same', locale: 'en', timeZone: '' }),
    user,
  )
  assert.equal(users.commits(), before)
  assert.equal((await users.eventsOf(user)).length, 1)
})

test('an old etag is refused', async () => {
  const user = await users.register()
  await updateUser(users.deps, { tenant: user.tenant, id: user.id, etag: '', name: 'Second' })
  for (const etag of [etagOf(user), 'nonsense']) {
    await assert.rejects(updateUser(users.deps, { tenant: user.tenant, id: user.id, etag, name: 'Third' }), { reason: 'ETAG_MISMATCH' })
  }
})

test('of fifty at once with one etag one wins', async () => {
  const user = await users.register()
  const outcomes = await Promise.allSettled(
    Array.from({ length: 50 }, (_, index) =>
      updateUser(users.deps, { tenant: user.tenant, id: user.id, etag: etagOf(user), name: `Name ${index}` }),
    ),
  )
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  for (const outcome of outcomes) if (outcome.status === 'rejected') assert.equal(outcome.reason.reason, 'ETAG_MISMATCH')
  assert.equal((await getUser(users.deps, user)).version, 2n)
})

test('fifty at once without etag all count, each with its event', async () => {
  const user = await users.register()
  const changed = await Promise.all(
    Array.from({ length: 50 }, (_, index) => updateUser(users.deps, { tenant: user.tenant, id: user.id, etag: '', name: `Name ${index}` })),
  )
  assert.deepEqual(new Set(changed.map(({ version }) => version)), new Set(Array.from({ length: 50 }, (_, index) => BigInt(index + 2))))
  const times = changed.toSorted((one, other) => Number(one.version - other.version)).map(({ update_time }) => update_time.getTime())
  assert.deepEqual(
    times,
    times.toSorted((one, other) => one - other),
  )
  assert.equal((await users.eventsOf(user)).length, 51)
})

test('changes of different fields at once are both kept', async () => {
  const user = await users.register()
  const key = { tenant: user.tenant, id: user.id, etag: '' }
  await Promise.all([
    updateUser(users.deps, { ...key, name: 'New name' }),
    updateUser(users.deps, { ...key, locale: 'de' }),
    updateUser(users.deps, { ...key, timeZone: 'UTC' }),
  ])
  const { name, locale, time_zone, version } = await getUser(users.deps, user)
  assert.deepEqual([name, locale, time_zone, version], ['New name', 'de', 'UTC', 4n])
})

test('names every value that means nothing', async () => {
  const user = await users.register()
  await assert.rejects(updateUser(users.deps, { tenant: user.tenant, id: user.id, etag: '', locale: 'en-u', timeZone: 'Middle/Earth' }), {
    reason: 'INVALID_REQUEST',
    violations: [
      { field: 'locale', description: 'is not a BCP 47 language tag', reason: 'LOCALE_UNKNOWN' },
      { field: 'timeZone', description: 'is not in the IANA time zone database', reason: 'TIME_ZONE_UNKNOWN' },
    ],
  })
})

test('changes nobody who is deleted, unknown, or of another tenant', async () => {
  const user = await users.register()
  await assert.rejects(updateUser(users.deps, { tenant: 'acme', id: user.id, etag: '', name: 'Mine' }), { reason: 'USER_NOT_FOUND' })
  await assert.rejects(updateUser(users.deps, { tenant: 'default', id: uuidv7(), etag: '', name: 'Nobody' }), { reason: 'USER_NOT_FOUND' })
  await deleteUser(users.deps, user)
  await assert.rejects(updateUser(users.deps, { tenant: 'default', id: user.id, etag: '', name: 'Gone' }), {
    reason: 'USER_STATE',
    metadata: { state: 'DELETED' },
  })
})
