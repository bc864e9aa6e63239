import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'node:test'
import { startOrigin } from './origin.ts'
import { restPrefixes } from './routes.ts'

/** An origin before a server that notes what reaches it. */
async function openOrigin(doors: (port: number) => readonly number[] = (port) => [port]) {
  const seen: { method: string | undefined; url: string | undefined; source: string | string[] | undefined; body: string }[] = []
  const behind = createServer(async (incoming, response) => {
    const { method, url, headers } = incoming
    const noted = { method, url, source: headers['x-forwarded-for'], body: '' }
    seen.push(noted)
    for await (const chunk of incoming) noted.body += String(chunk)
    response.end('{}')
  })
  behind.listen(0, '127.0.0.1')
  await once(behind, 'listening')
  const ports = { grpc: 0, web: (behind.address() as AddressInfo).port, metrics: 0 }
  const mailbox = { port: 0, messages: [], clear() {}, async [Symbol.asyncDispose]() {} }
  const services = { user: ports, auth: ports, notification: ports }
  const origin = await startOrigin({ port: 0, services, doors: () => doors(ports.web), mailbox, pages: import.meta.dirname, openapi: '' })
  return {
    seen,
    port: origin.port,
    async [Symbol.asyncDispose]() {
      await origin[Symbol.asyncDispose]()
      behind.closeAllConnections()
      behind.close()
    },
  }
}

async function statusOf(port: number, path: string, host: string): Promise<number | undefined> {
  const [answer] = await once(request({ host: '127.0.0.1', port, path, headers: { host }, agent: false }).end(), 'response')
  answer.resume()
  return answer.statusCode
}

test('what stands in the body of a request is never the next request', async () => {
  await using origin = await openOrigin()
  const hidden = 'POST /gatehouse.auth.v1.SessionService/SignIn HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 203.0.113.7\r\n\r\n'
  for (const method of ['GET', 'DELETE', 'OPTIONS', 'POST']) {
    origin.seen.length = 0
    const socket = connect(origin.port, '127.0.0.1')
    const head = `${method} /api/users/me HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`
    socket.write(`${head}${hidden.length.toString(16)}\r\n${hidden}\r\n0\r\n\r\n`)
    socket.resume()
    await once(socket, 'close')
    // The same connection to the server behind, where it is kept: what was left on it would be answered first.
    assert.equal(await statusOf(origin.port, '/api/users/me', 'localhost'), 200)
    assert.deepEqual(
      origin.seen.map(({ url, source, body }) => [url, source, body]),
      [
        ['/api/users/me', '127.0.0.1', hidden],
        ['/api/users/me', '127.0.0.1', ''],
      ],
      method,
    )
  }
})

test('the mailbox answers to names of this machine only', async () => {
  await using origin = await openOrigin()
  for (const host of ['localhost:8080', 'acme.localhost:8080', '127.0.0.1:8080', '[::1]:8080', 'localhost'])
    assert.equal(await statusOf(origin.port, '/dev/mailbox.json', host), 200, host)
  for (const host of ['evil.example', 'evil.example:8080', 'localhost.evil.example', 'evil-localhost', '127.0.0.1.evil.example'])
    assert.equal(await statusOf(origin.port, '/dev/mailbox.json', host), 404, host)
})

test('the table of paths that a gateway is built by is the one that this origin goes by', () => {
  const page = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8')
  const rows = page.matchAll(/^\| (`\/gatehouse\.(\w+)\.v1\.\*`.*?) \| .*? web door \|$/gm)
  const written = [...rows].flatMap(([, paths = '', service = '']) =>
    [...paths.matchAll(/`(\/api\/\w+)`/g)].map(([, path]) => `${path} ${service}`),
  )
  assert.deepEqual(written.sort(), [...restPrefixes()].map(([path, service]) => `${path} ${service}`).sort())
})

test('a request that a door did not take goes to the next one, with its body', async () => {
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port: away } = closed.address() as AddressInfo
  closed.close()
  await using origin = await openOrigin((port) => [away, port])
  for (let i = 0; i < 4; i++) {
    const answer = await fetch(`http://127.0.0.1:${origin.port}/api/users`, { method: 'POST', body: `body ${i}` })
    assert.equal(answer.status, 200)
  }
  assert.deepEqual(
    origin.seen.map(({ body }) => body),
    ['body 0', 'body 1', 'body 2', 'body 3'],
  )
})
