import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { createClient } from '@connectrpc/connect'
import { LimitsOfTenantSchema, PolicyService } from '@gatehouse/contracts/gatehouse/auth/v1/policy_service_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { peerTransport } from './client/peer-transport.ts'
import { complete, openTestDoor, until } from './grpc/door-for-tests.ts'
import { createLimitOverrides, followLimits } from './limit-overrides.ts'
import type { LimitCharge, LimitStore } from './limit-store.ts'

const rpc = 'gatehouse.auth.v1.SessionService/SignIn'
const told = (tenant: string, version: number, ...limits: [index: number, count: number, seconds: number][]) =>
  create(LimitsOfTenantSchema, {
    tenant,
    version: BigInt(version),
    overrides: limits.map(([index, count, seconds]) => ({ rpc, index, count, window: { seconds: BigInt(seconds) } })),
  })

test('a limit that a tenant set is charged for its calls alone, and never lets more pass than the contract', async () => {
  const overrides = createLimitOverrides()
  overrides.put(told('acme', 2, [0, 5, 900]))
  overrides.put(told('acme', 1, [0, 1, 86_400]))
  overrides.put(told('lax', 1, [0, 1_000_000, 1]))
  const taken: LimitCharge[][] = []
  const limits: LimitStore = {
    async take(charges) {
      taken.push(charges)
      return { allowed: true }
    },
  }
  await using door = await openTestDoor({ session: { signIn: () => ({}) }, pipeline: { limits, limitOverrides: overrides } })
  await using transport = peerTransport({ target: 'auth', url: door.url })
  const signIn = (headers: Record<string, string> = {}) =>
    createClient(SessionService, transport).signIn({ email: 'a@example.com', password: 'x' }, { headers })
  await signIn({ 'gatehouse-workload': 'billing', 'gatehouse-tenant': 'acme' })
  await signIn({ 'gatehouse-workload': 'billing', 'gatehouse-tenant': 'other' })
  await signIn({ 'gatehouse-workload': 'billing', 'gatehouse-tenant': 'lax' })
  await signIn()
  const bounds = taken.map((charges) => charges.map(({ count, windowSeconds }) => `${count}/${windowSeconds}`))
  const [ofAcme, ofOther, ofLax, ofDefault] = bounds
  assert.equal(ofAcme?.[0], '5/900')
  assert.equal(ofOther?.[0], '300/300')
  assert.deepEqual(ofLax, ofOther)
  assert.deepEqual(ofDefault, ofOther)
})

test('a follower takes each change, keeps what it was told through a break, comes again with its cursor and takes nothing older', async () => {
  const cursors: string[] = []
  const ends = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  async function* watchLimits({ cursor }: { cursor: string }) {
    const end = ends[cursors.push(cursor) - 1]
    yield { tenants: [told('acme', cursors.length === 1 ? 3 : 2, [0, 10 * cursors.length, 300])], cursor: `c${cursors.length}` }
    await end?.promise
  }
  await using door = await openTestDoor({ more: [[PolicyService, complete(PolicyService.method, { watchLimits })]] })
  await using transport = peerTransport({ target: 'auth', url: door.url })
  const source = createClient(PolicyService, transport)
  await using follower = followLimits({
    watchLimits: (request, options) => source.watchLimits(request, { ...options, headers: { 'gatehouse-workload': 'user' } }),
  })
  const limit = () => follower.of('acme', `${rpc}#0`)
  assert.equal(limit(), undefined)
  await until(() => limit() !== undefined)
  assert.ok(follower.connected)
  ends[0]?.resolve()
  await until(() => cursors.length === 2 && follower.connected)
  assert.deepEqual([cursors, limit()], [['', 'c1'], { count: 10, windowSeconds: 300 }])
  ends[1]?.resolve()
})
