import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Code, ConnectError, createClient, type Interceptor, type Transport } from '@connectrpc/connect'
import { createConnectTransport as nodeConnect, createGrpcWebTransport as nodeGrpcWeb } from '@connectrpc/connect-node'
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-web'
import { InboxService } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { BadRequestSchema, ErrorInfoSchema } from '@gatehouse/contracts/google/rpc/error_details_pb'
import { ADA, openTestDoor, type TestDoor } from './door-for-tests.ts'

const UNKNOWN = '0190a0de-0000-7000-8000-00000000ffff'

const signedIn: Interceptor = (next) => (request) => {
  request.header.set('authorization', 'Bearer ada')
  return next(request)
}

const transports: Record<string, (baseUrl: string) => Transport> = {
  'connect-web, JSON': (baseUrl) => createConnectTransport({ baseUrl, interceptors: [signedIn] }),
  'connect-web, binary': (baseUrl) => createConnectTransport({ baseUrl, useBinaryFormat: true, interceptors: [signedIn] }),
  'connect-web, JSON, GET': (baseUrl) => createConnectTransport({ baseUrl, useHttpGet: true, interceptors: [signedIn] }),
  'connect-web, binary, GET': (baseUrl) =>
    createConnectTransport({ baseUrl, useHttpGet: true, useBinaryFormat: true, interceptors: [signedIn] }),
  'grpc-web, binary': (baseUrl) => createGrpcWebTransport({ baseUrl, interceptors: [signedIn] }),
  'grpc-web, JSON': (baseUrl) => createGrpcWebTransport({ baseUrl, useBinaryFormat: false, interceptors: [signedIn] }),
  'connect-node, gzip': (baseUrl) =>
    nodeConnect({ baseUrl, httpVersion: '1.1', interceptors: [signedIn], compressMinBytes: 0, sendCompression: gzip }),
  'connect-node, grpc-web, gzip': (baseUrl) =>
    nodeGrpcWeb({ baseUrl, httpVersion: '1.1', interceptors: [signedIn], compressMinBytes: 0, sendCompression: gzip }),
}

const { compressionGzip: gzip } = await import('@connectrpc/connect-node')

for (const [name, transportTo] of Object.entries(transports)) {
  test(`answers ${name}`, async (t) => {
    await using opened = await openTestDoor()
    const transport = transportTo(opened.url)
    const users = createClient(UserService, transport)

    await t.test('unary', async () => {
      const { user } = await users.getUser({ id: ADA })
      assert.equal(user?.email, 'ada@example.com')
      assert.equal(opened.calls.at(-1)?.person().id, ADA)
      const created = await users.createUser({ name: 'Grace', email: 'grace@Example.COM' })
      assert.equal(created.user?.email, 'grace@example.com', 'the canonical form reaches the handler')
    })

    await t.test('refusals with their reasons', async () => {
      const unknown = await failure(users.getUser({ id: UNKNOWN }))
      assert.equal(unknown.code, Code.NotFound)
      assert.equal(reasonOf(unknown), 'USER_NOT_FOUND')
      assert.match(unknown.metadata.get('x-trace-id') ?? '', /^[0-9a-f]{32}$/)
      const invalid = await failure(users.createUser({ name: '', email: 'x' }))
      assert.equal(reasonOf(invalid), 'INVALID_REQUEST')
      assert.deepEqual(
        invalid.findDetails(BadRequestSchema)[0]?.fieldViolations.map((violation) => violation.field),
        ['name', 'email'],
      )
    })

    await t.test('a fault of ours, without its cause', async () => {
      const fault = await failure(users.listUsers({ pageToken: 'break' }))
      assert.equal(fault.code, Code.Internal)
      assert.equal(reasonOf(fault), 'INTERNAL')
      assert.doesNotMatch(JSON.stringify(fault), /secret detail/)
      assert.ok(opened.faults.some((line) => line.includes('secret detail')))
    })

    await t.test('a deadline', async () => {
      const late = await failure(users.listUsers({ pageToken: 'wait' }, { timeoutMs: 50 }))
      assert.equal(late.code, Code.DeadlineExceeded)
    })

    await t.test('a server stream', async () => {
      const inbox = createClient(InboxService, transport)
      const cursors: string[] = []
      for await (const message of inbox.watchInbox({ cursor: 'c' })) cursors.push(message.cursor)
      assert.deepEqual(cursors, ['c1', 'c2'])
    })

    await t.test('a stream that is refused', async () => {
      const inbox = createClient(InboxService, transport)
      const refused = await failure(drainAll(inbox.watchInbox({ cursor: 'x'.repeat(201) })))
      assert.equal(reasonOf(refused), 'INVALID_REQUEST')
      assert.match(refused.metadata.get('x-trace-id') ?? '', /^[0-9a-f]{32}$/)
    })
  })
}

