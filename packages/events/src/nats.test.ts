import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { connectNats } from './nats.ts'

test('a connection to a broker that is frozen is given up as soon as nobody wants it any more', async () => {
  const sockets: Socket[] = []
  const server = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const said: string[] = []
  const say = (_: object, message: string) => void said.push(message)
  const nats = connectNats({ url: `nats://a:b@127.0.0.1:${port}`, name: 'test', log: { info: say, warn: say, error: say } })
  await once(server, 'connection')
  await nats[Symbol.asyncDispose]()
  assert.deepEqual(said, [])
  for (const socket of sockets) socket.destroy()
  server.close()
  await once(server, 'close')
})
