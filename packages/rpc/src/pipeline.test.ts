import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Code, ConnectError, createClient } from '@connectrpc/connect'
import { ErrorReason, ErrorReasonSchema } from '@gatehouse/contracts/gatehouse/user/v1/error_reason_pb'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { BadRequestSchema, ErrorInfoSchema } from '@gatehouse/contracts/google/rpc/error_details_pb'
import { VerificationUnavailable } from '@gatehouse/identity'
import { callOf } from './call.ts'
import { type PeerTransport, peerTransport } from './client/peer-transport.ts'
import { ADA, openTestDoor, type TestDoor } from './grpc/door-for-tests.ts'
import { markPeer, reasonOf } from './peer-error.ts'
import { refusals } from './refusal.ts'

const refuse = refusals(ErrorReasonSchema)
const ADMIN = { headers: { authorization: 'Bearer admin' } }

class DatabaseAway extends Error {}

let door: TestDoor
let transport: PeerTransport
let act: () => unknown = () => ({})
let emails: string[] = []

before(async () => {
  door = await openTestDoor({
    user: {
      getUser: async () => {
        await act()
        return {}
      },
      createUser: (request) => {
        emails.push(request.email)
        return {}
      },
      listUsers: (_request, context) => ({ nextPageToken: callOf(context).traceId }),
      updateUser: async (_request, context) => {
        context.responseHeader.set('x-answer', 'yes')
        return {}
      },
    },
    pipeline: {
      isUnavailable: (error) => error instanceof DatabaseAway,
      translate: (error) => (error instanceof RangeError ? refuse(ErrorReason.USER_NOT_FOUND) : undefined),
    },
  })
  transport = peerTransport({ target: 'user', url: door.url })
})
after(async () => {
  await transport[Symbol.asyncDispose]()
  await door[Symbol.asyncDispose]()
})

const users = () => createClient(UserService, transport)

/** What a caller sees when the handler of GetUser throws. */
async function answerTo(thrown: unknown): Promise<ConnectError> {
  door.log.length = 0
  act = () => {
    throw thrown
  }
  try {
    await users().getUser({ id: ADA }, ADMIN)
  } catch (error) {
    if (error instanceof ConnectError) return error
    throw error
  }
  return assert.fail('the call was answered')
}

const metadataOf = (error: ConnectError) => error.findDetails(ErrorInfoSchema)[0]?.metadata
const linesAbove = (level: 'warn' | 'error') => door.log.filter((line) => line.level === level)

describe('what a handler throws', () => {
  test('as a refusal is told as it is', async () => {
    const error = await answerTo(refuse(ErrorReason.USER_NOT_FOUND))
    assert.equal(error.code, Code.NotFound)
    assert.equal(error.rawMessage, 'There is no such user.')
    assert.equal(reasonOf(error), 'USER_NOT_FOUND')
    assert.deepEqual(linesAbove('error'), [])
  })

  test('by accident is neutral outside and has its cause and trace in one log line', async () => {
    const error = await answerTo(new Error('password is hunter2', { cause: new Error('deeper') }))
    assert.equal(error.code, Code.Internal)
    assert.equal(error.rawMessage, 'Something went wrong on our side.')
    assert.equal(reasonOf(error), 'INTERNAL')
    const [line, ...others] = linesAbove('error')
    assert.deepEqual(others, [])
    assert.equal(line?.fields.trace_id, error.metadata.get('x-trace-id'))
    assert.match(JSON.stringify(line?.fields.cause), /hunter2.*deeper/)
    assert.equal(JSON.stringify(error.details).includes('hunter2'), false)
  })

  test('that is no error at all is neutral too', async () => {
    for (const thrown of [undefined, null, 'text', 42, { code: 5 }]) {
      const error = await answerTo(thrown)
      assert.equal(error.code, Code.Internal)
      assert.equal(reasonOf(error), 'INTERNAL')
    }
  })

  test('never has its other members in the log: they hold rows', async () => {
    await answerTo(Object.assign(new Error('duplicate key'), { code: '23505', detail: 'Key (email)=(ada@example.com) already exists.' }))
    const [line] = linesAbove('error')
    assert.match(JSON.stringify(line), /23505/)
    assert.equal(JSON.stringify(line).includes('ada@example.com'), false)
  })

  test('because the database is away is unavailable', async () => {
    const error = await answerTo(new DatabaseAway('connection refused'))
    assert.equal(error.code, Code.Unavailable)
    assert.equal(reasonOf(error), 'DEPENDENCY_UNAVAILABLE')
    assert.deepEqual(metadataOf(error), { dependency: 'database' })
  })

  test('because a peer is away or late is unavailable and names the peer', async () => {
    for (const code of [Code.Unavailable, Code.DeadlineExceeded]) {
      const error = await answerTo(markPeer(new ConnectError('no', code), 'auth'))
      assert.equal(error.code, Code.Unavailable)
      assert.equal(reasonOf(error), 'DEPENDENCY_UNAVAILABLE')
      assert.deepEqual(metadataOf(error), { dependency: 'auth' })
    }
  })

  test("as a peer's refusal that nobody handled is a fault of ours", async () => {
    const error = await answerTo(markPeer(new ConnectError('no such user', Code.NotFound), 'auth'))
    assert.equal(error.code, Code.Internal)
    assert.equal(reasonOf(error), 'INTERNAL')
  })

  test('and another package knows is translated', async () => {
    const error = await answerTo(new RangeError('x'))
    assert.equal(reasonOf(error), 'USER_NOT_FOUND')
  })

  test('with a reason that its contract does not declare is a fault, in strict mode for the caller too', async () => {
    const error = await answerTo(refuse(ErrorReason.EMAIL_TAKEN))
    assert.equal(error.code, Code.Internal)
    assert.equal(reasonOf(error), 'INTERNAL')
    assert.match(linesAbove('error')[0]?.message ?? '', /does not declare/)
  })
})

