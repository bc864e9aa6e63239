import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { Authorization, CheckRequestSchema, type CheckResponse } from '@gatehouse/contracts/envoy/service/auth/v3/external_auth_pb'
import { TokenService } from '@gatehouse/contracts/gatehouse/auth/v1/token_service_pb'
import { TokenInvalid, VerificationUnavailable } from '@gatehouse/identity'
import { DatabaseUnavailable } from '@gatehouse/postgres'
import { createPipeline, type Inbound } from '@gatehouse/rpc'
import { extAuthz } from './ext-authz.ts'

const pipeline = createPipeline({
  service: 'auth',
  accessTokens: { verify: async () => Promise.reject(new TokenInvalid('nobody')) },
  workloads: { verify: async (token) => token },
  tenantOfHost: () => 'default',
  limits: { take: async () => ({ allowed: true }) },
  log: { debug() {}, info() {}, warn() {}, error() {} },
})

const headers: Record<string, string> = { 'gatehouse-workload': 'gateway', 'gatehouse-tenant': 'default' }
const inbound: Inbound = {
  door: 'grpc',
  header: (name) => headers[name],
  source: '192.0.2.1',
  signal: new AbortController().signal,
  setResponseHeader() {},
}

async function checkWith(look: Parameters<typeof extAuthz>[0]['look']): Promise<CheckResponse> {
  const parts = { deps: { now: Date.now }, look, records: { firstTime: async () => true } }
  const method = pipeline.guard(Authorization, extAuthz(parts), { Check: TokenService.method.introspectToken }).get('Check')
  const http = { method: 'GET', path: '/', host: 'api.example', headers: { authorization: 'Bearer x' } }
  const attributes = { request: { http }, contextExtensions: { audience: 'orders' } }
  return (await method?.unary(inbound, () => create(CheckRequestSchema, { attributes }))) as CheckResponse
}

test('while nobody can say what a token is good for, the request is to come again', async () => {
  for (const away of [new DatabaseUnavailable('away'), new VerificationUnavailable()]) {
    const { status, httpResponse } = await checkWith(() => Promise.reject(away))
    assert.equal(status?.code, 14)
    assert.equal(httpResponse.case === 'deniedResponse' && httpResponse.value.status?.code, 503)
  }
  const { httpResponse } = await checkWith(async () => undefined)
  assert.equal(httpResponse.case === 'deniedResponse' && httpResponse.value.status?.code, 401)
})

test('a fault is no answer', async () => {
  await assert.rejects(
    checkWith(() => Promise.reject(new TypeError('a fault'))),
    { code: 13 },
  )
})
