import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { createClient } from '@connectrpc/connect'
import { type AccessFact, AccessFactSchema, BindingSchema, SubjectKind } from '@gatehouse/contracts/gatehouse/auth/v1/access_pb'
import { InboxService } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { AccessModel, createAccessDirectory, createRevocationList, TokenInvalid } from '@gatehouse/identity'
import { peerTransport } from './client/peer-transport.ts'
import { ADA, openTestDoor, personFor } from './grpc/door-for-tests.ts'
import { reasonOf } from './peer-error.ts'

test("a stream goes on by the service's clock, where the machine's is an hour ahead", async () => {
  const now = () => Date.now() - 3_600_000
  await using door = await openTestDoor({
    inbox: {
      async *watchInbox(_request, context) {
        yield { cursor: '1' }
        await new Promise<void>((resolve) => context.signal.addEventListener('abort', () => resolve()))
      },
    },
    pipeline: { now },
  })
  door.people.set('short', personFor(ADA, { expireTime: now() + 1_200 }))
  await using transport = peerTransport({ target: 'notification', url: door.url })
  const started = performance.now()
  const streams = createClient(InboxService, transport).watchInbox({}, { headers: { authorization: 'Bearer short' } })
  for await (const { cursor } of streams) assert.equal(cursor, '1')
  assert.ok(performance.now() - started >= 1_200)
})

test('a stream ends as soon as what it takes is taken away, and one that takes something else goes on', async () => {
  const access = createAccessDirectory()
  const fact = (what: AccessFact['fact']) => access.apply([create(AccessFactSchema, { tenant: 'default', fact: what })])
  const subject = { kind: SubjectKind.PERSON, id: ADA }
  access.replace(new AccessModel())
  fact({ case: 'binding', value: create(BindingSchema, { id: '1', role: 'administrator', subject }) })
  access.heard(Date.now())
  const untilGone = (signal: AbortSignal) => new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
  await using door = await openTestDoor({
    user: {
      async *watchUsers(_request, context) {
        yield { cursor: '1' }
        await untilGone(context.signal)
      },
    },
    inbox: {
      async *watchInbox(_request, context) {
        yield { cursor: '1' }
        await untilGone(context.signal)
      },
    },
    pipeline: { access },
  })
  await using transport = peerTransport({ target: 'user', url: door.url })
  const stop = new AbortController()
  const headers = { authorization: 'Bearer ada' }
  const people = createClient(UserService, transport).watchUsers({}, { headers })[Symbol.asyncIterator]()
  const inbox = createClient(InboxService, transport).watchInbox({}, { headers, signal: stop.signal })[Symbol.asyncIterator]()
  assert.deepEqual([(await people.next()).done, (await inbox.next()).done], [false, false])
  const [ended, goesOn] = [people.next(), inbox.next()]
  fact({ case: 'bindingGone', value: '1' })
  await assert.rejects(ended, (error) => reasonOf(error) === 'PERMISSION_DENIED')
  stop.abort()
  await assert.rejects(goesOn, (error) => reasonOf(error) === undefined)
})

test('a stream ends when its session is told to have ended or was raised, and not a second later', async (t) => {
  // The look that is taken every second is never taken here.
  t.mock.timers.enable({ apis: ['setInterval'] })
  const revocations = createRevocationList()
  const persons = new Map([1, 2].map((number) => [`s${number}`, personFor(ADA, { sessionId: `s${number}` })]))
  await using door = await openTestDoor({
    inbox: {
      async *watchInbox(_request, context) {
        yield { cursor: '1' }
        await new Promise<void>((resolve) => context.signal.addEventListener('abort', () => resolve()))
      },
    },
    pipeline: {
      accessTokens: {
        async verify(token) {
          const person = persons.get(token)
          if (!person || revocations.isRevoked(person.sessionId, person.generation)) throw new TokenInvalid('ended')
          return person
        },
        onChange: ({ sessionId }, changed) => revocations.onChange(sessionId, changed),
      },
    },
  })
  await using transport = peerTransport({ target: 'notification', url: door.url })
  const acts = { s1: () => revocations.add('s1', Date.now() + 600_000), s2: () => revocations.raise('s2', 1, Date.now() + 600_000) }
  for (const [token, act] of Object.entries(acts)) {
    const watching = (async () => {
      const stream = createClient(InboxService, transport).watchInbox({}, { headers: { authorization: `Bearer ${token}` } })
      for await (const { cursor } of stream) if (cursor === '1') act()
    })()
    await assert.rejects(watching, (error) => reasonOf(error) === 'ACCESS_TOKEN_INVALID')
  }
})
