import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { startFaultProxy } from './fault-proxy.ts'

const closed = (socket: Socket) => new Promise<void>((resolve) => void socket.once('close', () => resolve()))

const openSockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length

async function serve(onConnection: (socket: Socket) => void) {
  const server = createServer({ allowHalfOpen: true }, onConnection)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

test('a proxy that is disposed of in the turn in which connections end leaves no socket open', async () => {
  const peers: Socket[] = []
  const echo = await serve((peer) => void peers.push(peer.on('error', () => undefined).on('data', (bytes) => peer.write(bytes))))
  const proxy = await startFaultProxy({ targets: { host: '127.0.0.1', port: echo.port } })
  // What arrives here in the same turn of the event loop as the ends, as the end of a process does, is the cause of the disposal.
  const disposed = Promise.withResolvers<void>()
  const bell = await serve(
    (socket) => void socket.on('end', () => socket.end()).once('data', () => disposed.resolve(proxy[Symbol.asyncDispose]())),
  )
  const ringer = connect(bell.port, '127.0.0.1')
  await once(ringer, 'connect')
  const clients = Array.from({ length: 10 }, () => connect(proxy.port, '127.0.0.1').on('error', () => undefined))
  await Promise.all(clients.map((client) => client.write('x') && once(client, 'data')))

  const allClosed = Promise.all(clients.map((client) => closed(client.resume())))
  for (const client of clients) client.end()
  await nextTurn()
  ringer.end('now')
  await Promise.all([disposed.promise, allClosed])
  for (const socket of [...peers, ringer]) socket.destroy()
  await Promise.all([echo, bell].map(({ server }) => new Promise<void>((resolve) => void server.close(() => resolve()))))
  // Handles take a turn or two to go.
  for (const end = performance.now() + 2_000; openSockets() > 0 && performance.now() < end; ) await nextTurn()
  assert.equal(openSockets(), 0)
})
