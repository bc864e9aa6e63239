import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Code } from '@connectrpc/connect'
import { EmailSignInService } from '@gatehouse/contracts/gatehouse/auth/v1/email_sign_in_service_pb'
import { PolicyService, type WatchLimitsResponse } from '@gatehouse/contracts/gatehouse/auth/v1/policy_service_pb'
import { followLimits } from '@gatehouse/rpc'
import type { App } from '@gatehouse/service'
import { refused } from '@gatehouse/testkit'
import { openPolicyStory, type PolicyStory, tenantOf } from './policy-story.ts'
import { until } from './until.ts'

let story: PolicyStory
before(async () => {
  story = await openPolicyStory()
})
after(async () => story[Symbol.asyncDispose]())

const seconds = (count: number) => ({ seconds: BigInt(count) })
const limit = (rpc: string, index: number, count: number, window: number) => ({
  limits: { overrides: [{ rpc: `gatehouse.${rpc}`, index, count, window: seconds(window) }] },
})
const ofSearch = (count: number) => limit('auth.v1.EmailSignInService/BeginEmailSignIn', 0, count, 86_400)

async function read(messages: AsyncIterator<WatchLimitsResponse>, enough: (seen: Map<string, bigint>) => boolean) {
  const seen = new Map<string, bigint>()
  for (;;) {
    const { value, done } = await messages.next()
    assert.ok(!done, 'the stream ended')
    for (const { tenant, version } of value.tenants) seen.set(tenant, version)
    if (enough(seen)) return { seen, cursor: value.cursor as string }
  }
}

/** Until the replica obeys that version: what it tells it obeys. */
async function obeyed(app: App, tenant: string, version: bigint): Promise<void> {
  const client = await story.grpc(PolicyService, {}, 'user', app)
  const watch = client.watchLimits({}, { timeoutMs: 0 })[Symbol.asyncIterator]()
  await read(watch, (seen) => (seen.get(tenant) ?? 0n) >= version)
  await watch.return?.(undefined)
}

test('a watch tells what tenants set before, then each change in whatever replica within a second, and resumes at its cursor', async () => {
  const [{ tenant, admin, adminAt }, quiet] = [await story.tenant(), await story.tenant()]
  await admin.updatePolicy(ofSearch(5))
  await quiet.admin.updatePolicy({ passwordMinLength: 16 })
  const client = await story.grpc(PolicyService, {}, 'user', await story.replica())
  const stop = new AbortController()
  const watch = client.watchLimits({}, { signal: stop.signal, timeoutMs: 0 })[Symbol.asyncIterator]()
  await read(watch, (seen) => seen.get(tenant) === 1n)
  const start = performance.now()
  await admin.updatePolicy(ofSearch(4))
  const { cursor } = await read(watch, (seen) => seen.get(tenant) === 2n)
  const took = performance.now() - start
  assert.ok(took < 1000, `${took} ms`)
  stop.abort()
  await (await adminAt(story.app)).updatePolicy(ofSearch(3))
  const resumed = client.watchLimits({ cursor }, { timeoutMs: 0 })[Symbol.asyncIterator]()
  await read(resumed, (seen) => seen.get(tenant) === 3n)
  await resumed.return?.(undefined)
})

test('a tightened limit refuses in every replica within a second, in its tenant alone, and is the contract’s again when it is taken back', async () => {
  const [{ tenant, admin }, elsewhere] = [await story.tenant(), await story.tenant()]
  const apps = [story.app, await story.replica()]
  const begin = async (of: string, at: number) =>
    (await story.grpc(EmailSignInService, tenantOf(of), 'billing', apps[at % 2])).beginEmailSignIn({ email: 'limited@example.com' })
  await admin.updatePolicy({ ...limit('auth.v1.EmailSignInService/BeginEmailSignIn', 0, 4, 86_400) })
  const start = performance.now()
  await Promise.all(apps.map((app) => obeyed(app, tenant, 1n)))
  assert.ok(performance.now() - start < 1000)
  const tries = await Promise.allSettled(Array.from({ length: 12 }, (_, at) => begin(tenant, at)))
  assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 4)
  await refused(begin(tenant, 0), Code.ResourceExhausted, 'LIMIT_EXCEEDED')
  assert.ok(await begin(elsewhere.tenant, 0))
  await admin.updatePolicy({ limits: { overrides: [] } })
  await Promise.all(apps.map((app) => obeyed(app, tenant, 2n)))
  assert.ok(await begin(tenant, 1))
})

test('a follower keeps the last that it was told while auth is away, and takes no older version', async () => {
  const { tenant, admin } = await story.tenant()
  await admin.updatePolicy(ofSearch(7))
  const third = await story.startReplica()
  const told: unknown[] = []
  await using follower = followLimits(await story.grpc(PolicyService, {}, 'user', third), (error) => void told.push(error))
  const name = 'gatehouse.auth.v1.EmailSignInService/BeginEmailSignIn#0'
  assert.equal(follower.of(tenant, name), undefined)
  await until(() => follower.of(tenant, name) !== undefined)
  assert.deepEqual(follower.of(tenant, name), { count: 7, windowSeconds: 86_400 })
  await third[Symbol.asyncDispose]()
  await until(() => !follower.connected)
  assert.deepEqual(follower.of(tenant, name), { count: 7, windowSeconds: 86_400 })
  await until(() => told.some((error) => error !== undefined))
})