test('tells a handler that the client went away', async () => {
  await using opened = await openTestDoor()
  const users = createClient(UserService, createConnectTransport({ baseUrl: opened.url, interceptors: [signedIn] }))
  const inbox = createClient(InboxService, createConnectTransport({ baseUrl: opened.url, interceptors: [signedIn] }))
  for (const open of [
    (signal: AbortSignal) => users.listUsers({ pageToken: 'wait' }, { signal }),
    (signal: AbortSignal) => drainAll(inbox.watchInbox({ cursor: 'wait' }, { signal })),
  ]) {
    const client = new AbortController()
    const ended = failure(open(client.signal))
    const call = await reached(opened)
    const { promise: gone, resolve } = Promise.withResolvers<void>()
    call.signal.addEventListener('abort', () => resolve())
    client.abort()
    assert.equal((await ended).code, Code.Canceled)
    await gone
  }
  assert.deepEqual(opened.faults, [])
})

test('answers buf curl, an independent client', async (t) => {
  await using opened = await openTestDoor()
  const root = fileURLToPath(new URL('../../../../', import.meta.url))
  const curl = async (protocol: string, rpc: string, data: object) => {
    const args = [
      'curl',
      '--protocol',
      protocol,
      '--schema',
      root,
      '-H',
      'authorization: Bearer ada',
      '-d',
      JSON.stringify(data),
      `${opened.url}/${rpc}`,
    ]
    const { stdout } = await promisify(execFile)(`${root}node_modules/.bin/buf`, args, { cwd: root })
    return stdout
      .trim()
      .split(/\n(?=\{)/)
      .map((text) => JSON.parse(text))
  }
  for (const protocol of ['connect', 'grpcweb']) {
    await t.test(protocol, async () => {
      const [answer] = await curl(protocol, 'gatehouse.user.v1.UserService/GetUser', { id: ADA })
      assert.equal(answer.user.name, 'Ada')
      const messages = await curl(protocol, 'gatehouse.notification.v1.InboxService/WatchInbox', { cursor: 'c' })
      assert.deepEqual(
        messages.map((message) => message.cursor),
        ['c1', 'c2'],
      )
      const refused = await curl(protocol, 'gatehouse.user.v1.UserService/GetUser', { id: UNKNOWN }).catch((error) =>
        JSON.parse(error.stderr),
      )
      assert.equal(refused.code, 'not_found')
      assert.match(Buffer.from(refused.details[0].value, 'base64').toString('latin1'), /USER_NOT_FOUND/)
    })
  }
})

async function drainAll(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}

async function failure(call: Promise<unknown>): Promise<ConnectError> {
  const error = await call.then(
    () => assert.fail('The call was answered'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof ConnectError, String(error))
  return error
}

function reasonOf(error: ConnectError): string | undefined {
  return error.findDetails(ErrorInfoSchema)[0]?.reason
}

async function reached(opened: TestDoor) {
  const deadline = Date.now() + 5000
  for (;;) {
    const call = opened.calls.pop()
    if (call) return call
    assert.ok(Date.now() < deadline, 'No call reached a handler')
    await new Promise((resolve) => setImmediate(resolve))
  }
}
