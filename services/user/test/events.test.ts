import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type Message, toJsonString } from '@bufbuild/protobuf'
import {
  UserCreatedSchema,
  UserDeletedSchema,
  UserInvitedSchema,
  UserReactivatedSchema,
  UserSuspendedSchema,
  UserUpdatedSchema,
} from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { connectNats, type Envelope, subscribe } from '@gatehouse/events'
import { administrator, openStory } from './open-story.ts'
import { until } from './until.ts'

const story = await openStory()
after(() => story[Symbol.asyncDispose]())
const events = [UserInvitedSchema, UserCreatedSchema, UserUpdatedSchema, UserSuspendedSchema, UserReactivatedSchema, UserDeletedSchema]

test('every change reaches the world once, in order, with nothing personal', async () => {
  const told: { message: Message; envelope: Envelope }[] = []
  await using nats = connectNats({ url: story.nats.url, name: 'story' })
  await using _subscription = subscribe({
    nats,
    name: 'story',
    events,
    onEvent: (message, envelope) => void told.push({ message, envelope }),
  })
  const who = administrator()
  const admin = await story.inBrowser(who)
  const auth = await story.asWorkload('auth')
  const { user } = await admin.createUser({ name: 'Very Personal', email: 'very.personal@example.com' })
  const id = user?.id ?? assert.fail()
  await auth.activateUser({ id })
  await admin.updateUser({ id, name: 'Still Personal', locale: 'de' })
  await admin.updateUser({ id, name: 'Still Personal', locale: 'de' })
  await auth.changeUserEmail({ id, email: 'also.personal@example.com' })
  await admin.suspendUser({ id })
  await admin.reactivateUser({ id })
  await admin.deleteUser({ id })
  await until(() => told.length >= 7)
  assert.deepEqual(
    told.map(({ message, envelope }) => [message.$typeName.split('.').at(-1), envelope.version, envelope.tenant, envelope.key]),
    ['UserInvited', 'UserCreated', 'UserUpdated', 'UserUpdated', 'UserSuspended', 'UserReactivated', 'UserDeleted'].map((name, index) => [
      name,
      BigInt(index + 1),
      'default',
      id,
    ]),
  )
  const updates = told.flatMap(({ message }) =>
    message.$typeName === UserUpdatedSchema.typeName ? [JSON.parse(toJsonString(UserUpdatedSchema, message as never))] : [],
  )
  assert.deepEqual(
    updates.map(({ changedFields }) => changedFields),
    [['name', 'locale'], ['email']],
  )
  const byAdministrator = `person:${who.id}`
  assert.deepEqual(
    told.flatMap(({ message }) => ('actor' in message ? [message.actor] : [])),
    [byAdministrator, byAdministrator, 'workload:auth', byAdministrator, byAdministrator, byAdministrator],
  )
  assert.ok(!JSON.stringify(told, (_, value) => (typeof value === 'bigint' ? String(value) : value)).includes('ersonal'))
})

test('writes go on while NATS is down, and their events follow', async () => {
  const told: string[] = []
  await using nats = connectNats({ url: story.nats.url, name: 'patient' })
  await using _subscription = subscribe({
    nats,
    name: 'patient',
    events: [UserCreatedSchema],
    onEvent: ({ userId }) => void told.push(userId),
  })
  await story.nats.stop()
  const people = [await story.register(), await story.register({ tenant: 'acme' }), await story.register()]
  await story.nats.start()
  await until(() => people.every(({ id }) => told.includes(id)))
})
