import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { create, type DescMessage, type MessageInitShape } from '@bufbuild/protobuf'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import {
  UserDeletedSchema,
  UserInvitedSchema,
  UserReactivatedSchema,
  UserSuspendedSchema,
  UserUpdatedSchema,
} from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { addEvent, connectNats, createRelay, eventMigrations, type Relay } from '@gatehouse/events'
import { connect, type Database, transact } from '@gatehouse/postgres'
import { testDatabase } from '@gatehouse/testkit'
import { sql } from 'kysely'
import { createHashPool } from '../src/core/passwords/hash-pool.ts'
import { findCredential, insertCredential } from '../src/store/credentials.ts'
import { listRolesOf } from '../src/store/role-bindings.ts'
import { bindRole } from './bind-role.ts'
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

test('what an administrator does to people in the user service is in the audit log once, with who did it', async () => {
  const { id: userId } = story.people.add(tenant, { email: 'audited@example.com', state: User_State.INVITED })
  const actor = 'person:0198c0f0-5d5e-7b4b-8c1e-6f4f0e6a1c02'
  relay()
  await tell(UserInvitedSchema, { userId, version: 1n, actor }, 1)
  await tell(UserUpdatedSchema, { userId, version: 2n, actor: `person:${userId}`, changedFields: ['name'] }, 2)
  await tell(UserUpdatedSchema, { userId, version: 3n, actor, changedFields: ['name', 'locale'] }, 3)
  await tell(UserSuspendedSchema, { userId, version: 4n, actor: 'service_account:0198c0f0-5d5e-7b4b-8c1e-6f4f0e6a1c03' }, 4)
  await tell(UserReactivatedSchema, { userId, version: 5n, actor }, 5)
  await tell(UserDeletedSchema, { userId, version: 6n }, 6)
  const entries = async () =>
    (
      await sql<{ kind: string; actor: string; fields: string | null }>`
        select kind, actor_kind || ' ' || actor_id as actor, details->>'fields' as fields from audit_entries
        where subject_id = ${userId} and kind like 'user_%' order by details->>'version'`.execute(story.db)
    ).rows
  await until(async () => (await entries()).length >= 5)
  const byPerson = actor.replace(':', ' ')
  assert.deepEqual(await entries(), [
    { kind: 'user_invite', actor: byPerson, fields: null },
    { kind: 'user_update', actor: byPerson, fields: 'name locale' },
    { kind: 'user_suspend', actor: 'service_account 0198c0f0-5d5e-7b4b-8c1e-6f4f0e6a1c03', fields: null },
    { kind: 'user_reactivate', actor: byPerson, fields: null },
    // Told by a release that does not say who.
    { kind: 'user_delete', actor: 'workload user', fields: null },
  ])
})
