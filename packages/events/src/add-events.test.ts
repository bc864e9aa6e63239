import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { UserCreatedSchema, UserInvitedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import { connect, transact } from '@gatehouse/postgres'
import { testDatabase } from '@gatehouse/testkit'
import { sql } from 'kysely'
import { addEvent } from './add-event.ts'
import { addEvents } from './add-events.ts'
import { eventMigrations } from './event-migrations.ts'

const database = await testDatabase({ service: 'user', sets: [eventMigrations] })
const connected = connect<unknown>({ url: database.url })
const db = connected.kysely
after(async () => {
  await connected[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

const rowsOf = async (tenant: string) => {
  const { rows } = await sql<object>`select type, subject, key, version, payload, traceparent, position, published_time from outbox
    where tenant = ${tenant} order by key`.execute(db)
  return rows.map((row) => ({ ...row, subject: undefined }))
}

test('many events at once read like as many events one by one', async () => {
  const messages = ['ada', 'bob', 'a\tb\\'].map((inviterId, n) =>
    create(UserInvitedSchema, { userId: `person ${n}`, version: BigInt(n + 1), inviterId }),
  )
  assert.equal(await transact(db, (tx) => addEvents(tx, { schema: UserInvitedSchema, tenant: 'many', messages })), 3)
  await transact(db, async (tx) => {
    for (const message of messages) await addEvent(tx, { schema: UserInvitedSchema, message, tenant: 'single', version: message.version })
  })
  assert.deepEqual(await rowsOf('many'), await rowsOf('single'))
  const { rows } = await sql<{ subject: string; fresh: boolean }>`select distinct subject,
    create_time between now() - interval '1 minute' and clock_timestamp() as fresh from outbox where tenant = 'many'`.execute(db)
  assert.deepEqual(rows, [{ subject: 'gatehouse.user.v1.UserInvited.many', fresh: true }])
})

test('an event without a key leaves none of them', async () => {
  const messages = [create(UserCreatedSchema, { userId: 'ada', version: 1n }), create(UserCreatedSchema, { version: 1n })]
  await assert.rejects(
    transact(db, (tx) => addEvents(tx, { schema: UserCreatedSchema, tenant: 'keyless', messages })),
    TypeError,
  )
  assert.deepEqual(await rowsOf('keyless'), [])
})

test('there are no events outside a transaction', async () => {
  await assert.rejects(addEvents(db, { schema: UserCreatedSchema, tenant: 'alone', messages: [] }), TypeError)
})
