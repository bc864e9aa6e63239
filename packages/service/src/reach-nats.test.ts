import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { reachNats } from './reach-nats.ts'

test('a broker that is frozen is told in seconds', async () => {
  const sockets: Socket[] = []
  const server = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await assert.rejects(reachNats(`nats://a:b@127.0.0.1:${port}`, 'test'), /takes connections and does not answer/)
  for (const socket of sockets) socket.destroy()
  server.close()
})
