import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { Code, ConnectError } from '@connectrpc/connect'
import { Authorization, CheckRequestSchema } from '@gatehouse/contracts/envoy/service/auth/v3/external_auth_pb'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { TokenInvalid } from '@gatehouse/identity'
import type { Inbound } from './pipeline.ts'
import { ContractError, createPipeline } from './pipeline.ts'
import { isOpenToPeople } from './web/rest-routes.ts'

const asked: string[] = []
const pipeline = createPipeline({
  service: 'user',
  accessTokens: { verify: async () => Promise.reject(new TokenInvalid('nobody')) },
  workloads: { verify: async (token) => token },
  registry: {
    mayCall(workload, rpc) {
      asked.push(rpc)
      return workload === 'billing'
    },
  },
  tenantOfHost: () => 'default',
  limits: { take: async () => ({ allowed: true }) },
  log: { debug() {}, info() {}, warn() {}, error() {} },
})
const impl = { check: () => ({ status: { code: 0 } }) }

function inboundOf(workload?: string): Inbound {
  const headers: Record<string, string> = workload === undefined ? {} : { 'gatehouse-workload': workload, 'gatehouse-tenant': 'default' }
  const { signal } = new AbortController()
  return { door: 'grpc', header: (name) => headers[name], source: '192.0.2.1', signal, setResponseHeader() {} }
}

test('an RPC of somebody else’s contract is served to whoever may call the one of ours that it is as much as', async () => {
  const method = pipeline.guard(Authorization, impl, { Check: UserService.method.getUser }).get('Check') ?? assert.fail()
  const call = (workload?: string) => method.unary(inboundOf(workload), () => create(CheckRequestSchema))
  assert.ok(await call('billing'))
  assert.deepEqual(asked, ['gatehouse.user.v1.UserService/GetUser'])
  for (const [workload, code] of [
    ['another', Code.PermissionDenied],
    [undefined, Code.Unauthenticated],
  ] as const)
    await assert.rejects(call(workload), (error) => error instanceof ConnectError && error.code === code)
})

test('without one it keeps its server from starting, and no browser is offered it', () => {
  assert.throws(() => pipeline.guard(Authorization, impl), ContractError)
  assert.throws(() => pipeline.guard(Authorization, impl, { Check2: UserService.method.getUser }), ContractError)
  assert.equal(isOpenToPeople(Authorization.method.check), false)
})
