import assert from 'node:assert/strict'
import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { create, type DescMethodUnary, type DescService, fromBinary, type Message } from '@bufbuild/protobuf'
import { MethodOptions_IdempotencyLevel as Idempotency } from '@bufbuild/protobuf/wkt'
import { Code, ConnectError } from '@connectrpc/connect'
import { AccountService } from '@gatehouse/contracts/gatehouse/auth/v1/account_service_pb'
import { ChallengeService } from '@gatehouse/contracts/gatehouse/auth/v1/challenge_service_pb'
import { IssuerService } from '@gatehouse/contracts/gatehouse/auth/v1/issuer_service_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { InboxService } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import { NotificationService } from '@gatehouse/contracts/gatehouse/notification/v1/notification_service_pb'
import { CreateUserRequestSchema, UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { peerTransport } from './peer-transport.ts'

const services: readonly DescService[] = [
  AccountService,
  ChallengeService,
  IssuerService,
  SessionService,
  InboxService,
  NotificationService,
  UserService,
]
const methods = services.flatMap((service) => service.methods).filter((method): method is DescMethodUnary => method.methodKind === 'unary')

/** What arrived, by path. */
const arrived = new Map<string, Uint8Array[]>()
/** How the server ends a call that has reached it. */
let endCall: (stream: ServerHttp2Stream) => void = () => {}

const server = createServer()
const sessions = new Set<ServerHttp2Session>()
server.on('session', (session) => {
  sessions.add(session)
  session.once('close', () => sessions.delete(session))
})
server.on('stream', (stream, headers) => {
  const chunks: Buffer[] = []
  stream.on('error', () => {})
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.on('end', () => {
    const path = String(headers[':path'])
    const body = Buffer.concat(chunks)
    // A request whose message did not come has reached no handler: length and message make five bytes at least.
    if (body.length >= 5) arrived.set(path, [...(arrived.get(path) ?? []), body.subarray(5)])
    endCall(stream)
  })
})
before(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)))
after(() => {
  for (const session of sessions) session.destroy()
  server.close()
})

const unavailable = (stream: ServerHttp2Stream): void => {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '14' }, { endStream: true })
}
const cut = (stream: ServerHttp2Stream): void => void stream.session?.destroy()

/** Calls an RPC once, over a connection of its own, against a server that takes every request and answers none. */
async function attemptsOf(method: DescMethodUnary, message: Message = create(method.input)): Promise<readonly Message[]> {
  const path = `/${method.parent.typeName}/${method.name}`
  arrived.delete(path)
  await using transport = peerTransport({ target: 'peer', url: `127.0.0.1:${(server.address() as AddressInfo).port}` })
  await assert.rejects(
    transport.unary(method, undefined, 5000, undefined, message),
    (error) => ConnectError.from(error).code === Code.Unavailable,
  )
  return (arrived.get(path) ?? []).map((bytes) => fromBinary(method.input, bytes))
}

const requestIdOf = (message: Message): string | undefined => (message as Message & { requestId?: string }).requestId
const isRepeatable = ({ idempotency }: DescMethodUnary): boolean =>
  idempotency === Idempotency.IDEMPOTENT || idempotency === Idempotency.NO_SIDE_EFFECTS

for (const [how, end] of [
  ['is answered unavailable', unavailable],
  ['loses its connection', cut],
] as const) {
  describe(`of all RPCs, a call that has reached the server and ${how}`, () => {
    test('is never sent again unless the contract calls it idempotent, and is then, under one request_id', async () => {
      endCall = end
      const outcomes = await Promise.all(methods.map(async (method) => [method, await attemptsOf(method)] as const))
      assert.ok(outcomes.some(([method]) => !isRepeatable(method)))
      for (const [method, attempts] of outcomes) {
        if (!isRepeatable(method)) assert.equal(attempts.length, 1, method.name)
        else assert.ok(attempts.length > 1, `${method.name}: ${attempts.length}`)
        if (method.input.field.requestId === undefined) continue
        const ids = new Set(attempts.map(requestIdOf))
        assert.equal(ids.size, 1, `${method.name}: ${[...ids]} of ${attempts.length}`)
        assert.match([...ids][0] ?? '', /^[0-9a-f-]{36}$/, method.name)
      }
    })
  })
}

test('the request_id that a caller chose is kept, and its message stays as it is', async () => {
  endCall = unavailable
  const method = UserService.method.createUser
  const chosen = create(CreateUserRequestSchema, { name: 'Ada', requestId: '5f0d7b1e-0d4f-4a53-9f3c-0c3f6f1d8a11' })
  assert.deepEqual(new Set((await attemptsOf(method, chosen)).map(requestIdOf)), new Set([chosen.requestId]))
  const without = create(CreateUserRequestSchema, { name: 'Ada' })
  await attemptsOf(method, without)
  assert.equal(without.requestId, '')
})
