import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Code, ConnectError, createClient } from '@connectrpc/connect'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { startTelemetry } from '@gatehouse/telemetry'
import { context, trace } from '@opentelemetry/api'
import { callOf } from '../call.ts'
import { ADA, AS_ADA, type LogLine, openTestDoor } from '../grpc/door-for-tests.ts'
import { isUnavailableError, reasonOf } from '../peer-error.ts'
import { commonRefusal } from '../refusal.ts'
import { peerTransport } from './peer-transport.ts'

const UNAVAILABLE = () => commonRefusal(ErrorReason.DEPENDENCY_UNAVAILABLE, { dependency: 'database' })

/** A port that nobody listens on now. */
async function unusedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

function recorder(): { lines: LogLine[]; log: Record<LogLine['level'], (fields: object, message: string) => void> } {
  const lines: LogLine[] = []
  const line = (level: LogLine['level']) => (fields: object, message: string) => void lines.push({ level, message, fields: { ...fields } })
  return { lines, log: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') } }
}

describe('retries', () => {
  test('repeat a call that the contract calls repeatable until the peer answers', async () => {
    let calls = 0
    await using door = await openTestDoor({
      user: {
        getUser: (request) => {
          calls += 1
          if (calls < 3) throw UNAVAILABLE()
          return { user: { id: request.id } }
        },
      },
    })
    await using transport = peerTransport({ target: 'user', url: door.url })
    assert.equal((await createClient(UserService, transport).getUser({ id: ADA }, AS_ADA)).user?.id, ADA)
    assert.equal(calls, 3)
  })

  test('give up after a few', async () => {
    let calls = 0
    await using door = await openTestDoor({
      user: {
        getUser: () => {
          calls += 1
          throw UNAVAILABLE()
        },
      },
    })
    await using transport = peerTransport({ target: 'user', url: door.url })
    await assert.rejects(createClient(UserService, transport).getUser({ id: ADA }, AS_ADA), isUnavailableError)
    assert.equal(calls, 4)
  })

  test('do not repeat a call that may have happened', async () => {
    let calls = 0
    await using door = await openTestDoor({
      session: {
        signIn: () => {
          calls += 1
          throw UNAVAILABLE()
        },
      },
    })
    await using transport = peerTransport({ target: 'auth', url: door.url })
    await assert.rejects(createClient(SessionService, transport).signIn({ email: 'a@b.c', password: 'x' }), isUnavailableError)
    assert.equal(calls, 1)
  })

  test('do not repeat a refusal', async () => {
    let calls = 0
    await using door = await openTestDoor({
      user: {
        getUser: () => {
          calls += 1
          throw commonRefusal(ErrorReason.ETAG_MISMATCH)
        },
      },
    })
    await using transport = peerTransport({ target: 'user', url: door.url })
    await assert.rejects(createClient(UserService, transport).getUser({ id: ADA }, AS_ADA), (error) => reasonOf(error) === 'ETAG_MISMATCH')
    assert.equal(calls, 1)
  })

  test('stop while most calls fail, so that a peer that comes back is not overrun', async () => {
    let calls = 0
    await using door = await openTestDoor({
      user: {
        getUser: () => {
          calls += 1
          throw UNAVAILABLE()
        },
      },
    })
    await using transport = peerTransport({ target: 'user', url: door.url })
    const users = createClient(UserService, transport)
    await Promise.allSettled(Array.from({ length: 50 }, () => users.getUser({ id: ADA }, AS_ADA)))
    assert.ok(calls < 75, `${calls} calls for 50`)
  })
})

describe('a deadline', () => {
  test('is set where the caller sets none, and travels', async () => {
    const seen: (number | undefined)[] = []
    await using door = await openTestDoor({
      user: {
        getUser: (_request, context) => {
          seen.push(context.timeoutMs())
          return {}
        },
      },
    })
    await using transport = peerTransport({ target: 'user', url: door.url })
    const users = createClient(UserService, transport)
    await users.getUser({ id: ADA }, AS_ADA)
    await users.getUser({ id: ADA }, { ...AS_ADA, timeoutMs: 900 })
    assert.ok((seen[0] ?? 0) > 4000 && (seen[0] ?? 0) <= 5000, String(seen[0]))
    assert.ok((seen[1] ?? 0) > 500 && (seen[1] ?? 0) <= 900, String(seen[1]))
  })

  test('that is over before the call is a deadline that passed', async () => {
    await using door = await openTestDoor({ user: { getUser: () => ({}) } })
    await using transport = peerTransport({ target: 'user', url: door.url })
    await assert.rejects(
      createClient(UserService, transport).getUser({ id: ADA }, { ...AS_ADA, timeoutMs: -1 }),
      (error: ConnectError) => error.code === Code.DeadlineExceeded,
    )
  })

  test('holds against a peer that accepts and never answers', async () => {
    const sockets: Socket[] = []
    const silent = createServer((socket) => sockets.push(socket))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const address = silent.address()
    const port = typeof address === 'object' ? address?.port : 0
    await using transport = peerTransport({ target: 'user', url: `127.0.0.1:${port}` })
    await assert.rejects(createClient(UserService, transport).getUser({ id: ADA }, { timeoutMs: 200 }), isUnavailableError)
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => silent.close(resolve))
  })
})

