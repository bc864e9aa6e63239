import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type CallOptions, Code, ConnectError, createClient } from '@connectrpc/connect'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { type Call, callOf } from './call.ts'
import { type PeerTransport, peerTransport } from './client/peer-transport.ts'
import { ADA, BOB, openTestDoor, type TestDoor } from './grpc/door-for-tests.ts'
import { reasonOf } from './peer-error.ts'

let door: TestDoor
let transport: PeerTransport
let calls: Call[] = []

before(async () => {
  const seen =
    <T>(answer: T) =>
    (_request: unknown, context: Parameters<typeof callOf>[0]): T => {
      calls.push(callOf(context))
      return answer
    }
  door = await openTestDoor({
    user: {
      getUser: (request, context) => {
        calls.push(callOf(context))
        return { user: { id: request.id, name: callOf(context).tenant } }
      },
      getCurrentUser: seen({}),
      listUsers: seen({}),
      resolveUser: seen({}),
      registerUser: seen({}),
    },
    session: { signOut: seen({}), listSessions: seen({}) },
  })
  transport = peerTransport({ target: 'user', url: door.url })
})
after(async () => {
  await transport[Symbol.asyncDispose]()
  await door[Symbol.asyncDispose]()
})

const STRANGER = {}
const person = (name: string) => ({ authorization: `Bearer ${name}` })
const workload = (name: string, tenant?: string) => ({
  'gatehouse-workload': name,
  ...(tenant === undefined ? {} : { 'gatehouse-tenant': tenant }),
})

/** Reason of the refusal, or `ok`. */
async function outcome(call: (options: CallOptions) => Promise<unknown>, headers: Record<string, string>): Promise<string> {
  calls = []
  try {
    await call({ headers })
    assert.equal(calls.length, 1, 'the handler was reached')
    return 'ok'
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error
    assert.equal(calls.length, 0, 'no handler was reached')
    return reasonOf(error) ?? String(error.code)
  }
}

describe('who may call', () => {
  const user = () => createClient(UserService, transport)
  const session = () => createClient(SessionService, transport)
  const rpcs = {
    'GetUser of Ada': (options: CallOptions) => user().getUser({ id: ADA }, options),
    GetCurrentUser: (options: CallOptions) => user().getCurrentUser({}, options),
    ListUsers: (options: CallOptions) => user().listUsers({}, options),
    ResolveUser: (options: CallOptions) => user().resolveUser({ by: { case: 'id', value: ADA } }, options),
    SignOut: (options: CallOptions) => session().signOut({}, options),
  }
  const denied = 'PERMISSION_DENIED'
  const missing = 'CREDENTIALS_MISSING'
  const badToken = 'ACCESS_TOKEN_INVALID'
  const badWorkload = 'WORKLOAD_TOKEN_INVALID'
  // columns: own or permission or registered; signed in; permission; auth and notification; public
  const matrix: [string, Record<string, string>, string[]][] = [
    ['a stranger', STRANGER, [missing, missing, missing, missing, 'ok']],
    ['the person', person('ada'), ['ok', 'ok', denied, denied, 'ok']],
    ['another person', person('bob'), [denied, 'ok', denied, denied, 'ok']],
    ['a person with the permission', person('admin'), ['ok', 'ok', 'ok', denied, 'ok']],
    ['a service account with the permission', person('robot'), ['ok', denied, 'ok', denied, 'ok']],
    ['a forged token', person('forged'), [badToken, badToken, badToken, badToken, badToken]],
    ['another scheme', { authorization: 'Basic YWRhOmFkYQ==' }, [badToken, badToken, badToken, badToken, badToken]],
    ['a named workload', workload('auth', 'default'), [denied, denied, denied, 'ok', 'ok']],
    ['another workload', workload('billing', 'default'), ['ok', denied, denied, denied, 'ok']],
    ['a forged workload', workload('forged', 'default'), [badWorkload, badWorkload, badWorkload, badWorkload, badWorkload]],
    [
      'a forged workload with a good person',
      { ...person('ada'), ...workload('forged') },
      [badWorkload, badWorkload, badWorkload, badWorkload, badWorkload],
    ],
    ['a workload for the person', { ...person('ada'), ...workload('billing') }, ['ok', denied, denied, denied, 'ok']],
    ['a workload for another person', { ...person('bob'), ...workload('billing') }, [denied, denied, denied, denied, 'ok']],
    ['a workload for an administrator', { ...person('admin'), ...workload('billing') }, ['ok', denied, denied, denied, 'ok']],
  ]
  for (const [who, headers, expected] of matrix) {
    test(who, async () => {
      const outcomes: string[] = []
      for (const call of Object.values(rpcs)) outcomes.push(await outcome(call, headers))
      assert.deepEqual(
        Object.fromEntries(Object.keys(rpcs).map((name, index) => [name, outcomes[index]])),
        Object.fromEntries(Object.keys(rpcs).map((name, index) => [name, expected[index]])),
      )
    })
  }

  test('a refusal names the permission that would do, and nothing about the request', async () => {
    await assert.rejects(user().getUser({ id: ADA }, { headers: person('bob') }), (error: ConnectError) => {
      assert.equal(error.code, Code.PermissionDenied)
      assert.equal(reasonOf(error), 'PERMISSION_DENIED')
      return true
    })
  })

  test('a person with an id that nobody has gets the answer of somebody else', async () => {
    const unknown = '0190a0de-0000-7000-8000-00000000ffff'
    assert.equal(await outcome((options) => user().getUser({ id: unknown }, options), person('ada')), denied)
    assert.equal(await outcome((options) => user().getUser({ id: BOB }, options), person('ada')), denied)
  })
})

