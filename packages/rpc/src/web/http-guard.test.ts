import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { ADA, openTestDoor, type TestDoor } from './door-for-tests.ts'

let opened: TestDoor
before(async () => {
  opened = await openTestDoor()
})
after(() => opened[Symbol.asyncDispose]())

/** Everything that the door answers to these bytes until it closes the connection. */
async function send(text: string): Promise<string> {
  const socket = connect(opened.door.port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(Buffer.from(text, 'latin1'))
  let answer = ''
  for await (const chunk of socket) answer += chunk
  return answer
}

const body = JSON.stringify({ id: ADA })
const LINE = 'POST /gatehouse.user.v1.UserService/GetUser HTTP/1.1\r\n'
const HEAD = `host: a\r\nauthorization: Bearer ada\r\ncontent-type: application/json\r\nconnection: close\r\n`
const LENGTH = `content-length: ${body.length}\r\n`

const statusesOf = (answer: string) => [...answer.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status))

test('the good request of the others is answered', async () => {
  assert.deepEqual(statusesOf(await send(`${LINE}${HEAD}${LENGTH}\r\n${body}`)), [200])
  assert.deepEqual(
    statusesOf(await send(`${LINE}${HEAD}transfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`)),
    [200],
  )
})

const nonsense: Record<string, string> = {
  'bytes of TLS': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  'an HTTP/2 preface': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'no request line': '\r\n\r\nhello\r\n\r\n',
  'an unknown method': `BREW / HTTP/1.1\r\n${HEAD}\r\n`,
  'a target with a space': `GET /a b HTTP/1.1\r\n${HEAD}\r\n`,
  'an unknown version': `GET / HTTP/9.9\r\n${HEAD}\r\n`,
  'no host': 'GET / HTTP/1.1\r\nconnection: close\r\n\r\n',
  'two hosts': `${LINE}${HEAD}host: b\r\n${LENGTH}\r\n${body}`,
  'two tokens': `${LINE}${HEAD}authorization: Bearer eve\r\n${LENGTH}\r\n${body}`,
  'two content types': `${LINE}${HEAD}Content-Type: application/proto\r\n${LENGTH}\r\n${body}`,
  'two lengths': `${LINE}${HEAD}${LENGTH}content-length: 1\r\n\r\n${body}`,
  'a length with a sign': `${LINE}${HEAD}content-length: +5\r\n\r\n${body}`,
  'a length and chunks': `${LINE}${HEAD}${LENGTH}transfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
  'chunks under another name': `${LINE}${HEAD}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n`,
  'chunks that are not last': `${LINE}${HEAD}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
  'a space before the colon': `${LINE}${HEAD}transfer-encoding : chunked\r\n\r\n0\r\n\r\n`,
  'a folded header': `${LINE}${HEAD}x: a\r\n b\r\n${LENGTH}\r\n${body}`,
  'a bare line feed': `${LINE}${HEAD}x: a\nb: c\r\n${LENGTH}\r\n${body}`,
  'a null in a header': `${LINE}${HEAD}x: a\x00b\r\n${LENGTH}\r\n${body}`,
  'a size that is no number': `${LINE}${HEAD}transfer-encoding: chunked\r\n\r\nzz\r\n${body}\r\n0\r\n\r\n`,
  'a large header': `${LINE}${HEAD}x: ${'a'.repeat(20_000)}\r\n${LENGTH}\r\n${body}`,
  'a flood of headers': `${LINE}${HEAD}${'x: a\r\n'.repeat(200)}${LENGTH}\r\n${body}`,
  'an expectation': `${LINE}${HEAD}expect: tea\r\n${LENGTH}\r\n${body}`,
  'another host in the target': `GET http://evil.test/api/users HTTP/1.1\r\n${HEAD}\r\n`,
  'a target of all': `OPTIONS * HTTP/1.1\r\n${HEAD}\r\n`,
}

for (const [what, text] of Object.entries(nonsense)) {
  test(`answers ${what} with one 4xx`, async () => {
    const handled = opened.calls.length
    const answer = await send(text)
    const statuses = statusesOf(answer)
    assert.equal(statuses.length, 1, answer)
    assert.ok((statuses[0] ?? 0) >= 400 && (statuses[0] ?? 0) < 500, answer)
    assert.doesNotMatch(answer, /<html|node:internal|"statusCode"/)
    assert.equal(opened.calls.length, handled)
  })
}

test('none of it reached a handler or the log', () => {
  assert.deepEqual(opened.faults, [])
})

test('a tunnel is refused', async () => {
  assert.doesNotMatch(await send(`CONNECT evil.test:443 HTTP/1.1\r\n${HEAD}\r\n`), /^HTTP\/1\.1 [23]/)
})

test('an upgrade is not followed', async () => {
  const answer = await send(`GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade, close\r\nupgrade: websocket\r\nsec-websocket-key: x\r\n\r\n`)
  assert.doesNotMatch(answer, /^HTTP\/1\.1 101/)
})
