import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { UserCreatedSchema, UserUpdatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { countUnpublished, openRoad, type Road, tell, until } from '../test/road.ts'
import { createRelay, type Relay } from './relay.ts'
import { subscribe } from './subscribe.ts'

let road: Road
let relay: Relay
before(async () => {
  road = await openRoad()
  relay = createRelay({ ...road, db: road.database.kysely, service: 'user', pollMs: 20 })
})
after(async () => {
  await relay[Symbol.asyncDispose]()
  await road[Symbol.asyncDispose]()
})

const drained = () => until(async () => (await countUnpublished(road.database)) === 0)

test('tells typed events of several kinds, in the order of their key', async () => {
  const told: string[] = []
  await using _subscription = subscribe({
    ...road,
    name: 'kinds',
    events: [UserCreatedSchema, UserUpdatedSchema],
    onEvent(message, { key, version }) {
      if (key !== 'kinds') return
      told.push(
        message.$typeName === 'gatehouse.user.v1.UserUpdated' ? `updated ${message.changedFields.length} ${version}` : `created ${version}`,
      )
    },
  })
  for (let version = 1; version <= 3; version++) await tell(road.database, 'kinds', version)
  await until(() => told.length === 3)
  assert.deepEqual(told, ['created 1', 'updated 0 2', 'updated 0 3'])
})

test('under a name it goes on where it was, and replicas share the events', async () => {
  const told: string[] = []
  const open = () =>
    subscribe({ ...road, name: 'shared', events: [UserCreatedSchema], onEvent: (_message, { key }) => void told.push(key) })
  const keys = Array.from({ length: 10 }, (_, i) => `shared ${i}`)
  {
    await using _one = open()
    await using _two = open()
    for (const key of keys) await tell(road.database, key, 1)
    await until(() => keys.every((key) => told.includes(key)))
  }
  await tell(road.database, 'shared while away', 1)
  await drained()
  await using _three = open()
  await until(() => told.includes('shared while away'))
  assert.equal(told.filter((key) => key.startsWith('shared')).length, 11)
})

test('without a name it hears what comes from now on', async () => {
  await tell(road.database, 'before', 1)
  await drained()
  const told: string[] = []
  await using _subscription = subscribe({ ...road, events: [UserCreatedSchema], onEvent: (_message, { key }) => void told.push(key) })
  let n = 0
  await until(async () => {
    await tell(road.database, `after ${n++}`, 1)
    return told.length > 0
  })
  assert.ok(!told.includes('before'))
})

test('of one tenant it hears nothing of another', async () => {
  const told: string[] = []
  await using _subscription = subscribe({
    ...road,
    name: 'acme-only',
    tenant: 'acme',
    events: [UserCreatedSchema],
    onEvent: (_message, { tenant, key }) => void told.push(`${tenant} ${key}`),
  })
  await tell(road.database, 'theirs', 1, 'default')
  await tell(road.database, 'ours', 1, 'acme')
  await tell(road.database, 'theirs too', 1, 'acme-2')
  await drained()
  await tell(road.database, 'last', 1, 'acme')
  await until(() => told.includes('acme last'))
  assert.deepEqual(told, ['acme ours', 'acme last'])
})

test('an event comes again when it could not be handled', async () => {
  let attempts = 0
  await using _subscription = subscribe({
    ...road,
    name: 'again',
    events: [UserCreatedSchema],
    async onEvent(_message, { key }) {
      if (key === 'again' && ++attempts < 3) throw new Error('not yet')
    },
  })
  await tell(road.database, 'again', 1)
  await until(() => attempts === 3)
})
