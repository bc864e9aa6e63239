import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { create, type DescMessage } from '@bufbuild/protobuf'
import { SignedInSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { UserCreatedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { connect, transact } from '@gatehouse/postgres'
import { natsServiceUsers, testDatabase, testNats } from '@gatehouse/testkit'
import { jetstream, jetstreamManager, type StreamConfig } from '@nats-io/jetstream'
import { tell, until } from '../test/road.ts'
import { addEvent } from './add-event.ts'
import { defineConsumer } from './consumer.ts'
import { eventMigrations } from './event-migrations.ts'
import { connectNats } from './nats.ts'
import { createRelay } from './relay.ts'
import { reportStream } from './road-report.ts'
import { startConsumers } from './start-consumers.ts'
import { applyStream } from './stream.ts'
import { subscribe } from './subscribe.ts'

const password = (): string => randomBytes(16).toString('base64url')
const passwords = { user: password(), auth: password(), notification: password(), streams: password(), subscriber: password() }

test('the users that services connect as are enough for everything here, and for nothing of another service', async () => {
  await using broker = await testNats({ users: natsServiceUsers(passwords) })
  const connectAs = (name: keyof typeof passwords) => connectNats({ url: broker.url.replace('//', `//${name}:${passwords[name]}@`), name })
  await using userDatabase = await testDatabase({ service: 'road', sets: [eventMigrations] })
  await using authDatabase = await testDatabase({ service: 'road', sets: [eventMigrations] })
  await using userDb = connect<unknown>({ url: userDatabase.url })
  await using authDb = connect<unknown>({ url: authDatabase.url })
  await using notificationDatabase = await testDatabase({ service: 'road', sets: [eventMigrations] })
  await using notificationDb = connect<unknown>({ url: notificationDatabase.url })
  await using userNats = connectAs('user')
  await using authNats = connectAs('auth')
  await using notificationNats = connectAs('notification')
  await using outsideNats = connectAs('subscriber')

  const seen: string[] = []
  const note = (who: string) => async (): Promise<void> => void seen.push(who)
  await using _outside = subscribe({
    nats: outsideNats,
    name: 'billing',
    events: [UserCreatedSchema, SignedInSchema],
    onEvent: note('outside'),
  })
  await using _inNotification = startConsumers({
    nats: notificationNats,
    db: notificationDb.kysely,
    service: 'notification',
    consumers: [SignedInSchema, UserCreatedSchema].map((event) =>
      defineConsumer<DescMessage, unknown>({ event, handle: note('notification') }),
    ),
  })
  await using _inAuth = startConsumers({
    nats: authNats,
    db: authDb.kysely,
    service: 'auth',
    consumers: [defineConsumer({ event: UserCreatedSchema, handle: note('auth') })],
  })
  await using _userRelay = createRelay({ nats: userNats, db: userDb.kysely, service: 'user' })
  await using _authRelay = createRelay({ nats: authNats, db: authDb.kysely, service: 'auth' })
  await tell(userDb, 'ada', 1)
  const message = create(SignedInSchema, { sessionId: 's', userId: 'ada', version: 1n })
  await transact(authDb.kysely, (tx) => addEvent(tx, { schema: SignedInSchema, message, tenant: 'default', version: 1 }))
  await until(() => seen.length === 5)
  assert.deepEqual(seen.sort(), ['auth', 'notification', 'notification', 'outside', 'outside'])

  const forge = async (nats: typeof userNats, subject: string) => jetstream(await nats.connected()).publish(subject, '', { timeout: 300 })
  await assert.rejects(forge(userNats, 'gatehouse.auth.v1.SignedIn.default'))
  await assert.rejects(forge(outsideNats, 'gatehouse.user.v1.UserCreated.default'))
  const asOutsider = await jetstreamManager(await outsideNats.connected(), { checkAPI: false, timeout: 300 })
  await assert.rejects(asOutsider.streams.purge('gatehouse-user'))
  await assert.rejects(asOutsider.streams.delete('gatehouse-user'))
})

test('who serves cannot make or change a stream: have it copy another, tell its events in other names, or let them go', async () => {
  await using broker = await testNats({ users: natsServiceUsers(passwords) })
  const connectAs = (name: keyof typeof passwords) => connectNats({ url: broker.url.replace('//', `//${name}:${passwords[name]}@`), name })
  await using userNats = connectAs('user')
  await using keeper = connectAs('streams')
  const { streams } = await jetstreamManager(await userNats.connected(), { checkAPI: false, timeout: 2000 })
  const { config } = await streams.info('gatehouse-user')
  const others = { sources: [{ name: 'gatehouse-auth', opt_start_seq: 1 }] }
  const forged = { republish: { src: 'gatehouse.user.v1.>', dest: 'gatehouse.auth.v1.>' } }
  const emptied = { max_age: 100_000_000, duplicate_window: 100_000_000 }
  const changes: Partial<StreamConfig>[] = [others, forged, emptied]
  for (const change of changes) {
    await assert.rejects(streams.update('gatehouse-user', change), /Permissions Violation/)
    await assert.rejects(streams.add({ ...config, ...change }), /Permissions Violation/)
  }
  // Who may is not kept from it by the server: what the streams have to be is looked at, and set right.
  const connection = await keeper.connected()
  const byKeeper = (await jetstreamManager(connection, { checkAPI: false })).streams
  for (const change of changes) {
    await byKeeper.update('gatehouse-user', change)
    const [wrong] = (await reportStream(await userNats.connected(), 'user'))?.differences ?? []
    assert.equal(wrong?.setting, 'max_age' in change ? 'duplicate_window' : Object.keys(change)[0])
    assert.equal(await applyStream(connection, 'user'), 'changed')
    assert.deepEqual((await reportStream(await userNats.connected(), 'user'))?.differences, [])
  }
  assert.equal(await applyStream(connection, 'user'), 'kept')
})

test('nobody reads what another user of the broker is sent', async () => {
  await using broker = await testNats({ users: natsServiceUsers(passwords) })
  const connectAs = (name: keyof typeof passwords) => connectNats({ url: broker.url.replace('//', `//${name}:${passwords[name]}@`), name })
  await using userNats = connectAs('user')
  await using outsideNats = connectAs('subscriber')
  const outside = await outsideNats.connected()
  const refused = async (subject: string): Promise<boolean> => {
    const subscription = outside.subscribe(subject)
    await outside.flush()
    return (await Promise.race([subscription.closed, outside.flush().then(() => 'open')])) !== 'open'
  }
  for (const subject of ['_INBOX.>', '_INBOX.user.>', 'gatehouse.>', 'gatehouse.user.nudge', '>'])
    assert.ok(await refused(subject), subject)
  for (const subject of ['_INBOX.subscriber.x', 'gatehouse.user.v1.>']) assert.ok(!(await refused(subject)), subject)
  assert.ok(await userNats.connected())
})

test('nobody takes from, pauses or deletes the durable of a service but the service', async () => {
  await using broker = await testNats({ users: natsServiceUsers(passwords) })
  const connectAs = (name: keyof typeof passwords) => connectNats({ url: broker.url.replace('//', `//${name}:${passwords[name]}@`), name })
  await using database = await testDatabase({ service: 'road', sets: [eventMigrations] })
  await using userDatabase = await testDatabase({ service: 'road', sets: [eventMigrations] })
  await using db = connect<unknown>({ url: database.url })
  await using userDb = connect<unknown>({ url: userDatabase.url })
  await using userNats = connectAs('user')
  await using authNats = connectAs('auth')
  await using outsideNats = connectAs('subscriber')
  const seen: string[] = []
  await using _inAuth = startConsumers({
    nats: authNats,
    db: db.kysely,
    service: 'auth',
    consumers: [defineConsumer({ event: UserCreatedSchema, handle: async (_, { userId }) => void seen.push(userId) })],
  })
  await using _relay = createRelay({ nats: userNats, db: userDb.kysely, service: 'user' })
  await tell(userDb, 'ada', 1)
  await until(() => seen.length === 1)
  for (const stranger of [outsideNats, userNats]) {
    const connection = await stranger.connected()
    for (const subject of ['INFO', 'PAUSE', 'DELETE', 'MSG.NEXT', 'DURABLE.CREATE', 'CREATE'])
      for (const durable of ['auth', 'auth-catch-up'])
        await assert.rejects(
          connection.request(`$JS.API.CONSUMER.${subject}.gatehouse-user.${durable}`, '{}', { timeout: 500 }),
          /Permissions Violation/,
          subject,
        )
  }
  await tell(userDb, 'bob', 1)
  await until(() => seen.length === 2)
})
