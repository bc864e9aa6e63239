import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import { Code } from '@connectrpc/connect'
import { refused } from '@gatehouse/testkit'
import pg from 'pg'
import { v4 as uuidv4 } from 'uuid'
import { createApp } from '../src/app.ts'
import { overGrpc } from './clients.ts'
import { administrator, openStory } from './open-story.ts'

const story = await openStory()
const second = await createApp(story.config)
const look = new pg.Client(story.config.databaseUrl)
await look.connect()
const bearer = { authorization: `Bearer ${await story.auth.tokenFor(administrator())}` }
const replicas = [story.app, second].map(({ ports }) => overGrpc(`127.0.0.1:${ports.grpc}`, bearer))
after(async () => {
  for (const { transport } of replicas) await transport[Symbol.asyncDispose]()
  await look.end()
  await second[Symbol.asyncDispose]()
  await story[Symbol.asyncDispose]()
})

type Fields = { email: string; name?: string; requestId?: string; traceparent?: string }

/** Every other call goes to the other replica. */
const createAt = (call: number, { traceparent, ...fields }: Fields) => {
  const { users } = replicas[call % replicas.length] ?? assert.fail()
  return users.createUser({ name: 'Ada', ...fields }, { timeoutMs: 30_000, headers: traceparent === undefined ? {} : { traceparent } })
}
const outboxOf = async (email: string) => {
  const { rows } = await look.query<{ id: string; events: string[] | null }>(
    `select id, (select array_agg(coalesce(traceparent, '')) from outbox where key = users.id::text) as events from users where email_key = $1`,
    [email.toLowerCase()],
  )
  return rows
}
const outboxSize = async () => (await look.query<{ n: number }>('select count(*)::integer as n from outbox')).rows[0]?.n ?? 0

test('one of fifty at once through two replicas gets an address, and one event tells it', async () => {
  const before = await outboxSize()
  const email = 'rush@example.com'
  const outcomes = await Promise.allSettled(
    Array.from({ length: 50 }, (_, call) =>
      createAt(call, { email: call % 3 === 0 ? 'RUSH@example.com' : email, requestId: call % 2 ? uuidv4() : '' }),
    ),
  )
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  for (const outcome of outcomes)
    if (outcome.status === 'rejected') await refused(Promise.reject(outcome.reason), Code.AlreadyExists, 'EMAIL_TAKEN')
  const people = await outboxOf(email)
  assert.equal(people.length, 1)
  assert.equal(people[0]?.events?.length, 1)
  assert.equal(await outboxSize(), before + 1)
})

test('the same request fifty times at once through two replicas makes one person and one event', async () => {
  const before = await outboxSize()
  const request = { email: 'once@example.com', requestId: uuidv4() }
  const answers = await Promise.all(Array.from({ length: 50 }, (_, call) => createAt(call, request)))
  assert.equal(new Set(answers.map(({ user }) => user?.id)).size, 1)
  assert.equal(await outboxSize(), before + 1)
})

test('of different requests under one id at once, one is done and the others are refused', async () => {
  const requestId = uuidv4()
  const outcomes = await Promise.allSettled(
    Array.from({ length: 20 }, (_, call) => createAt(call, { email: `reused-${call}@example.com`, requestId })),
  )
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  const { rows } = await look.query(`select 1 from users where email_key like 'reused-%'`)
  assert.equal(rows.length, 1)
})

test('a taken address fails nobody who came in the same moment, and its request can be repeated when it is free', async () => {
  const { user: holder } = await createAt(0, { email: 'taken@example.com' })
  const requestId = uuidv4()
  const [taken, ...others] = await Promise.allSettled([
    createAt(0, { email: 'taken@example.com', requestId }),
    ...Array.from({ length: 30 }, (_, other) => createAt(0, { email: `beside-${other}@example.com`, requestId: uuidv4() })),
  ])
  assert.equal(taken.status, 'rejected')
  for (const { status } of others) assert.equal(status, 'fulfilled')
  await look.query(`update users set email = 'moved@example.com', email_key = 'moved@example.com' where id = $1`, [holder?.id])
  assert.equal((await createAt(1, { email: 'taken@example.com', requestId })).user?.email, 'taken@example.com')
})

test('whoever wants the address of a rival waits for the rival, and gets it when that one gives up', async () => {
  for (const [end, email] of [
    ['rollback', 'given-up@example.com'],
    ['commit', 'kept@example.com'],
  ] as const) {
    await look.query('begin')
    await look.query(
      `insert into users (tenant, id, state, email, email_key, email_verified, name, name_key, locale)
       values ('default', $1, 'invited', $2, $2, false, 'Rival', 'rival', 'en')`,
      [uuidv4(), email],
    )
    let settled = 0
    const outcomes = Promise.allSettled(
      [email, `beside-${email}`].map((each) => createAt(0, { email: each, requestId: uuidv4() }).finally(() => settled++)),
    )
    await new Promise((resolve) => setTimeout(resolve, 300))
    assert.ok(settled < 2)
    await look.query(end)
    const [wanted, beside] = await outcomes
    assert.equal(wanted?.status, end === 'rollback' ? 'fulfilled' : 'rejected')
    assert.equal(beside?.status, 'fulfilled')
    assert.equal((await outboxOf(email))[0]?.events?.length ?? 0, end === 'rollback' ? 1 : 0)
  }
})

test('the event of each of many at once carries the trace of its own call', async () => {
  const traces = Array.from({ length: 40 }, () => randomBytes(16).toString('hex'))
  await Promise.all(
    traces.map((trace, call) => createAt(0, { email: `traced-${call}@example.com`, traceparent: `00-${trace}-00f067aa0ba902b7-01` })),
  )
  for (const [call, trace] of traces.entries()) {
    const [person] = await outboxOf(`traced-${call}@example.com`)
    assert.equal(person?.events?.length, 1)
    assert.match(person?.events?.[0] ?? '', new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`))
  }
})
