import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { reset } from './reset.ts'

const server = createServer({ allowHalfOpen: true })
before(() => once(server.listen(0, '127.0.0.1'), 'listening'))
after(() => server.close())

const openSockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length

/** Both ends of a connection; neither ends because the other has. */
async function connection(): Promise<{ client: Socket; peer: Socket }> {
  const client = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true })
  const [[peer]] = (await Promise.all([once(server, 'connection'), once(client, 'connect')])) as [[Socket], unknown[]]
  client.resume()
  return { client, peer }
}

const bothClosed = (...sockets: Socket[]) =>
  Promise.all(sockets.map((socket) => new Promise<void>((resolve) => void socket.once('close', () => resolve()))))

test('a connection that is reset is ended for the other side', async () => {
  const { client, peer } = await connection()
  const problems: unknown[] = []
  peer.resume().on('error', (error: NodeJS.ErrnoException) => problems.push(error.code))
  const closed = bothClosed(client, peer)
  reset(client)
  await closed
  assert.deepEqual(problems, ['ECONNRESET'])
  assert.equal(openSockets(), 0)
})

test('a connection that is ending when it is reset leaves no handle open, which would keep the process alive', async () => {
  const { client, peer } = await connection()
  const problems: Error[] = []
  client.on('error', (error) => problems.push(error))
  const closed = bothClosed(client, peer)
  client.end()
  reset(client)
  peer.destroy()
  await closed
  assert.deepEqual(problems, [])
  assert.equal(openSockets(), 0)
})