describe('the tenant', () => {
  const tenantSeen = async (headers: Record<string, string>): Promise<string> => {
    const { user } = await createClient(UserService, transport).getUser({ id: ADA }, { headers })
    return user?.name ?? ''
  }
  const refusal = (headers: Record<string, string>) =>
    outcome((options) => createClient(UserService, transport).getUser({ id: ADA }, options), headers)

  test("of a person is their token's", async () => {
    assert.equal(await tenantSeen(person('ada-of-acme')), 'acme')
    assert.equal(await tenantSeen({ ...person('ada-of-acme'), ...workload('billing') }), 'acme')
  })

  test("cannot be chosen against the person's token", async () => {
    assert.equal(await refusal({ ...person('ada-of-acme'), ...workload('billing', 'default') }), 'WRONG_TENANT')
    assert.equal(await tenantSeen({ ...person('ada-of-acme'), 'gatehouse-tenant': 'default' }), 'acme', 'a person names no tenant')
  })

  test('of a workload alone is what it names', async () => {
    assert.equal(await tenantSeen(workload('billing', 'acme')), 'acme')
  })

  test('that a workload does not name is refused when it is needed', async () => {
    await assert.rejects(tenantSeen(workload('billing')), (error) => reasonOf(error) === 'WRONG_TENANT')
  })

  test('that is no name is refused', async () => {
    for (const name of ['Acme', 'a.b', 'a*', '>', '-a', 'a-', 'x'.repeat(64)])
      assert.equal(await refusal(workload('billing', name)), 'WRONG_TENANT', name)
  })

  test('of a stranger on the gRPC door is the default, whatever they name', async () => {
    calls = []
    await createClient(SessionService, transport).signOut({}, { headers: { 'gatehouse-tenant': 'acme' } })
    assert.equal(calls[0]?.tenant, 'default')
  })
})

test('a cookie asked for on the gRPC door is refused', async () => {
  calls = []
  await createClient(SessionService, transport).signOut({})
  const [call] = calls
  assert.equal(call?.cookies.get('x'), undefined)
  assert.throws(() => call?.cookies.set('x', 'y', { maxAgeSeconds: 1 }), { reason: 'ORIGIN_NOT_ALLOWED' })
})

test('refused credentials are logged with their reason and never with the token', async () => {
  await outcome((options) => createClient(UserService, transport).getCurrentUser({}, options), person('expired-secret'))
  const line = door.log.findLast(({ message }) => message === 'call refused')
  assert.equal(line?.fields.reason, 'ACCESS_TOKEN_INVALID')
  assert.equal(JSON.stringify(door.log).includes('expired-secret'), false)
})
