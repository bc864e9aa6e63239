import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { GetUserRequestSchema } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { BadRequestSchema, ErrorInfoSchema } from '@gatehouse/contracts/google/rpc/error_details_pb'
import { ADA, AUTHORIZATION, openTestDoor, type TestDoor } from './door-for-tests.ts'

const GET_USER = '/gatehouse.user.v1.UserService/GetUser'
const JSON_TYPE = { ...AUTHORIZATION, 'content-type': 'application/json' }
const GOOD = JSON.stringify({ id: ADA })

let opened: TestDoor
before(async () => {
  opened = await openTestDoor()
})
after(() => opened[Symbol.asyncDispose]())

interface Answer {
  status: number
  code: string | undefined
  reason: string | undefined
  field: string | undefined
  headers: Headers
  text: string
}

async function ask(path: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(opened.url + path, init)
  const text = await response.text()
  const body = text.startsWith('{') ? JSON.parse(text) : {}
  const detail = (type: string): Uint8Array | undefined => {
    const value = body.details?.find((each: { type: string }) => each.type === type)?.value
    return value === undefined ? undefined : Buffer.from(value, 'base64')
  }
  const info = detail(ErrorInfoSchema.typeName)
  const bad = detail(BadRequestSchema.typeName)
  return {
    status: response.status,
    code: body.code,
    reason: info && fromBinary(ErrorInfoSchema, info).reason,
    field: bad && fromBinary(BadRequestSchema, bad).fieldViolations[0]?.field,
    headers: response.headers,
    text,
  }
}

const post = (body: BodyInit | Uint8Array, headers: Record<string, string> = JSON_TYPE, path = GET_USER) =>
  ask(path, { method: 'POST', headers, body: body as BodyInit })

function refused(answer: Answer, status: number, reason: string, field?: string): void {
  assert.deepEqual([answer.status, answer.reason, answer.field], [status, reason, field], answer.text)
  assert.equal(answer.headers.get('content-type'), 'application/json')
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  assert.match(answer.headers.get('x-trace-id') ?? '', /^[0-9a-f]{32}$/)
  assert.doesNotMatch(answer.text, /node:internal|\.ts:|at async|<html/)
}

test('a good request is answered', async () => {
  const answer = await post(GOOD)
  assert.equal(answer.status, 200)
  assert.match(answer.headers.get('x-trace-id') ?? '', /^[0-9a-f]{32}$/)
})

test('the first bad field of a JSON body is named', async () => {
  refused(await post('{"id":3}'), 400, 'MALFORMED_REQUEST', 'id')
  refused(await post('{"id":null,"nobody":1}'), 400, 'MALFORMED_REQUEST', 'nobody')
  refused(await post(`{"id":"${ADA}","id":"${ADA}"}`), 400, 'MALFORMED_REQUEST', 'id')
  refused(await post(`{"id":"${ADA}","\\u0069d":"${ADA}"}`), 400, 'MALFORMED_REQUEST', 'id')
  refused(await post('{"id":"\\ud800"}'), 400, 'MALFORMED_REQUEST', 'id')
  refused(await post('{"__proto__":{"id":"x"}}'), 400, 'MALFORMED_REQUEST', '__proto__')
  refused(await post('{"constructor":{}}'), 400, 'MALFORMED_REQUEST', 'constructor')
  const list = (body: string) => post(body, JSON_TYPE, '/gatehouse.user.v1.UserService/ListUsers')
  refused(await list('{"pageSize":"many"}'), 400, 'MALFORMED_REQUEST', 'pageSize')
  refused(await list('{"pageSize":1,"page_size":1}'), 400, 'MALFORMED_REQUEST', 'pageSize')
  refused(await list('{"pageSize":99999999999}'), 400, 'MALFORMED_REQUEST', 'pageSize')
  refused(await list('{"newestFirst":"yes"}'), 400, 'MALFORMED_REQUEST', 'newestFirst')
  refused(await list('{"pageSize":1001}'), 400, 'INVALID_REQUEST', 'pageSize')
  assert.equal((await list('{"pageSize":1000}')).status, 200)
})

