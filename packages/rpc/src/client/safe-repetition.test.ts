import assert from 'node:assert/strict'
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { create, type DescMethodUnary, type DescService, fromBinary, type Message } from '@bufbuild/protobuf'
import { MethodOptions_IdempotencyLevel as Idempotency } from '@bufbuild/protobuf/wkt'
import { Code, ConnectError } from '@connectrpc/connect'
import { AccountService } from '@gatehouse/contracts/gatehouse/auth/v1/account_service_pb'
import { ChallengeService } from '@gatehouse/contracts/gatehouse/auth/v1/challenge_service_pb'
import { IssuerService } from '@gatehouse/contracts/gatehouse/auth/v1/issuer_service_pb'
import { PasskeyService } from '@gatehouse/contracts/gatehouse/auth/v1/passkey_service_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { InboxService } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import { NotificationService } from '@gatehouse/contracts/gatehouse/notification/v1/notification_service_pb'
import { CreateUserRequestSchema, UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { peerTransport } from './peer-transport.ts'

const services: readonly DescService[] = [
  AccountService,
  ChallengeService,
  IssuerService,
  PasskeyService,
  SessionService,
  InboxService,
  NotificationService,
  UserService,
]
const methods = services.flatMap((service) => service.methods).filter((method): method is DescMethodUnary => method.methodKind === 'unary')

type EndCall = (stream: ServerHttp2Stream) => void

const unavailable: EndCall = (stream) => {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '14' }, { endStream: true })
}
const cut: EndCall = (stream) => stream.session?.destroy()

/** Calls an RPC once, and gives what of it reached a server that ends every call so. The server is its own, because channels to one address share a connection. */
async function attemptsOf(
  method: DescMethodUnary,
  { endCall, message = create(method.input) }: { endCall: EndCall; message?: Message },
): Promise<readonly Message[]> {
  const arrived: Message[] = []
  const server = createServer()
  const sessions = new Set<ServerHttp2Session>()
  server.on('session', (session) => {
    sessions.add(session)
    session.on('error', () => {})
    session.once('close', () => sessions.delete(session))
  })
  server.on('stream', (stream) => {
    const chunks: Buffer[] = []
    stream.on('error', () => {})
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => {
      // A length stands before the message.
      arrived.push(fromBinary(method.input, Buffer.concat(chunks).subarray(5)))
      endCall(stream)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await using transport = peerTransport({ target: 'peer', url: `127.0.0.1:${(server.address() as AddressInfo).port}` })
    const call = transport.unary(method, undefined, 5000, undefined, message)
    await assert.rejects(call, (error) => ConnectError.from(error).code === Code.Unavailable)
  } finally {
    for (const session of sessions) session.destroy()
    server.close()
  }
  return arrived
}

const requestIdOf = (message: Message): string | undefined => (message as Message & { requestId?: string }).requestId
const isRepeatable = ({ idempotency }: DescMethodUnary): boolean =>
  idempotency === Idempotency.IDEMPOTENT || idempotency === Idempotency.NO_SIDE_EFFECTS

for (const [how, endCall] of [
  ['is answered unavailable', unavailable],
  ['loses its connection', cut],
] as const) {
  test(`of all RPCs, one that has reached the server and ${how} is sent again only where the contract calls it idempotent, under one request_id`, async () => {
    const outcomes = await Promise.all(methods.map(async (method) => [method, await attemptsOf(method, { endCall })] as const))
    assert.ok(outcomes.some(([method]) => !isRepeatable(method)))
    for (const [method, attempts] of outcomes) {
      if (!isRepeatable(method)) assert.equal(attempts.length, 1, method.name)
      else assert.ok(attempts.length > 1, `${method.name}: ${attempts.length}`)
      if (method.input.field.requestId === undefined) continue
      const ids = new Set(attempts.map(requestIdOf))
      assert.equal(ids.size, 1, `${method.name}: ${[...ids]}`)
      assert.match([...ids][0] ?? '', /^[0-9a-f-]{36}$/, method.name)
    }
  })
}

test('the request_id that a caller chose is kept, and its message stays as it is', async () => {
  const method = UserService.method.createUser
  const chosen = create(CreateUserRequestSchema, { name: 'Ada', requestId: '5f0d7b1e-0d4f-4a53-9f3c-0c3f6f1d8a11' })
  const attempts = await attemptsOf(method, { endCall: unavailable, message: chosen })
  assert.deepEqual(new Set(attempts.map(requestIdOf)), new Set([chosen.requestId]))
  const without = create(CreateUserRequestSchema, { name: 'Ada' })
  await attemptsOf(method, { endCall: unavailable, message: without })
  assert.equal(without.requestId, '')
})
