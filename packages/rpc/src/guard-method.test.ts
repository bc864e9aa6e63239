import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { create, type Message } from '@bufbuild/protobuf'
import { Code, type ConnectError, type ServiceImpl } from '@connectrpc/connect'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { GetUserRequestSchema, UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { TokenInvalid } from '@gatehouse/identity'
import { type Call, callOf } from './call.ts'
import { ADA, complete, personFor } from './grpc/door-for-tests.ts'
import type { Inbound } from './inbound.ts'
import { reasonOf } from './peer-error.ts'
import { createPipeline } from './pipeline.ts'
import { commonRefusal } from './refusal.ts'

const request = create(GetUserRequestSchema, { id: ADA })
const quiet = { debug() {}, info() {}, warn() {}, error() {} }

/** GetUser behind the pipeline, called as the web door calls it. */
function openWeb(handler: ServiceImpl<typeof UserService>['getUser']) {
  const pipeline = createPipeline({
    service: 'user',
    log: quiet,
    limits: { take: async () => ({ allowed: true }) },
    accessTokens: {
      async verify(token) {
        if (token === 'forged') throw new TokenInvalid('forged')
        return personFor(ADA, { tenant: token })
      },
    },
    workloads: { verify: async () => 'auth' },
    tenantOfHost: async (host) => ({ 'id.example.com': 'default', 'acme.example.com': 'acme' })[host],
    strict: true,
  })
  const method = pipeline.guard(UserService, complete(UserService.method, { getUser: handler })).get('GetUser')
  assert.ok(method)
  return (inbound: Partial<Inbound> & { headers?: Record<string, string> }, decode: () => Message = () => request) =>
    method.unary(
      {
        door: 'web',
        header: (name) => inbound.headers?.[name],
        source: '192.0.2.1',
        host: 'id.example.com',
        signal: new AbortController().signal,
        setResponseHeader() {},
        ...inbound,
      },
      decode,
    )
}

const AS_ADA = { headers: { authorization: 'Bearer default' } }
const refuses = (reason: string) => (error: unknown) => reasonOf(error) === reason

describe('a call at the web door', () => {
  test("is about the host's tenant, in whatever case it is written", async () => {
    const calls: Call[] = []
    const call = openWeb((_request, context) => {
      calls.push(callOf(context))
      return {}
    })
    await call({ host: 'ACME.example.com', headers: { authorization: 'Bearer acme' } })
    assert.equal(calls[0]?.tenant, 'acme')
  })

  test("with a token of another tenant than the host's is refused", async () => {
    await assert.rejects(openWeb(() => ({}))({ headers: { authorization: 'Bearer acme' } }), refuses('WRONG_TENANT'))
  })

  test('at a host that no tenant has is not served', async () => {
    for (const host of ['other.example.com', undefined])
      await assert.rejects(openWeb(() => ({}))({ ...AS_ADA, host }), refuses('NOT_SERVED'))
  })

  test('is never a workload, whatever it carries', async () => {
    const headers = { 'gatehouse-workload': 'anything', 'gatehouse-tenant': 'acme' }
    await assert.rejects(openWeb(() => ({}))({ headers }), refuses('CREDENTIALS_MISSING'))
  })

  test('is not decoded before its caller may call', async () => {
    let decoded = 0
    const decode = () => {
      decoded += 1
      return request
    }
    const call = openWeb(() => ({}))
    await assert.rejects(call({}, decode), refuses('CREDENTIALS_MISSING'))
    await assert.rejects(call({ headers: { authorization: 'Bearer forged' } }, decode), refuses('ACCESS_TOKEN_INVALID'))
    assert.equal(decoded, 0)
    await call(AS_ADA, decode)
    assert.equal(decoded, 1)
  })

  test('whose body does not decode keeps what the door says about it', async () => {
    const call = openWeb(() => ({}))
    const refusal = commonRefusal(ErrorReason.REQUEST_TOO_LARGE)
    await assert.rejects(
      call(AS_ADA, () => {
        throw refusal
      }),
      refuses('REQUEST_TOO_LARGE'),
    )
    await assert.rejects(
      call(AS_ADA, () => {
        throw new Error('nothing known')
      }),
      refuses('MALFORMED_REQUEST'),
    )
  })

  test('that comes too late is not begun', async () => {
    let begun = 0
    const call = openWeb(() => {
      begun += 1
      return {}
    })
    await assert.rejects(call({ ...AS_ADA, deadline: Date.now() - 1 }), refuses('DEADLINE_EXCEEDED'))
    assert.equal(begun, 0)
  })

  test('is answered at its deadline, and the handler is told', async () => {
    let aborted = false
    const call = openWeb((_request, context) => {
      context.signal.addEventListener('abort', () => {
        aborted = true
      })
      return new Promise(() => {})
    })
    await assert.rejects(call({ ...AS_ADA, deadline: Date.now() + 50 }), refuses('DEADLINE_EXCEEDED'))
    assert.equal(aborted, true)
  })

  test('whose caller went away is canceled and no fault', async () => {
    const gone = new AbortController()
    const call = openWeb((_request, context) => {
      gone.abort()
      context.signal.throwIfAborted()
      return {}
    })
    await assert.rejects(call({ ...AS_ADA, signal: gone.signal }), (error: ConnectError) => error.code === Code.Canceled)
  })

  test('of a handler that answers late into nothing breaks nothing', async () => {
    const late = Promise.withResolvers<Record<string, never>>()
    const call = openWeb(() => late.promise)
    await assert.rejects(call({ ...AS_ADA, deadline: Date.now() + 20 }), refuses('DEADLINE_EXCEEDED'))
    late.reject(new Error('too late'))
    await new Promise((resolve) => setImmediate(resolve))
  })
})