test('aborting the signal cancels the call here and there', async () => {
  const aborted = Promise.withResolvers<void>()
  const entered = Promise.withResolvers<void>()
  await using door = await openTestDoor({
    user: {
      getUser: (_request, context) => {
        context.signal.addEventListener('abort', () => aborted.resolve())
        entered.resolve()
        return new Promise(() => {})
      },
    },
  })
  await using transport = peerTransport({ target: 'user', url: door.url })
  const abort = new AbortController()
  const call = createClient(UserService, transport).getUser({ id: ADA }, { ...AS_ADA, signal: abort.signal })
  await entered.promise
  abort.abort()
  await assert.rejects(call, (error: ConnectError) => error.code === Code.Canceled)
  await aborted.promise
  await assert.rejects(
    createClient(UserService, transport).getUser({ id: ADA }, { ...AS_ADA, signal: abort.signal }),
    (error: ConnectError) => error.code === Code.Canceled,
  )
})

test('a peer that is away is told once, and that it is back once', async () => {
  const { lines, log } = recorder()
  const port = await unusedPort()
  await using transport = peerTransport({ target: 'user', url: `127.0.0.1:${port}`, log })
  const users = createClient(UserService, transport)
  for (let call = 0; call < 5; call += 1) await assert.rejects(users.getUser({ id: ADA }, AS_ADA), isUnavailableError)
  assert.deepEqual(
    lines.map(({ level, message, fields }) => [level, message, fields.peer]),
    [['warn', 'peer is away', 'user']],
  )
  await using _door = await openTestDoor({ user: { getUser: (request) => ({ user: { id: request.id } }) }, door: { port } })
  const end = Date.now() + 10_000
  for (;;) {
    try {
      await users.getUser({ id: ADA }, AS_ADA)
      break
    } catch (error) {
      assert.ok(isUnavailableError(error) && Date.now() < end, String(error))
    }
  }
  assert.deepEqual(
    lines.map(({ message }) => message),
    ['peer is away', 'peer is back'],
  )
})

test('streams that a peer ends again and again are no absence', async () => {
  const { lines, log } = recorder()
  await using door = await openTestDoor({
    user: {
      async *watchUsers() {
        yield { cursor: '1' }
        throw UNAVAILABLE()
      },
    },
  })
  await using transport = peerTransport({ target: 'user', url: door.url, log })
  const users = createClient(UserService, transport)
  for (let ended = 0; ended < 3; ended += 1) {
    const follow = async () => {
      for await (const { cursor } of users.watchUsers({}, { headers: { authorization: 'Bearer admin' } })) assert.equal(cursor, '1')
    }
    await assert.rejects(follow(), isUnavailableError)
  }
  assert.deepEqual(lines, [])
})

test('calls are spread over every replica behind a name', async () => {
  const counts = [0, 0]
  const replica = (index: number, port: number) =>
    openTestDoor({
      user: {
        getUser: () => {
          counts[index] = (counts[index] ?? 0) + 1
          return {}
        },
      },
      door: { port, host: index === 0 ? '127.0.0.1' : '127.0.0.2' },
    })
  await using one = await replica(0, 0)
  await using two = await replica(1, one.door.port)
  await using transport = peerTransport({ target: 'user', url: `ipv4:127.0.0.1:${one.door.port},127.0.0.2:${two.door.port}` })
  const users = createClient(UserService, transport)
  for (let call = 0; call < 20; call += 1) await users.getUser({ id: ADA }, AS_ADA)
  assert.ok(
    counts.every((count) => count >= 5),
    String(counts),
  )
})

test('a replica that drains costs no call, not even one that must not be repeated', async () => {
  const replica = (host: string, port: number) =>
    openTestDoor({
      session: {
        signIn: async () => {
          await delay(2)
          return {}
        },
      },
      door: { host, port },
    })
  await using one = await replica('127.0.0.1', 0)
  await using two = await replica('127.0.0.2', one.door.port)
  await using transport = peerTransport({ target: 'auth', url: `ipv4:127.0.0.1:${one.door.port},127.0.0.2:${two.door.port}` })
  const sessions = createClient(SessionService, transport)
  let over = false
  let calls = 0
  const callers = Array.from({ length: 20 }, async () => {
    while (!over) {
      await sessions.signIn({ email: 'ada@example.com', password: 'x' })
      calls += 1
    }
  })
  const untilCalls = async (more: number): Promise<void> => {
    const goal = calls + more
    while (calls < goal) await Promise.race([delay(5), ...callers])
  }
  await untilCalls(200)
  await two.door.drain(5000)
  await untilCalls(200)
  over = true
  await Promise.all(callers)
})

test('the trace of the calling context goes along', async () => {
  const traces: string[] = []
  await using door = await openTestDoor({
    user: {
      getUser: (_request, context) => {
        traces.push(callOf(context).header('traceparent') ?? '')
        return {}
      },
    },
  })
  await using transport = peerTransport({ target: 'user', url: door.url })
  await using _telemetry = await startTelemetry({ service: 'test' })
  const span = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 }
  await context.with(trace.setSpanContext(context.active(), span), () => createClient(UserService, transport).getUser({ id: ADA }, AS_ADA))
  assert.deepEqual(traces, ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'])
})

test('errors keep their details and the peer they came from', async () => {
  await using door = await openTestDoor()
  await using transport = peerTransport({ target: 'user', url: door.url })
  await assert.rejects(
    createClient(UserService, transport).getUser({ id: 'x' }, { headers: { authorization: 'Bearer admin' } }),
    (error) => {
      assert.ok(error instanceof ConnectError)
      assert.equal(reasonOf(error), 'INVALID_REQUEST')
      assert.match(error.metadata.get('x-trace-id') ?? '', /^[0-9a-f]{32}$/)
      return true
    },
  )
})

test('only errors of peers have a reason', () => {
  for (const thrown of [undefined, null, 'x', new Error('x'), new ConnectError('x', Code.NotFound)])
    assert.equal(reasonOf(thrown), undefined)
})
