import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { create, type DescMessage, type MessageInitShape } from '@bufbuild/protobuf'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { UserDeletedSchema, UserInvitedSchema, UserSuspendedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { addEvent, connectNats, createRelay, eventMigrations, type Relay } from '@gatehouse/events'
import { connect, type Database, transact } from '@gatehouse/postgres'
import { testDatabase } from '@gatehouse/testkit'
import { sql } from 'kysely'
import { createHashPool } from '../src/core/passwords/hash-pool.ts'
import { findCredential, insertCredential } from '../src/store/credentials.ts'
import { bindRole, listRolesOf } from '../src/store/role-bindings.ts'
import { openStory, type Story } from './open-story.ts'
import { until } from './until.ts'

const tenant = 'default'
const password = 'correct horse battery'

let story: Story
let outbox: Database<unknown>
let relay: () => Relay
const parts = new AsyncDisposableStack()
before(async () => {
  story = parts.use(await openStory())
  const database = parts.use(await testDatabase({ service: 'user', sets: [eventMigrations] }))
  outbox = parts.use(connect<unknown>({ url: database.url }))
  const nats = parts.use(connectNats({ url: story.nats.url, name: 'the user service' }))
  relay = () => parts.use(createRelay({ db: outbox.kysely, nats, service: 'user' }))
})
after(() => parts.disposeAsync())

let counter = 0
async function signedIn(): Promise<{ userId: string; email: string }> {
  const user = story.people.add(tenant, { email: `event-${++counter}@example.com` })
  const passwordHash = await createHashPool().hash(password)
  await insertCredential(story.db, { tenant, userId: user.id, passwordHash, time: new Date() })
  await (await story.grpc(SessionService)).signIn({ email: user.email, password })
  return { userId: user.id, email: user.email }
}

async function tell<Desc extends DescMessage>(schema: Desc, message: MessageInitShape<Desc>, version: number): Promise<string> {
  return transact(outbox.kysely, (tx) => addEvent(tx, { schema, message: create(schema, message), tenant, version }))
}

async function livingSessions(userId: string): Promise<number> {
  const rows = await story.db.selectFrom('sessions').select('id').where('user_id', '=', userId).where('end_time', 'is', null).execute()
  return rows.length
}

test('what the user service tells ends sessions, and spares those that came later', async () => {
  const [suspended, deleted, returned, untouched] = await Promise.all([signedIn(), signedIn(), signedIn(), signedIn()])
  await bindRole(story.db, { tenant, subject_id: deleted.userId, role: 'administrator' })
  for (const { userId } of [suspended, returned]) await tell(UserSuspendedSchema, { userId, version: 2n }, 2)
  await tell(UserDeletedSchema, { userId: deleted.userId, version: 2n }, 2)
  // Suspended, reactivated and signed in again before the news arrives.
  await (await story.grpc(SessionService)).signIn({ email: returned.email, password })
  assert.equal(await livingSessions(returned.userId), 2)

  relay()
  await until(async () => (await livingSessions(suspended.userId)) === 0)
  await until(async () => (await livingSessions(deleted.userId)) === 0)
  await until(async () => (await livingSessions(returned.userId)) === 1)
  assert.equal(await livingSessions(untouched.userId), 1)
  assert.equal((await listRolesOf(story.db, tenant, [deleted.userId])).size, 0)
  assert.equal(await findCredential(story.db, { tenant, userId: deleted.userId }), undefined)
  assert.ok(await findCredential(story.db, { tenant, userId: suspended.userId }))
})

test('an invitation that is told late, of somebody who is gone, opens no challenge', async () => {
  const [gone, invited] = [User_State.DELETED, User_State.INVITED].map((state, at) =>
    story.people.add(tenant, { email: `late-${at}@example.com`, state }),
  )
  assert.ok(gone && invited)
  const challengesOf = async (userId: string) =>
    (await story.db.selectFrom('challenges').select('kind').where('user_id', '=', userId).execute()).length
  const isHandled = async (id: string) => (await sql`select from inbox where event_id = ${id}`.execute(story.db)).rows.length === 1
  relay()
  const deletion = await tell(UserDeletedSchema, { userId: gone.id, version: 2n }, 2)
  await until(() => isHandled(deletion))
  const late = await tell(UserInvitedSchema, { userId: gone.id, version: 1n }, 1)
  await tell(UserInvitedSchema, { userId: invited.id, version: 1n }, 1)
  await until(() => isHandled(late))
  await until(async () => (await challengesOf(invited.id)) === 1)
  assert.equal(await challengesOf(gone.id), 0)
})
