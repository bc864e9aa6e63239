import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Code, type ConnectError, createClient } from '@connectrpc/connect'
import { InboxService } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from '@gatehouse/contracts/grpc/health/v1/health_pb'
import { peerTransport } from '../client/peer-transport.ts'
import { reasonOf } from '../peer-error.ts'
import { ADA, AS_ADA, openTestDoor, until } from './door-for-tests.ts'
import { frame, openSession, rawCall } from './raw-call-for-tests.ts'

describe('a drain', () => {
  test('finishes the calls in flight and takes no new ones', async () => {
    const entered = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    await using door = await openTestDoor({
      user: {
        getUser: async (request) => {
          entered.resolve()
          await gate.promise
          return { user: { id: request.id } }
        },
      },
    })
    await using transport = peerTransport({ target: 'user', url: door.url })
    const call = createClient(UserService, transport).getUser({ id: ADA }, AS_ADA)
    await entered.promise
    const drained = door.door.drain(5000)
    await using late = peerTransport({ target: 'user', url: door.url })
    await assert.rejects(
      createClient(UserService, late).getUser({ id: ADA }, { ...AS_ADA, timeoutMs: 500 }),
      (error: ConnectError) => error.code === Code.Unavailable,
    )
    gate.resolve()
    assert.equal((await call).user?.id, ADA)
    await drained
  })

  test('ends streams at once, so that their callers go elsewhere', async () => {
    await using door = await openTestDoor({
      inbox: {
        async *watchInbox() {
          yield { cursor: '1' }
          await new Promise(() => {})
        },
      },
    })
    await using transport = peerTransport({ target: 'notification', url: door.url })
    const cursors: string[] = []
    const watching = (async () => {
      for await (const { cursor } of createClient(InboxService, transport).watchInbox({}, AS_ADA)) cursors.push(cursor)
    })()
    await until(() => cursors.length === 1)
    await Promise.all([
      door.door.drain(5000),
      assert.rejects(watching, (error: ConnectError) => {
        assert.equal(error.code, Code.Unavailable)
        assert.equal(reasonOf(error), 'DEPENDENCY_UNAVAILABLE')
        return true
      }),
    ])
    assert.deepEqual(
      door.log.filter(({ level }) => level === 'warn'),
      [],
      'nothing had to be cut',
    )
  })

  test('cuts what does not finish in time, and says so', async () => {
    const entered = Promise.withResolvers<void>()
    await using door = await openTestDoor({
      user: {
        getUser: () => {
          entered.resolve()
          return new Promise(() => {})
        },
      },
    })
    await using session = await openSession(door.door.port)
    const call = rawCall(session, '/gatehouse.user.v1.UserService/GetUser', frame(Buffer.from(`\n$${ADA}`)), AS_ADA.headers)
    await entered.promise
    await door.door.drain(50)
    assert.equal((await call).code, undefined)
    assert.equal(door.log.filter(({ level }) => level === 'warn').length, 1)
  })
})

describe('health', () => {
  test('tells about the door and each of its services, to everybody', async () => {
    await using door = await openTestDoor()
    await using transport = peerTransport({ target: 'user', url: door.url })
    const health = createClient(Health, transport)
    for (const service of ['', 'gatehouse.user.v1.UserService'])
      assert.equal((await health.check({ service })).status, ServingStatus.SERVING)
    await assert.rejects(health.check({ service: 'nobody' }), (error: ConnectError) => error.code === Code.NotFound)
    assert.equal(Object.keys((await health.list({})).statuses).length, 4)
  })

  test('tells watchers of a drain before the connection ends', async () => {
    await using door = await openTestDoor()
    await using transport = peerTransport({ target: 'user', url: door.url })
    const seen: number[] = []
    const watching = (async () => {
      for await (const { status } of createClient(Health, transport).watch({ service: '' })) seen.push(status)
    })()
    await until(() => seen.length === 1)
    await door.door.drain(5000)
    await watching
    assert.deepEqual(seen, [ServingStatus.SERVING, ServingStatus.NOT_SERVING])
  })
})

test('more calls at once than the door takes are shed', async () => {
  const gate = Promise.withResolvers<void>()
  let entered = 0
  await using door = await openTestDoor({
    user: {
      getUser: async () => {
        entered += 1
        await gate.promise
        return {}
      },
    },
    inbox: {
      async *watchInbox() {
        yield {}
        await gate.promise
      },
    },
    door: { maxCalls: 2, maxStreams: 1 },
  })
  await using transport = peerTransport({ target: 'user', url: door.url })
  const users = createClient(UserService, transport)
  const held = [users.getUser({ id: ADA }, AS_ADA), users.getUser({ id: ADA }, AS_ADA)]
  await until(() => entered === 2)
  await assert.rejects(users.getUser({ id: ADA }, AS_ADA), (error) => reasonOf(error) === 'OVERLOADED')

  const inbox = createClient(InboxService, transport)
  const first = inbox.watchInbox({}, AS_ADA)[Symbol.asyncIterator]()
  assert.equal((await first.next()).done, false)
  await assert.rejects(inbox.watchInbox({}, AS_ADA)[Symbol.asyncIterator]().next(), (error) => reasonOf(error) === 'OVERLOADED')
  gate.resolve()
  await Promise.all(held)
  assert.equal((await first.next()).done, true)
})

test('one person cannot hold the streams of everybody', async () => {
  await using door = await openTestDoor({
    inbox: {
      async *watchInbox(_request, context) {
        yield {}
        await new Promise((resolve) => context.signal.addEventListener('abort', resolve))
      },
    },
    pipeline: { maxStreamsOfPerson: 2 },
  })
  await using transport = peerTransport({ target: 'user', url: door.url })
  const leave = new AbortController()
  const watch = (who: string, signal?: AbortSignal) =>
    createClient(InboxService, transport)
      .watchInbox({}, { headers: { authorization: `Bearer ${who}` }, ...(signal && { signal }) })
      [Symbol.asyncIterator]()
      .next()
  await watch('ada')
  await watch('ada', leave.signal)
  await assert.rejects(watch('ada'), (error) => reasonOf(error) === 'LIMIT_EXCEEDED')
  await watch('ada-of-acme')
  await watch('bob')
  leave.abort()
  await until(async () => (await watch('ada').catch(() => undefined)) !== undefined)
})

test("a caller's deadline ends the call and the handler's signal", async () => {
  const aborted = Promise.withResolvers<void>()
  await using door = await openTestDoor({
    user: {
      getUser: (_request, context) => {
        context.signal.addEventListener('abort', () => aborted.resolve())
        return new Promise(() => {})
      },
    },
  })
  await using transport = peerTransport({ target: 'user', url: door.url })
  await assert.rejects(
    createClient(UserService, transport).getUser({ id: ADA }, { ...AS_ADA, timeoutMs: 100 }),
    (error: ConnectError) => error.code === Code.DeadlineExceeded,
  )
  await aborted.promise
})

test('a connection that is old enough is closed without losing a call', async () => {
  await using door = await openTestDoor({
    user: {
      getUser: async (request) => {
        await delay(5)
        return { user: { id: request.id } }
      },
    },
    door: { maxConnectionAgeSeconds: 0.2 },
  })
  await using transport = peerTransport({ target: 'user', url: door.url })
  const users = createClient(UserService, transport)
  const end = Date.now() + 1000
  while (Date.now() < end) assert.equal((await users.getUser({ id: ADA }, AS_ADA)).user?.id, ADA)
})