test('a body that is no JSON object is refused', async () => {
  for (const body of ['', ' ', '{', 'null', '[]', '3', '"x"', 'id=1', '{"id":"a"}x', '['.repeat(100_000)]) {
    refused(await post(body), 400, 'MALFORMED_REQUEST', '')
  }
  refused(await post(Buffer.from([0x7b, 0xff, 0x7d])), 400, 'MALFORMED_REQUEST', '')
})

test('a body that is no protobuf is refused', async () => {
  const proto = { ...AUTHORIZATION, 'content-type': 'application/proto' }
  for (const hex of ['0a', 'ff', '0a02ff', '0a02ffff', '00', '0b'.repeat(5000)]) {
    refused(await post(Buffer.from(hex, 'hex'), proto), 400, 'MALFORMED_REQUEST', '')
  }
  refused(await post(Buffer.from('0a00', 'hex'), proto), 400, 'INVALID_REQUEST', 'id')
  assert.equal((await post(toBinary(GetUserRequestSchema, create(GetUserRequestSchema, { id: ADA })), proto)).status, 200)
})

test('a value that is refused stands in no answer', async () => {
  const answer = await post('{"email":"ada@example.com","password":123456789}', JSON_TYPE, '/gatehouse.auth.v1.SessionService/SignIn')
  refused(answer, 400, 'MALFORMED_REQUEST', 'password')
  assert.doesNotMatch(answer.text, /123456789/)
})

test('a refusal has no character that turns the line it stands in', async () => {
  const body = JSON.stringify({ email: 'eve@example.com', name: 'A\u202eB' })
  const answer = await post(body, JSON_TYPE, '/gatehouse.user.v1.UserService/CreateUser')
  refused(answer, 400, 'INVALID_REQUEST', 'name')
  assert.match(answer.text, /is blank, or has a character that is not allowed here/)
  assert.match(answer.text, /^[ -~]*$/)
})

test('nobody learns about a request before they are let in', async () => {
  refused(await post('{', { 'content-type': 'application/json' }), 401, 'CREDENTIALS_MISSING')
  refused(await post('{', { ...JSON_TYPE, authorization: 'Bearer forged' }), 401, 'ACCESS_TOKEN_INVALID')
  refused(await post('{', { ...JSON_TYPE, authorization: 'Basic YTpi' }), 401, 'ACCESS_TOKEN_INVALID')
})

test('more than 4 MiB is refused, as it comes and after decompression', async () => {
  const padded = (bytes: number) => `${GOOD}${' '.repeat(bytes - GOOD.length)}`
  const limit = 4 * 1024 * 1024
  refused(await post(padded(limit + 1)), 429, 'REQUEST_TOO_LARGE')
  assert.equal((await post(padded(limit))).status, 200)
  const gzip = { ...JSON_TYPE, 'content-encoding': 'gzip' }
  refused(await post(gzipSync(padded(limit + 1)), gzip), 429, 'REQUEST_TOO_LARGE')
  refused(await post(gzipSync(Buffer.alloc(200 * 1024 * 1024)), gzip), 429, 'REQUEST_TOO_LARGE')
  assert.equal((await post(gzipSync(padded(limit)), gzip)).status, 200)
})

test('compressed requests are read, unknown and broken compression is refused', async () => {
  const encodings = { gzip: gzipSync, br: brotliCompressSync, deflate: deflateSync, GZIP: gzipSync }
  for (const [name, compress] of Object.entries(encodings)) {
    assert.equal((await post(compress(GOOD), { ...JSON_TYPE, 'content-encoding': name })).status, 200, name)
    refused(await post('no such thing', { ...JSON_TYPE, 'content-encoding': name }), 400, 'MALFORMED_REQUEST', '')
  }
  assert.equal((await post(GOOD, { ...JSON_TYPE, 'content-encoding': 'identity' })).status, 200)
  for (const name of ['zstd', 'gzip, gzip', 'compress']) {
    const answer = await post(GOOD, { ...JSON_TYPE, 'content-encoding': name })
    refused(answer, 415, 'ENCODING_NOT_SUPPORTED')
    assert.equal(answer.code, 'unimplemented')
    assert.equal(answer.headers.get('accept-encoding'), 'gzip, br, deflate')
  }
})