test('a reason that the contract does not declare is told, and logged, where the pipeline is not strict', async () => {
  await using lenient = await openTestDoor({
    user: {
      getUser: () => {
        throw refuse(ErrorReason.EMAIL_TAKEN)
      },
    },
    pipeline: { strict: false },
  })
  await using toLenient = peerTransport({ target: 'user', url: lenient.url })
  await assert.rejects(createClient(UserService, toLenient).getUser({ id: ADA }, ADMIN), (error) => reasonOf(error) === 'EMAIL_TAKEN')
  assert.equal(lenient.log.filter(({ level }) => level === 'error').length, 1)
})

test('a verifier that knows no keys yet makes the service unavailable, not the token invalid', async () => {
  await using early = await openTestDoor({
    pipeline: {
      accessTokens: {
        async verify() {
          throw new VerificationUnavailable()
        },
      },
    },
  })
  await using toEarly = peerTransport({ target: 'user', url: early.url })
  await assert.rejects(createClient(UserService, toEarly).getCurrentUser({}, ADMIN), (error: ConnectError) => {
    assert.equal(error.code, Code.Unavailable)
    assert.deepEqual(metadataOf(error), { dependency: 'auth' })
    return true
  })
})

describe('a request', () => {
  test('reaches its handler in the canonical form', async () => {
    emails = []
    await users().createUser({ name: 'Ada', email: '  Ada@BÜCHER.example ' }, ADMIN)
    assert.deepEqual(emails, ['Ada@xn--bcher-kva.example'])
  })

  test('with broken rules names each field once, by its JSON name', async () => {
    await assert.rejects(
      users().createUser({ name: '', email: 'ädä@example.com', locale: '!', requestId: 'x' }, ADMIN),
      (error: ConnectError) => {
        assert.equal(error.code, Code.InvalidArgument)
        assert.equal(reasonOf(error), 'INVALID_REQUEST')
        const violations = error.findDetails(BadRequestSchema)[0]?.fieldViolations ?? []
        assert.deepEqual(violations.map(({ field }) => field).sort(), ['email', 'locale', 'name', 'requestId'])
        for (const { description, reason } of violations) {
          assert.notEqual(description, '')
          assert.match(reason, /^[A-Z][A-Z0-9_]*$/)
        }
        return true
      },
    )
  })

  test('with an address that only its domain spoils is refused', async () => {
    await assert.rejects(users().createUser({ name: 'Ada', email: 'ada@xn--zzzzzzzzzz9999.com' }, ADMIN), (error: ConnectError) => {
      assert.deepEqual(
        error.findDetails(BadRequestSchema)[0]?.fieldViolations.map(({ field }) => field),
        ['email'],
      )
      return true
    })
  })

  test('names the item of a list that breaks a rule', async () => {
    await assert.rejects(users().batchGetUsers({ ids: [ADA, 'x'] }, ADMIN), (error: ConnectError) => {
      assert.deepEqual(
        error.findDetails(BadRequestSchema)[0]?.fieldViolations.map(({ field }) => field),
        ['ids[1]'],
      )
      return true
    })
  })

  test('names a oneof that is not set', async () => {
    await assert.rejects(
      users().resolveUser({}, { headers: { 'gatehouse-workload': 'auth', 'gatehouse-tenant': 'default' } }),
      (error: ConnectError) => {
        assert.deepEqual(
          error.findDetails(BadRequestSchema)[0]?.fieldViolations.map(({ field }) => field),
          ['by'],
        )
        return true
      },
    )
  })

  test('keeps the trace that it came with', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const answer = await users().listUsers({}, { headers: { ...ADMIN.headers, traceparent } })
    assert.equal(answer.nextPageToken, '0af7651916cd43dd8448eb211c80319c')
  })

  test('without a trace gets a new one each time', async () => {
    const ids = new Set<string>()
    for (let call = 0; call < 3; call += 1) ids.add((await users().listUsers({}, ADMIN)).nextPageToken)
    assert.equal(ids.size, 3)
    for (const id of ids) assert.match(id, /^[0-9a-f]{32}$/)
  })
})

test('headers that a handler sets reach the caller', async () => {
  let header: Headers | undefined
  await users().updateUser(
    { id: ADA, name: 'Ada' },
    {
      ...ADMIN,
      onHeader: (headers) => {
        header = headers
      },
    },
  )
  assert.equal(header?.get('x-answer'), 'yes')
})
