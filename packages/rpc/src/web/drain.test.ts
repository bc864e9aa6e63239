import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { createClient } from '@connectrpc/connect'
import { createConnectTransport } from '@connectrpc/connect-web'
import { InboxService } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import { AUTHORIZATION, openTestDoor, type TestDoor } from './door-for-tests.ts'
import { frame } from './framing.ts'

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, 'It did not happen')
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function list(opened: TestDoor, agent: Agent, pageToken: string) {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number | undefined; connection: string | undefined }>()
  const path = `${opened.url}/api/users?pageToken=${pageToken}`
  const call = request(path, { headers: AUTHORIZATION, agent }, (response) => {
    response.resume()
    response.on('end', () => resolve({ status: response.statusCode, connection: response.headers.connection }))
  })
  call.on('error', reject)
  call.end()
  return promise
}

test('a drain finishes the calls in flight, closes their connections and takes no new ones', async () => {
  await using opened = await openTestDoor()
  using agent = keepAlive()
  const idle = await list(opened, agent, '')
  assert.equal(idle.connection, 'keep-alive')
  const inFlight = list(opened, agent, 'wait')
  await until(() => opened.calls.length === 2)

  const drained = opened.door.drain()
  await until(async () => !(await connects(opened)))
  opened.gate.resolve()
  assert.deepEqual(await inFlight, { status: 200, connection: 'close' })
  await drained
})

test('whoever keeps a connection hears of the end by an answer, and not by a connection that ends under a call', async () => {
  await using opened = await openTestDoor({ drainIdleMs: 10_000 })
  using agent = keepAlive()
  assert.equal((await list(opened, agent, '')).connection, 'keep-alive')
  const began = performance.now()
  const drained = opened.door.drain()
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(await list(opened, agent, ''), { status: 200, connection: 'close' })
  await drained
  assert.ok(performance.now() - began < 9_000, 'nobody has a connection any more, so nobody is waited for')
})

test('a drain ends the streams well, so that their clients come again', async () => {
  await using opened = await openTestDoor()
  const transport = createConnectTransport({ baseUrl: opened.url })
  const cursors: string[] = []
  const ended = (async () => {
    for await (const message of createClient(InboxService, transport).watchInbox({ cursor: 'wait' }, { headers: AUTHORIZATION }))
      cursors.push(message.cursor)
  })()
  await until(() => cursors.length === 1)
  await opened.door.drain()
  await ended
  assert.deepEqual(cursors, ['wait1'])
})

test('a stream that is not read is cut, and says so to whoever reads on', async () => {
  await using opened = await openTestDoor({ slowReaderSeconds: 0.2 })
  const answer = await fetch(`${opened.url}/gatehouse.notification.v1.InboxService/WatchInbox`, {
    method: 'POST',
    headers: { ...AUTHORIZATION, 'content-type': 'application/connect+json' },
    body: new Uint8Array(frame(Buffer.from('{"cursor":"endless"}'))),
  })
  await until(() => opened.calls[0]?.signal.aborted === true)
  assert.match(await answer.text(), /"code":"resource_exhausted","message":"The stream was cut because it was not read\."/)
})

test('a drain does not wait for connections that say nothing', async () => {
  await using opened = await openTestDoor()
  const socket = connect(opened.door.port, '127.0.0.1')
  await once(socket, 'connect')
  await opened.door.drain()
  socket.destroy()
})

test('disposing does not wait for calls in flight', async () => {
  const opened = await openTestDoor()
  using agent = keepAlive()
  const inFlight = list(opened, agent, 'wait').then(
    () => 'answered',
    () => 'cut',
  )
  await until(() => opened.calls.length === 1)
  await opened.door[Symbol.asyncDispose]()
  assert.equal(await inFlight, 'cut')
  opened.gate.resolve()
})

test('more calls and streams than the door has room for are shed', async () => {
  await using opened = await openTestDoor({ maxCalls: 1, maxStreams: 1 })
  using agent = keepAlive()
  const inFlight = list(opened, agent, 'wait')
  await until(() => opened.calls.length === 1)
  assert.equal((await list(opened, agent, '')).status, 429)
  const inbox = createClient(InboxService, createConnectTransport({ baseUrl: opened.url }))
  const stream = inbox.watchInbox({ cursor: 'wait' }, { headers: AUTHORIZATION })[Symbol.asyncIterator]()
  await stream.next()
  await assert.rejects(inbox.watchInbox({ cursor: 'wait' }, { headers: AUTHORIZATION })[Symbol.asyncIterator]().next(), /busy/)
  opened.gate.resolve()
  assert.equal((await inFlight).status, 200)
  assert.equal((await list(opened, agent, '')).status, 200)
  await stream.next()
  await stream.next()
})

test('more large bodies than the door has room for are shed before they are read, small ones are not', async () => {
  await using opened = await openTestDoor({ bodyBudgetBytes: 4 * 1024 * 1024 })
  const url = `${opened.url}/api/users:search`
  const headers = { ...AUTHORIZATION, 'content-type': 'application/json' }
  const holding = request(url, { method: 'POST', headers: { ...headers, 'content-length': 4 * 1024 * 1024 } })
  holding.on('error', () => {})
  holding.write('{')
  const post = async (body: string) => (await fetch(url, { method: 'POST', headers, body })).status
  const small = JSON.stringify({ query: 'a' })
  const large = small + ' '.repeat(100_000)
  await until(async () => (await post(large)) === 429)
  assert.equal(await post(small), 200)
  holding.destroy()
  await until(async () => (await post(large)) === 200)
})

test('a compressed body counts as large as it can become', async () => {
  await using opened = await openTestDoor({ bodyBudgetBytes: 4 * 1024 * 1024 })
  const url = `${opened.url}/api/users:search`
  const headers = { ...AUTHORIZATION, 'content-type': 'application/json' }
  const holding = request(url, { method: 'POST', headers: { ...headers, 'content-length': 4 * 1024 * 1024 } })
  holding.on('error', () => {})
  holding.write('{')
  const post = async (body: Buffer, more = {}) =>
    (await fetch(url, { method: 'POST', headers: { ...headers, ...more }, body: new Uint8Array(body) })).status
  const large = JSON.stringify({ query: 'a' }).padEnd(400_000)
  const bomb = gzipSync(large)
  await until(async () => (await post(bomb, { 'content-encoding': 'gzip' })) === 429)
  assert.equal(await post(brotliCompressSync(large), { 'content-encoding': 'br' }), 429)
  const stream = `${opened.url}/gatehouse.notification.v1.InboxService/WatchInbox`
  for (const [type, name] of [
    ['connect+json', 'connect-content-encoding'],
    ['grpc-web+json', 'grpc-encoding'],
  ] as const) {
    const sent = { ...AUTHORIZATION, 'content-type': `application/${type}`, [name]: 'gzip' }
    assert.equal((await fetch(stream, { method: 'POST', headers: sent, body: new Uint8Array(frame(bomb, 1)) })).status, 429)
  }
  assert.equal(await post(Buffer.from(JSON.stringify({ query: 'a' }))), 200)
  holding.destroy()
  await until(async () => (await post(bomb, { 'content-encoding': 'gzip' })) === 200)
})

function keepAlive(): Agent & Disposable {
  const agent = new Agent({ keepAlive: true })
  return Object.assign(agent, { [Symbol.dispose]: () => agent.destroy() })
}

async function connects(opened: TestDoor): Promise<boolean> {
  const socket = connect(opened.door.port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