test('a content type that the RPC does not speak answers 415', async () => {
  const types = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/grpc',
    'application/connect+json',
    '/',
    'x',
  ]
  for (const type of [...types, 'application/json; charset=utf-16', 'application/grpc-web-text']) {
    refused(await post(GOOD, { ...AUTHORIZATION, 'content-type': type }), 415, 'MALFORMED_REQUEST', 'content-type')
  }
  refused(
    await ask(GET_USER, { method: 'POST', headers: AUTHORIZATION, body: Buffer.from(GOOD) }),
    415,
    'MALFORMED_REQUEST',
    'content-type',
  )
  refused(await ask(GET_USER, { method: 'POST', headers: AUTHORIZATION }), 415, 'MALFORMED_REQUEST', 'content-type')
  refused(await post(GOOD, JSON_TYPE, '/gatehouse.notification.v1.InboxService/WatchInbox'), 415, 'MALFORMED_REQUEST', 'content-type')
  for (const type of ['application/json; charset=utf-8', 'application/json;charset=UTF-8']) {
    assert.equal((await post(GOOD, { ...AUTHORIZATION, 'content-type': type })).status, 200, type)
  }
})

test('protocol headers that cannot be read are refused', async () => {
  for (const value of ['-1', '1s', '1.5', '99999999999', '']) {
    refused(await post(GOOD, { ...JSON_TYPE, 'connect-timeout-ms': value }), 400, 'MALFORMED_REQUEST', 'connect-timeout-ms')
  }
  refused(await post(GOOD, { ...JSON_TYPE, 'connect-timeout-ms': '0' }), 504, 'DEADLINE_EXCEEDED')
  refused(await post(GOOD, { ...JSON_TYPE, 'connect-protocol-version': '2' }), 400, 'MALFORMED_REQUEST', 'connect-protocol-version')
  assert.equal((await post(GOOD, { ...JSON_TYPE, 'connect-protocol-version': '1', 'connect-timeout-ms': '9999999999' })).status, 200)
})

test('what is not served is not found, whatever the method and the body', async () => {
  const paths = [
    '/',
    '/index.html',
    '/gatehouse.user.v1.UserService/Nothing',
    '/gatehouse.user.v1.UserService/getUser',
    '/gatehouse.user.v1.UserService',
    '/gatehouse.user.v1.UserService/GetUser/',
    '/gatehouse.user.v1.UserService/ResolveUser',
    '/gatehouse.auth.v1.IssuerService/ListIssuers',
    '/gatehouse.auth.v1.SessionService/WatchRevocations',
    '/api/users/',
    '/api/nobody',
    '/grpc.health.v1.Health/Check',
  ]
  for (const path of paths) {
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const body = method === 'GET' || method === 'OPTIONS' ? {} : { body: '{' }
      const answer = await ask(path, { method, headers: JSON_TYPE, ...body })
      refused(answer, 404, 'NOT_SERVED')
      assert.equal(answer.code, 'unimplemented', `${method} ${path}`)
    }
  }
  assert.deepEqual(opened.faults, [])
})

test('another method on a path that is served answers 405 and says which', async () => {
  const answer = await ask(GET_USER, { method: 'PUT', headers: JSON_TYPE, body: '{' })
  refused(answer, 405, 'NOT_SERVED')
  assert.equal(answer.headers.get('allow'), 'POST, GET, HEAD, OPTIONS')
  refused(await ask('/gatehouse.user.v1.UserService/CreateUser', { headers: JSON_TYPE }), 405, 'NOT_SERVED')
  refused(await ask('/gatehouse.user.v1.UserService/SearchUsers', { headers: JSON_TYPE }), 405, 'NOT_SERVED')
  refused(await ask('/api/users', { method: 'DELETE', headers: JSON_TYPE }), 405, 'NOT_SERVED')
})

