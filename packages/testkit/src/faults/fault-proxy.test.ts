import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts'

/** Says its name, then gives back what it gets. */
async function echo(name: string): Promise<AsyncDisposable & { readonly host: string; readonly port: number; close(): Promise<void> }> {
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => undefined)
    socket.write(name)
    socket.pipe(socket)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()))
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    close,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy()
      if (server.listening) await close()
    },
  }
}

type Client = Disposable & {
  readonly said: string
  readonly ended: Promise<string>
  send(text: string): void
  hears(text: string): Promise<void>
}

function client({ port }: FaultProxy): Client {
  let said = ''
  let heard: () => void = () => undefined
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  socket.on('data', (text) => {
    said += text
    heard()
  })
  const ended = new Promise<string>((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? '')).once('close', () => resolve('end'))
  })
  return {
    get said() {
      return said
    },
    ended,
    send: (text) => void socket.write(text),
    hears: (text) =>
      new Promise((resolve) => {
        heard = () => said === text && resolve()
        heard()
      }),
    [Symbol.dispose]: () => void socket.destroy(),
  }
}

test('carries bytes both ways without a fault, and counts them', async () => {
  await using target = await echo('a')
  await using proxy = await startFaultProxy({ targets: target })
  using one = client(proxy)
  one.send('hello')
  await one.hears('ahello')
  assert.deepEqual(proxy.usage, { connections: 1, open: 1, bytesUp: 5, bytesDown: 6 })
})

test('ends a connection only after what was under way', async () => {
  await using proxy = await startFaultProxy({ targets: await listening((socket) => void socket.end('last words')) })
  await proxy.set({ kind: 'latency', ms: 20, jitterMs: 20 })
  using one = client(proxy)
  assert.equal(await one.ended, 'end')
  assert.equal(one.said, 'last words')
})

test('goes round several targets, and passes over one that does not answer', async () => {
  await using a = await echo('a')
  await using b = await echo('b')
  await using proxy = await startFaultProxy({ targets: () => [a, b] })
  for (const name of ['a', 'b', 'a']) {
    using one = client(proxy)
    await one.hears(name)
  }
  await a.close()
  for (let i = 0; i < 3; i++) {
    using one = client(proxy)
    await one.hears('b')
  }
})

test('latency delays each way', async () => {
  await using target = await echo('')
  await using proxy = await startFaultProxy({ targets: target })
  await proxy.set({ kind: 'latency', ms: 60 })
  using one = client(proxy)
  const start = performance.now()
  one.send('x')
  await one.hears('x')
  assert.ok(performance.now() - start >= 119)
})

test('a blackhole accepts and keeps silent, its target knows nothing of new connections, and what was said arrives when it heals', async () => {
  let reached = 0
  await using proxy = await startFaultProxy({
    targets: await listening((socket) => {
      reached++
      socket.pipe(socket)
    }),
  })
  using before = client(proxy)
  before.send('1')
  await before.hears('1')
  await proxy.set({ kind: 'blackhole' })
  using during = client(proxy)
  before.send('2')
  during.send('3')
  const { bytesUp } = proxy.usage
  // Another connection through another proxy there and back: whatever was going to happen meanwhile has had its turns.
  await using other = await startFaultProxy({ targets: await listening((socket) => void socket.pipe(socket)) })
  using witness = client(other)
  witness.send('here')
  await witness.hears('here')
  assert.deepEqual([before.said, during.said, proxy.usage.bytesUp, reached], ['1', '', bytesUp, 1])
  await proxy.set()
  await before.hears('12')
  await during.hears('3')
})

test('half-open holds one direction, and the other goes on', async () => {
  let got = ''
  const { promise: arrived, resolve } = Promise.withResolvers<void>()
  await using proxy = await startFaultProxy({
    targets: await listening((socket) => {
      socket.on('data', (bytes) => {
        got += String(bytes)
        socket.write('heard')
        if (got === '12') resolve()
      })
    }),
  })
  using one = client(proxy)
  one.send('1')
  await one.hears('heard')
  await proxy.set({ kind: 'half-open', direction: 'down' })
  one.send('2')
  await arrived
  assert.equal(one.said, 'heard')
  await proxy.set()
  await one.hears('heardheard')
})

test('a slow drip gives everything, a little at a time', async () => {
  await using proxy = await startFaultProxy({ targets: await listening((socket) => void socket.end('0123456789')) })
  await proxy.set({ kind: 'drip', bytesPerSecond: 60 })
  using one = client(proxy)
  const start = performance.now()
  await one.ended
  assert.equal(one.said, '0123456789')
  // Three bytes each fiftieth of a second.
  assert.ok(performance.now() - start >= 149)
})

test('reset ends what is open and what comes, and cut only what is open', async () => {
  await using target = await echo('a')
  await using proxy = await startFaultProxy({ targets: target })
  using open = client(proxy)
  await open.hears('a')
  await proxy.set({ kind: 'reset' })
  assert.equal(await open.ended, 'ECONNRESET')
  using refused = client(proxy)
  assert.equal(await refused.ended, 'ECONNRESET')
  await proxy.set()
  using again = client(proxy)
  await again.hears('a')
  proxy.cut()
  assert.equal(await again.ended, 'ECONNRESET')
  using last = client(proxy)
  await last.hears('a')
})

test('refuse closes the door to new ones for a while, under the same port', async () => {
  await using target = await echo('a')
  await using proxy = await startFaultProxy({ targets: target })
  using open = client(proxy)
  await open.hears('a')
  await proxy.set({ kind: 'refuse' })
  using refused = client(proxy)
  assert.equal(await refused.ended, 'ECONNREFUSED')
  open.send('b')
  await open.hears('ab')
  await proxy.set()
  using again = client(proxy)
  await again.hears('a')
})

test('shows what passes, by connection', async () => {
  await using target = await echo('')
  await using proxy = await startFaultProxy({ targets: target })
  const passed: string[] = []
  proxy.watch(({ connection, direction, bytes }) => passed.push(`${connection} ${direction} ${bytes}`))
  for (const text of ['a', 'b']) {
    using one = client(proxy)
    one.send(text)
    await one.hears(text)
  }
  assert.deepEqual(passed, ['1 up a', '1 down a', '2 up b', '2 down b'])
})

test('with no target at all a connection is reset', async () => {
  await using proxy = await startFaultProxy({ targets: () => [] })
  using one = client(proxy)
  assert.equal(await one.ended, 'ECONNRESET')
})

/** A server that the file's process takes with it when it ends. */
async function listening(serve: (socket: Socket) => void): Promise<{ host: string; port: number }> {
  const server = createServer((socket) => {
    socket.unref().on('error', () => undefined)
    serve(socket)
  })
  await once(server.listen(0, '127.0.0.1').unref(), 'listening')
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
}
