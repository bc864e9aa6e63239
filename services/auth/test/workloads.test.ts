import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createClient } from '@connectrpc/connect'
import { IssuerService } from '@gatehouse/contracts/gatehouse/auth/v1/issuer_service_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { WorkloadService } from '@gatehouse/contracts/gatehouse/auth/v1/workload_service_pb'
import { createProjectedSigner } from '@gatehouse/identity'
import { peerTransport } from '@gatehouse/rpc'
import type { App } from '@gatehouse/service'
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { accountOf, bearer, type Machines, openMachines, outcome } from './machines-house.ts'
import { until } from './until.ts'

const issuer = 'https://kubernetes.default.svc.cluster.local'
const subject = 'system:serviceaccount:shop:orders'
const listIssuers = 'gatehouse.auth.v1.IssuerService/ListIssuers'

let house: Machines
let strict: readonly App[]
let folder: string
let clusterKey: CryptoKey
before(async () => {
  ;[house, folder] = await Promise.all([openMachines({ alone: true }), mkdtemp(join(tmpdir(), 'gatehouse-cluster-'))])
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  clusterKey = privateKey
  writeFileSync(join(folder, 'jwks.json'), JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'cluster', alg: 'RS256' }] }))
  writeFileSync(
    join(folder, 'clusters.json'),
    JSON.stringify({
      clusters: [{ issuer, jwks_file: join(folder, 'jwks.json'), workloads: { 'system:serviceaccount:gatehouse:user': 'user' } }],
    }),
  )
  const variables = { WORKLOADS_UNREGISTERED: 'refuse', WORKLOAD_CLUSTERS_FILE: join(folder, 'clusters.json') }
  strict = await Promise.all([house.story.startReplica(variables), house.story.startReplica(variables)])
})
after(async () => {
  await house[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

/** What a pod of the cluster is answered by each replica, with a token as the kubelet projects it. */
async function asPod(sub: string, audience: string): Promise<string[]> {
  const now = Math.floor(Date.now() / 1000)
  const token = await new SignJWT({ iss: issuer, sub, aud: [audience], iat: now, exp: now + 3607 })
    .setProtectedHeader({ alg: 'RS256', kid: 'cluster' })
    .sign(clusterKey)
  const file = join(folder, 'token')
  writeFileSync(file, token)
  return await Promise.all(
    strict.map(async (app) => {
      await using transport = peerTransport({
        target: 'auth',
        url: `127.0.0.1:${app.ports.grpc}`,
        signer: createProjectedSigner('pod', file),
      })
      return await outcome(createClient(IssuerService, transport).listIssuers({}))
    }),
  )
}

async function asBilling(): Promise<string[]> {
  return await Promise.all(
    strict.map(async (app) => await outcome((await house.story.grpc(IssuerService, {}, 'billing', app)).listIssuers({}))),
  )
}

const all = (reason: string) => async (look: () => Promise<string[]>) => {
  const began = performance.now()
  await until(async () => (await look()).every((each) => each === reason), 5_000)
  return performance.now() - began
}

test('a proven workload that nobody registered may call nothing; once registered it may within seconds, without a restart, until it is forgotten', async () => {
  const workloads = await house.story.grpc(WorkloadService, bearer(house.admin))
  assert.deepEqual(await asBilling(), ['PERMISSION_DENIED', 'PERMISSION_DENIED'])
  const billing = { name: 'billing', issuer: 'gatehouse-workload', subject: 'billing' }
  await workloads.registerWorkload({ ...billing, calls: [listIssuers] })
  assert.ok((await all('ok')(asBilling)) < 3_000)
  const watch = await house.story.grpc(SessionService, {}, 'billing', strict[0])
  const first = async () => {
    for await (const _ of watch.watchRevocations({})) break
  }
  assert.equal(await outcome(first()), 'PERMISSION_DENIED')
  await workloads.registerWorkload({ ...billing, calls: ['gatehouse.auth.v1.SessionService'] })
  assert.ok((await all('PERMISSION_DENIED')(asBilling)) < 3_000)
  await workloads.registerWorkload({ ...billing, calls: [listIssuers] })
  await all('ok')(asBilling)
  assert.deepEqual(
    (await workloads.listWorkloads({})).workloads.map(({ name, calls }) => [name, calls]),
    [['billing', [listIssuers]]],
  )
  await workloads.unregisterWorkload({ name: 'billing' })
  assert.ok((await all('PERMISSION_DENIED')(asBilling)) < 3_000)
})

test('a pod of a cluster is who the registry says, for the audience that is pinned', async () => {
  const workloads = await house.story.grpc(WorkloadService, bearer(house.admin))
  const pod = () => asPod(subject, 'gatehouse')
  assert.deepEqual(await pod(), ['WORKLOAD_TOKEN_INVALID', 'WORKLOAD_TOKEN_INVALID'])
  await workloads.registerWorkload({ name: 'orders', issuer, subject, audience: 'gatehouse', calls: [listIssuers] })
  assert.ok((await all('ok')(pod)) < 3_000)
  assert.deepEqual(await asPod(subject, 'auth'), ['WORKLOAD_TOKEN_INVALID', 'WORKLOAD_TOKEN_INVALID'])
  assert.deepEqual(await asPod('system:serviceaccount:other:orders', 'gatehouse'), ['WORKLOAD_TOKEN_INVALID', 'WORKLOAD_TOKEN_INVALID'])
  await workloads.unregisterWorkload({ name: 'orders' })
  await all('WORKLOAD_TOKEN_INVALID')(pod)
})

test('a pod of our own is who the configuration says, for this service only', async () => {
  const own = 'system:serviceaccount:gatehouse:user'
  assert.deepEqual(await asPod(own, 'auth'), ['ok', 'ok'])
  assert.deepEqual(await asPod(own, 'user'), ['WORKLOAD_TOKEN_INVALID', 'WORKLOAD_TOKEN_INVALID'])
})

test('a key file proves no name that is registered with a cluster', async () => {
  const workloads = await house.story.grpc(WorkloadService, bearer(house.admin))
  await workloads.registerWorkload({ name: 'billing', issuer, subject, audience: 'gatehouse', calls: [listIssuers] })
  await all('WORKLOAD_TOKEN_INVALID')(asBilling)
  await workloads.unregisterWorkload({ name: 'billing' })
})

test('where the unregistered are allowed, a workload of the key set calls as before', async () => {
  const billing = await house.story.grpc(IssuerService, {}, 'billing')
  await until(async () => (await outcome(billing.listIssuers({}))) === 'ok', 5_000)
})

test('what cannot be registered is refused', async () => {
  const workloads = await house.story.grpc(WorkloadService, bearer(house.admin))
  const good = { name: 'shop', issuer, subject: 'system:serviceaccount:shop:shop', audience: 'gatehouse', calls: [listIssuers] }
  const register = (changed: object) => outcome(workloads.registerWorkload({ ...good, ...changed }))
  assert.equal(await register({ calls: ['gatehouse.auth.v1.SessionService/RevokePersonSessions'] }), 'WORKLOAD_CALL_UNKNOWN')
  assert.equal(await register({ calls: ['gatehouse.auth.v1.ChallengeService'] }), 'WORKLOAD_CALL_UNKNOWN')
  assert.equal(await register({ calls: ['gatehouse'] }), 'WORKLOAD_CALL_UNKNOWN')
  for (const changed of [
    { name: 'user' },
    { name: 'registered' },
    { name: 'No' },
    { calls: [] },
    { calls: [listIssuers, listIssuers] },
    { audience: '' },
    { issuer: 'gatehouse-workload' },
    { issuer: 'gatehouse-workload', audience: '', subject: 'another' },
    { subject: '' },
  ])
    assert.equal(await register(changed), 'INVALID_REQUEST', JSON.stringify(changed))
  assert.equal(await register({}), 'ok')
  assert.equal(await register({}), 'ok')
  assert.equal(await register({ name: 'same-subject' }), 'WORKLOAD_EXISTS')
  assert.equal(await outcome(workloads.unregisterWorkload({ name: 'shop' })), 'ok')
  assert.equal(await outcome(workloads.unregisterWorkload({ name: 'shop' })), 'ok')
})

test('nobody lets a workload in to what they do not hold themselves', async () => {
  const serviceAccountId = await accountOf(house)
  const { key } = await house.accounts.createApiKey({ serviceAccountId, name: 'weak', scopes: ['auth.workloads.write'] })
  const weak = await house.story.grpc(WorkloadService, bearer(key))
  const register = (calls: string[]) =>
    outcome(weak.registerWorkload({ name: 'weak', issuer: 'gatehouse-workload', subject: 'weak', calls }))
  assert.equal(await register(['gatehouse.user.v1.UserService/GetUser']), 'SCOPE_NOT_HELD')
  assert.equal(await register([listIssuers, 'gatehouse.notification.v1.NotificationService']), 'SCOPE_NOT_HELD')
  assert.equal(await register([listIssuers]), 'ok')
  assert.equal(await outcome(weak.unregisterWorkload({ name: 'weak' })), 'ok')
})

test('the registry is kept by the default tenant only: a workload acts for all of them', async () => {
  const acme = await house.story.grpc(WorkloadService, bearer(await house.adminOf('acme')))
  const good = { name: 'shop', issuer, subject, audience: 'gatehouse', calls: [listIssuers] }
  for (const call of [acme.registerWorkload(good), acme.listWorkloads({}), acme.unregisterWorkload({ name: 'shop' })])
    assert.equal(await outcome(call), 'WRONG_TENANT')
})