test('a GET that cannot be read is refused', async () => {
  const get = (query: string) => ask(`${GET_USER}?${query}`, { headers: AUTHORIZATION })
  const message = encodeURIComponent(GOOD)
  assert.equal((await get(`connect=v1&encoding=json&message=${message}`)).status, 200)
  assert.equal((await get(`encoding=json&base64=1&message=${Buffer.from(GOOD).toString('base64url')}`)).status, 200)
  assert.equal((await get(`encoding=json&compression=gzip&base64=1&message=${gzipSync(GOOD).toString('base64url')}`)).status, 200)
  const bomb = gzipSync(GOOD.padEnd(1_000_000)).toString('base64url')
  refused(await get(`encoding=json&compression=gzip&base64=1&message=${bomb}`), 429, 'REQUEST_TOO_LARGE')
  refused(await get(`message=${message}`), 415, 'MALFORMED_REQUEST', 'content-type')
  refused(await get(`encoding=xml&message=${message}`), 415, 'MALFORMED_REQUEST', 'content-type')
  refused(await get('encoding=json'), 400, 'MALFORMED_REQUEST', '')
  refused(await get('encoding=json&message=%7B'), 400, 'MALFORMED_REQUEST', '')
  refused(await get('encoding=json&message=%ff'), 400, 'MALFORMED_REQUEST', '')
  refused(await get('encoding=proto&base64=1&message=***'), 400, 'MALFORMED_REQUEST', 'message')
  refused(await get(`encoding=json&message=${message}&message=${message}`), 400, 'MALFORMED_REQUEST', 'message')
  refused(await get(`connect=v2&encoding=json&message=${message}`), 400, 'MALFORMED_REQUEST', 'connect-protocol-version')
})

test('a message in frames that cannot be read is refused in the last frame', async () => {
  const frame = (body: Uint8Array, flags = 0, length = body.length) => {
    const head = Buffer.alloc(5)
    head.writeUInt8(flags)
    head.writeUInt32BE(length, 1)
    return Buffer.concat([head, body])
  }
  const watch = async (body: Uint8Array, headers: Record<string, string> = {}) => {
    const response = await fetch(`${opened.url}/gatehouse.notification.v1.InboxService/WatchInbox`, {
      method: 'POST',
      headers: { ...AUTHORIZATION, 'content-type': 'application/connect+json', ...headers },
      body: body as BodyInit,
    })
    assert.equal(response.status, 200)
    const bytes = Buffer.from(await response.arrayBuffer())
    let last = 0
    while (bytes.readUInt8(last) !== 2) last += 5 + bytes.readUInt32BE(last + 1)
    return JSON.parse(bytes.subarray(last + 5).toString()).error?.details?.[0]?.debug.reason
  }
  const good = Buffer.from('{"cursor":""}')
  assert.equal(await watch(frame(good)), undefined)
  assert.equal(await watch(frame(gzipSync(good), 1), { 'connect-content-encoding': 'gzip' }), undefined)
  for (const body of [
    Buffer.alloc(0),
    Buffer.alloc(4),
    frame(good, 2),
    frame(good, 0, 99),
    frame(good, 0, 2 ** 32 - 1),
    Buffer.concat([frame(good), frame(good)]),
  ]) {
    assert.equal(await watch(body), 'MALFORMED_REQUEST')
  }
  assert.equal(await watch(frame(gzipSync(good), 1)), 'MALFORMED_REQUEST')
  assert.equal(await watch(frame(gzipSync(good), 1), { 'connect-content-encoding': 'zstd' }), 'ENCODING_NOT_SUPPORTED')
  assert.equal(await watch(frame(gzipSync(Buffer.alloc(50_000_000)), 1), { 'connect-content-encoding': 'gzip' }), 'REQUEST_TOO_LARGE')
  const waiting = frame(Buffer.from('{"cursor":"wait"}'))
  assert.equal(await watch(waiting, { 'connect-timeout-ms': '50' }), 'DEADLINE_EXCEEDED')
  assert.equal(await watch(waiting, { 'connect-timeout-ms': 'soon' }), 'MALFORMED_REQUEST')
})
