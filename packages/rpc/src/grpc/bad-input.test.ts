import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { create, toBinary } from '@bufbuild/protobuf'
import { Code } from '@connectrpc/connect'
import { GetUserRequestSchema } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { ADA, openTestDoor, type TestDoor } from './door-for-tests.ts'
import { frame, openSession, type RawAnswer, rawCall } from './raw-call-for-tests.ts'

const PATH = '/gatehouse.user.v1.UserService/GetUser'
const AUTHORIZATION = { authorization: 'Bearer ada' }
const GZIP = { 'grpc-encoding': 'gzip' }
const good = toBinary(GetUserRequestSchema, create(GetUserRequestSchema, { id: ADA }))

let door: TestDoor

before(async () => {
  door = await openTestDoor({ user: { getUser: (request) => ({ user: { id: request.id } }) } })
})
after(async () => {
  assert.deepEqual(
    door.log.filter(({ level }) => level === 'error' || level === 'warn'),
    [],
    'bad input is no fault of ours',
  )
  await door[Symbol.asyncDispose]()
})

async function call(body: Uint8Array, headers: Record<string, string> = {}, path = PATH): Promise<RawAnswer> {
  await using session = await openSession(door.door.port)
  return await rawCall(session, path, body, { ...AUTHORIZATION, ...headers })
}

describe('a body that is not the message', () => {
  const bodies: Record<string, Uint8Array> = {
    'cut in the middle of a field': good.subarray(0, 10),
    'of another wire type': new Uint8Array([0x08, 1]),
    'of a wire type that does not exist': new Uint8Array([0x0e, 1]),
    'with field number zero': new Uint8Array([0x02, 1, 65]),
    'with text that is not UTF-8': new Uint8Array([0x0a, 2, 0xff, 0xfe]),
    'with a length beyond its end': new Uint8Array([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]),
    'of plain text': Buffer.from('hello, this is no protobuf'),
    'of groups nested without end': new Uint8Array(100_000).fill(0x0b),
  }
  for (const [what, bytes] of Object.entries(bodies)) {
    test(`${what} is malformed`, async () => {
      const answer = await call(frame(bytes))
      assert.equal(answer.code, Code.InvalidArgument)
      assert.equal(answer.reason, 'MALFORMED_REQUEST')
    })
  }

  test('is not even looked at for a stranger', async () => {
    await using session = await openSession(door.door.port)
    const answer = await rawCall(session, PATH, frame(Buffer.from('hello, this is no protobuf')))
    assert.equal(answer.reason, 'CREDENTIALS_MISSING')
  })
})

describe('a frame', () => {
  test('that never comes, ends early or comes twice is malformed', async () => {
    for (const body of [Buffer.alloc(0), frame(good).subarray(0, 8), Buffer.concat([frame(good), frame(good)])]) {
      const answer = await call(body)
      assert.equal(answer.code, Code.InvalidArgument)
      assert.equal(answer.reason, 'MALFORMED_REQUEST')
    }
  })

  test('of more than 4 MiB is refused, by its word or by its bytes', async () => {
    for (const body of [Buffer.from([0, 0x7f, 0xff, 0xff, 0xff, 1]), frame(new Uint8Array(5 * 1024 * 1024))]) {
      const answer = await call(body)
      assert.equal(answer.code, Code.ResourceExhausted)
      assert.equal(answer.reason, 'REQUEST_TOO_LARGE')
    }
  })

  test('that grows beyond 4 MiB when it is decompressed is refused', async () => {
    const answer = await call(frame(gzipSync(new Uint8Array(64 * 1024 * 1024)), 1), GZIP)
    assert.equal(answer.code, Code.ResourceExhausted)
    assert.equal(answer.reason, 'REQUEST_TOO_LARGE')
  })

  test('that cannot be decompressed is malformed', async () => {
    for (const bytes of [Buffer.from('nonsense'), gzipSync(good).subarray(0, 20)]) {
      const answer = await call(frame(bytes, 1), GZIP)
      assert.equal(answer.code, Code.InvalidArgument)
      assert.equal(answer.reason, 'MALFORMED_REQUEST')
    }
  })

  test('that is compressed is read', async () => {
    const answer = await call(frame(gzipSync(good), 1), GZIP)
    assert.equal(answer.code, 0)
  })

  test('in an encoding that nobody knows is unimplemented', async () => {
    const answer = await call(frame(good, 1), { 'grpc-encoding': 'snappy' })
    assert.equal(answer.code, Code.Unimplemented)
  })
})

