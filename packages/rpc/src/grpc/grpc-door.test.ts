import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Code, type ConnectError, createClient } from '@connectrpc/connect'
import { InboxService } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from '@gatehouse/contracts/grpc/health/v1/health_pb'
import { peerTransport } from '../client/peer-transport.ts'
import { reasonOf } from '../peer-error.ts'
import { ADA, openTestDoor, personFor } from './door-for-tests.ts'
import { frame, openSession, rawCall } from './raw-call-for-tests.ts'

const AS_ADA = { headers: { authorization: 'Bearer ada' } }

/** Waits until `holds`, for five seconds at most. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 5000
  while (!(await holds())) {
    assert.ok(Date.now() < end, 'in five seconds')
    await delay(5)
  }
}

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

describe('a stream', () => {
  const open = () =>
    openTestDoor({
      inbox: {
        async *watchInbox(_request, context) {
          yield { cursor: '1' }
          await new Promise<void>((resolve) => context.signal.addEventListener('abort', () => resolve()))
          ended += 1
        },
      },
    })
  let ended = 0

  test("ends well when the person's token ends", async () => {
    await using door = await open()
    door.people.set('short', personFor(ADA, { expireTime: Date.now() + 500 }))
    await using transport = peerTransport({ target: 'notification', url: door.url })
    const cursors: string[] = []
    for await (const { cursor } of createClient(InboxService, transport).watchInbox({}, { headers: { authorization: 'Bearer short' } })) {
      cursors.push(cursor)
    }
    assert.deepEqual(cursors, ['1'])
  })

  test('ends well at its age, however old its connection is', async () => {
    await using door = await openTestDoor({
      inbox: {
        async *watchInbox(_request, context) {
          for (let cursor = 1; ; cursor += 1) {
            yield { cursor: String(cursor) }
            await delay(20, undefined, { signal: context.signal })
          }
        },
      },
      pipeline: { maxStreamSeconds: 0.6 },
      door: { maxConnectionAgeSeconds: 0.2 },
    })
    await using transport = peerTransport({ target: 'notification', url: door.url })
    const started = performance.now()
    for await (const { cursor } of createClient(InboxService, transport).watchInbox({}, AS_ADA)) assert.notEqual(cursor, '')
    const lasted = performance.now() - started
    assert.ok(lasted > 500, `${lasted} ms`)
    assert.deepEqual(
      door.log.filter(({ level }) => level === 'error' || level === 'warn'),
      [],
    )
  })

  test('is refused within seconds after its token was revoked', async () => {
    await using door = await open()
    await using transport = peerTransport({ target: 'notification', url: door.url })
    const watching = (async () => {
      for await (const { cursor } of createClient(InboxService, transport).watchInbox({}, AS_ADA))
        if (cursor === '1') door.people.delete('ada')
    })()
    await assert.rejects(watching, (error) => reasonOf(error) === 'ACCESS_TOKEN_INVALID')
  })

  test('ends its handler when the caller goes', async () => {
    await using door = await open()
    await using transport = peerTransport({ target: 'notification', url: door.url })
    ended = 0
    const abort = new AbortController()
    const watching = (async () => {
      for await (const _ of createClient(InboxService, transport).watchInbox({}, { ...AS_ADA, signal: abort.signal })) abort.abort()
    })()
    await assert.rejects(watching, (error: ConnectError) => error.code === Code.Canceled)
    await until(() => ended === 1)
    assert.deepEqual(
      door.log.filter(({ level }) => level === 'error' || level === 'warn'),
      [],
    )
  })

  test('whose handler fails half-way tells what it had and then the neutral error', async () => {
    await using door = await openTestDoor({
      inbox: {
        async *watchInbox() {
          yield { cursor: '1' }
          throw new Error('half-way')
        },
      },
    })
    await using transport = peerTransport({ target: 'notification', url: door.url })
    const cursors: string[] = []
    await assert.rejects(
      async () => {
        for await (const { cursor } of createClient(InboxService, transport).watchInbox({}, AS_ADA)) cursors.push(cursor)
      },
      (error) => reasonOf(error) === 'INTERNAL',
    )
    assert.deepEqual(cursors, ['1'])
    assert.equal(door.log.filter(({ level }) => level === 'error').length, 1)
  })

  test('waits for a caller that does not read', async () => {
    let made = 0
    await using door = await openTestDoor({
      inbox: {
        async *watchInbox() {
          for (;;) {
            made += 1
            yield { cursor: 'x'.repeat(60_000) }
          }
        },
      },
    })
    await using session = await openSession(door.door.port)
    const stream = session.request({
      ':method': 'POST',
      ':path': '/gatehouse.notification.v1.InboxService/WatchInbox',
      'content-type': 'application/grpc',
      ...AS_ADA.headers,
    })
    stream.on('error', () => {})
    stream.end(frame(Buffer.alloc(0)))
    await until(() => made > 0)
    let before = -1
    while (before !== made) {
      before = made
      await delay(100)
    }
    assert.ok(made < 10, `${made} messages were made for nobody`)
    stream.close(8)
  })

  test('that is not read is cut, says so to whoever reads on, and nothing is missed from the last cursor', async () => {
    let ended = 0
    const options = {
      inbox: {
        async *watchInbox({ cursor }: { cursor: string }) {
          try {
            for (let next = Number(cursor) + 1; next <= 200; next++) yield { cursor: String(next), items: [{ title: 'x'.repeat(60_000) }] }
          } finally {
            ended += 1
          }
        },
      },
    }
    await using door = await openTestDoor({ ...options, pipeline: { slowReaderSeconds: 0.2 }, door: { maxStreams: 1 } })
    await using transport = peerTransport({ target: 'notification', url: door.url })
    const read: number[] = []
    const watching = createClient(InboxService, transport).watchInbox({ cursor: '0' }, AS_ADA)[Symbol.asyncIterator]()
    await watching.next()
    read.push(1)
    // Its handler ends although nobody asks for more.
    await until(() => ended === 1)
    await assert.rejects(
      async () => {
        for (;;) read.push(Number((await watching.next()).value?.cursor))
      },
      (error) => reasonOf(error) === 'SLOW_READER',
    )
    assert.ok(read.length < 200)
    // Its place is free again.
    await createClient(InboxService, transport).watchInbox({ cursor: '199' }, AS_ADA)[Symbol.asyncIterator]().next()
    await using patient = await openTestDoor(options)
    await using again = peerTransport({ target: 'notification', url: patient.url })
    for await (const { cursor } of createClient(InboxService, again).watchInbox({ cursor: String(read.length) }, AS_ADA))
      read.push(Number(cursor))
    assert.deepEqual(
      read,
      Array.from({ length: 200 }, (_, i) => i + 1),
    )
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
