import assert from 'node:assert/strict'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { createEgress, EgressRefused } from './egress.ts'

let port: number
const connections: string[] = []
const requests: IncomingMessage[] = []
const server = createServer((request, response) => {
  requests.push(request)
  if (request.url === '/moved') response.writeHead(302, { location: `http://127.0.0.1:${port}/elsewhere` }).end()
  else if (request.url === '/endless') response.write('x'.repeat(2_000))
  else if (request.url === '/silent') return
  else if (request.url === '/empty') response.writeHead(204).end()
  else response.end('x'.repeat(900))
})
server.on('connection', ({ remoteAddress = '' }) => connections.push(remoteAddress))
before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
after(() => {
  server.closeAllConnections()
  server.close()
})

/** Why a call failed: what we refuse ourselves comes as the cause of the failure where a name was looked up first. */
async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return 'answered'
  } catch (error) {
    const causes = [error, (error as Error).cause]
    return causes.find((each) => each instanceof EgressRefused)?.message ?? (error as Error).name
  }
}

test('a private address is not even connected to, however it is written; one that is allowed by name is, and by http', async () => {
  const { fetch } = createEgress()
  const near = ['127.0.0.1', '127.1', '2130706433', '[::1]', '[::ffff:127.0.0.1]', '10.0.0.1', '169.254.169.254', '[fd00::1]']
  for (const host of near) assert.equal(await refusal(fetch(`https://${host}:${port}/`)), 'the address is in a private network', host)
  for (const host of ['localhost', 'LOCALHOST'])
    assert.equal(await refusal(fetch(`https://${host}:${port}/`)), 'the name is of a private network', host)
  assert.equal(await refusal(fetch(`http://127.0.0.1:${port}/`)), 'the address is not https')
  assert.deepEqual(connections, [])

  for (const allow of ['127.0.0.1', `127.0.0.1:${port}`])
    assert.equal((await createEgress({ allow: [allow] }).fetch(`http://127.0.0.1:${port}/`)).status, 200)
  const other = createEgress({ allow: [`127.0.0.1:${port + 1}`, 'localhost'] })
  assert.equal(await refusal(other.fetch(`http://127.0.0.1:${port}/`)), 'the address is not https')
})

test('nobody is followed elsewhere, and a dispatcher of the caller’s own does not matter', async () => {
  const { fetch } = createEgress({ allow: ['127.0.0.1'] })
  const seen = requests.length
  const answer = await fetch(`http://127.0.0.1:${port}/moved`, { redirect: 'follow' })
  assert.deepEqual([answer.status, requests.length - seen], [302, 1])
  const init = { dispatcher: { dispatch: () => assert.fail('not used') } } as RequestInit
  assert.equal((await fetch(`http://127.0.0.1:${port}/`, init)).status, 200)
})

test('an answer has its size and its time', async () => {
  const { fetch } = createEgress({ allow: ['127.0.0.1'], mostBytes: 1_000, timeoutMs: 500 })
  const at = (path: string) => fetch(`http://127.0.0.1:${port}${path}`)
  assert.equal((await (await at('/')).text()).length, 900)
  assert.equal((await at('/empty')).status, 204)
  assert.equal(await refusal(at('/endless')), 'the answer is too long')
  assert.equal(await refusal(at('/silent')), 'TimeoutError')
  assert.equal(await refusal(fetch(`http://ada:secret@127.0.0.1:${port}/`)), 'the address has a user in it')
  assert.equal(await refusal(fetch('file:///etc/passwd')), 'the address is not https')
})