describe('a request', () => {
  test('for a method that does not exist is unimplemented', async () => {
    for (const path of [
      '/gatehouse.user.v1.UserService/Nope',
      '/x',
      '/__proto__/constructor',
      '/gatehouse.user.v1.UserService/%00%0d%0a',
    ]) {
      const answer = await call(frame(good), {}, path)
      assert.equal(answer.code, Code.Unimplemented)
    }
  })

  test('of another content type is an unsupported media type', async () => {
    const answer = await call(Buffer.from('{}'), { 'content-type': 'application/json' })
    assert.equal(answer.http, 415)
  })

  test('with a timeout that is none is malformed', async () => {
    for (const timeout of ['1x', '', 'S', 'soon']) {
      const answer = await call(frame(good), { 'grpc-timeout': timeout })
      assert.equal(answer.code, Code.InvalidArgument)
      assert.equal(answer.reason, 'MALFORMED_REQUEST')
    }
  })

  test('whose time is up is answered so', async () => {
    const answer = await call(frame(good), { 'grpc-timeout': '0n' })
    assert.equal(answer.code, Code.DeadlineExceeded)
    assert.equal(answer.reason, 'DEADLINE_EXCEEDED')
  })

  test('names every field that breaks a rule', async () => {
    const answer = await call(frame(toBinary(GetUserRequestSchema, create(GetUserRequestSchema, { id: 'x' }))), {
      authorization: 'Bearer admin',
    })
    assert.equal(answer.code, Code.InvalidArgument)
    assert.equal(answer.reason, 'INVALID_REQUEST')
    assert.deepEqual(answer.fields, ['id'])
  })

  test('with a trace that is none gets one of its own', async () => {
    const answer = await call(frame(new Uint8Array([0xff])), { traceparent: 'zz-zz' })
    assert.match(String(answer.headers['x-trace-id']), /^[0-9a-f]{32}$/)
  })
})

describe('HTTP/2 nonsense', () => {
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])
  const noise = Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 7919 + 13) % 256))
  const rubbish: Record<string, Buffer[]> = {
    noise: [noise],
    'HTTP/1.1': [Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    'noise behind a preface': [preface, settings, noise],
    'settings without end': [preface, ...Array.from({ length: 3000 }, () => settings)],
  }
  for (let type = 0; type < 10; type += 1) {
    const head = Buffer.from([0, 0, 5, type, 0xff, 0, 0, 0, type % 2])
    rubbish[`a broken frame of type ${type}`] = [preface, settings, head, Buffer.alloc(5, 0xff)]
  }
  for (const [what, parts] of Object.entries(rubbish)) {
    test(`${what} closes its connection and nothing else`, async () => {
      await spill(door.door.port, Buffer.concat(parts))
      assert.equal((await call(frame(good))).code, 0)
    })
  }

  test('streams that are reset as they are opened do no harm', async () => {
    await using session = await openSession(door.door.port)
    for (let opened = 0; opened < 500; opened += 1) {
      const stream = session.request({ ':method': 'POST', ':path': PATH, 'content-type': 'application/grpc' })
      stream.on('error', () => {})
      stream.close(8)
    }
    assert.equal((await call(frame(good))).code, 0)
  })
})

/** Writes the bytes and waits until the door closed the connection, or had half a second for it. */
function spill(port: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const enough = setTimeout(() => socket.destroy(), 500)
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(enough)
      resolve()
    })
    socket.resume()
    socket.write(bytes)
  })
}
