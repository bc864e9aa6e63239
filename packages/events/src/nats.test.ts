import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { startNats } from '@gatehouse/testkit'
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

test('a password that was changed on the server is shown at the next connection, without a restart', async (t) => {
  const storeDir = await mkdtemp(join(tmpdir(), 'gatehouse-new-password-'))
  t.after(() => rm(storeDir, { recursive: true, force: true }))
  const start = (password: string, port = 0) => startNats({ storeDir, port, users: [{ name: 'user', password }] })
  const before = 'the-password-before'
  const first = await start(before)
  let password = before
  const nats = connectNats({ url: () => `nats://user:${password}@127.0.0.1:${first.port}`, name: 'test' })
  t.after(() => nats[Symbol.asyncDispose]())
  await nats.connected()
  await first.stop()
  await using _second = await start('the-password-after', first.port)
  await until(() => nats.current() === undefined)
  password = 'the-password-after'
  assert.equal((await nats.connected(AbortSignal.timeout(20_000))).isClosed(), false)
})

async function until(holds: () => boolean): Promise<void> {
  for (const end = performance.now() + 10_000; !holds(); await delay(5)) assert.ok(performance.now() < end, 'it did not come true')
}
