import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { SubjectKind } from '@gatehouse/contracts/gatehouse/auth/v1/access_pb'
import { AccessService } from '@gatehouse/contracts/gatehouse/auth/v1/access_service_pb'
import { ServiceAccountService } from '@gatehouse/contracts/gatehouse/auth/v1/service_account_service_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { WorkloadService } from '@gatehouse/contracts/gatehouse/auth/v1/workload_service_pb'
import { createHashPool } from '../src/core/passwords/hash-pool.ts'
import { declaredPermissions } from '../src/core/roles/declared-permissions.ts'
import { insertCredential } from '../src/store/credentials.ts'
import { bindRole } from './bind-role.ts'
import { openBrowser } from './browser.ts'
import { accountOf, bearer, type Machines, openMachines, outcome } from './machines-house.ts'
import type { WorkloadName } from './open-story.ts'

const password = 'correct horse battery'
const unknown = { id: randomUUID() }
const accountNotFound = 'SERVICE_ACCOUNT_NOT_FOUND'
const keyNotFound = 'API_KEY_NOT_FOUND'

type Clients = Awaited<ReturnType<typeof clientsOf>>

/** Every RPC of both services, the permission that opens it, the workloads that may call it, and what an allowed call comes to. */
const rpcs: Record<string, { call: (clients: Clients) => Promise<unknown>; permission?: string; workloads?: string[]; answer?: string }> = {
  createServiceAccount: {
    call: ({ accounts }) => accounts.createServiceAccount({ name: `r-${randomUUID()}` }),
    permission: 'auth.service_accounts.write',
  },
  listServiceAccounts: { call: ({ accounts }) => accounts.listServiceAccounts({}), permission: 'auth.service_accounts.read' },
  disableServiceAccount: {
    call: ({ accounts }) => accounts.disableServiceAccount(unknown),
    permission: 'auth.service_accounts.write',
    answer: accountNotFound,
  },
  enableServiceAccount: {
    call: ({ accounts }) => accounts.enableServiceAccount(unknown),
    permission: 'auth.service_accounts.write',
    answer: accountNotFound,
  },
  deleteServiceAccount: { call: ({ accounts }) => accounts.deleteServiceAccount(unknown), permission: 'auth.service_accounts.write' },
  createApiKey: {
    call: ({ accounts }) => accounts.createApiKey({ serviceAccountId: unknown.id, name: 'x', scopes: ['auth.api_keys.write'] }),
    permission: 'auth.api_keys.write',
    answer: accountNotFound,
  },
  listApiKeys: {
    call: ({ accounts }) => accounts.listApiKeys({ serviceAccountId: unknown.id }),
    permission: 'auth.api_keys.read',
    answer: accountNotFound,
  },
  rotateApiKey: { call: ({ accounts }) => accounts.rotateApiKey(unknown), permission: 'auth.api_keys.write', answer: keyNotFound },
  revokeApiKey: { call: ({ accounts }) => accounts.revokeApiKey(unknown), permission: 'auth.api_keys.write', answer: keyNotFound },
  resolveApiKey: {
    call: ({ accounts }) => accounts.resolveApiKey({ keyId: unknown.id, keyHash: new Uint8Array(32) }),
    workloads: ['user', 'notification'],
  },
  registerWorkload: {
    call: ({ workloads }) =>
      workloads.registerWorkload({
        name: 'matrix',
        issuer: 'gatehouse-workload',
        subject: 'matrix',
        calls: ['gatehouse.auth.v1.IssuerService/ListIssuers'],
      }),
    permission: 'auth.workloads.write',
  },
  listWorkloads: { call: ({ workloads }) => workloads.listWorkloads({}), permission: 'auth.workloads.read' },
  unregisterWorkload: { call: ({ workloads }) => workloads.unregisterWorkload({ name: 'matrix' }), permission: 'auth.workloads.write' },
  readRegistry: { call: ({ workloads }) => workloads.readRegistry({}), workloads: ['user', 'notification'] },
}

let house: Machines
let person: string
before(async () => {
  house = await openMachines({ alone: true })
  const user = house.story.people.add('default', { email: 'matrix@example.com' })
  const passwordHash = await createHashPool().hash(password)
  await insertCredential(house.story.db, { tenant: 'default', userId: user.id, passwordHash, time: new Date() })
  const { result } = await (await house.story.grpc(SessionService)).signIn({ email: user.email, password })
  person = result.case === 'signedIn' ? result.value.accessToken : assert.fail()
})
after(() => house[Symbol.asyncDispose]())

async function clientsOf(headers: Record<string, string>, workload?: WorkloadName) {
  const { story } = house
  return {
    accounts: await story.grpc(ServiceAccountService, headers, workload),
    workloads: await story.grpc(WorkloadService, headers, workload),
  }
}

test('the table names every RPC', () => {
  const declared = [...ServiceAccountService.methods, ...WorkloadService.methods].map(({ localName }) => localName)
  assert.deepEqual(Object.keys(rpcs).sort(), declared.sort())
})

test('strangers are asked for credentials, and a person without a permission may nothing', async () => {
  for (const [name, { call }] of Object.entries(rpcs)) {
    assert.equal(await outcome(call(await clientsOf({}))), 'CREDENTIALS_MISSING', name)
    assert.equal(await outcome(call(await clientsOf(bearer(person)))), 'PERMISSION_DENIED', name)
    const forwarded = { ...bearer(person), 'gatehouse-tenant': 'default' }
    assert.equal(await outcome(call(await clientsOf(forwarded, 'user'))), 'PERMISSION_DENIED', name)
  }
})

test('a permission opens what it names and nothing else, also as the scope of a key', async () => {
  const serviceAccountId = await accountOf(house)
  for (const permission of declaredPermissions.filter((each) => /^auth\.(service_accounts|api_keys|workloads)\./.test(each))) {
    const { key } = await house.accounts.createApiKey({ serviceAccountId, name: permission, scopes: [permission] })
    const clients = await clientsOf(bearer(key))
    for (const [name, { call, permission: asked, answer = 'ok' }] of Object.entries(rpcs))
      assert.equal(await outcome(call(clients)), asked === permission ? answer : 'PERMISSION_DENIED', `${name} with ${permission}`)
  }
})

test('whoever signed in long ago proves anew who they are before they make a key or give a right', async () => {
  const user = house.story.people.add('default', { email: 'long-ago@example.com' })
  const passwordHash = await createHashPool().hash(password)
  await insertCredential(house.story.db, { tenant: 'default', userId: user.id, passwordHash, time: new Date() })
  await bindRole(house.story.db, { tenant: 'default', subject_id: user.id, role: 'administrator' })
  const sessions = await house.story.grpc(SessionService)
  const { result } = await sessions.signIn({ email: user.email, password })
  assert.equal(result.case, 'signedIn')
  const { accessToken, refreshToken, session } = result.case === 'signedIn' ? result.value : assert.fail()
  const serviceAccountId = await accountOf(house)
  const make = async (token: string) =>
    (await clientsOf(bearer(token))).accounts.createApiKey({ serviceAccountId, name: 'x', scopes: ['auth.api_keys.read'] })
  const { apiKey } = await make(accessToken)
  const hourAgo = new Date(Date.now() - 3_600_000)
  await house.story.db
    .updateTable('sessions')
    .set({ auth_time: hourAgo })
    .where('id', '=', session?.id ?? '')
    .execute()
  const { signedIn } = await sessions.refreshSession({ refreshToken })
  assert.equal(await outcome(make(signedIn?.accessToken ?? '')), 'STEP_UP_REQUIRED')
  const later = (await clientsOf(bearer(signedIn?.accessToken ?? ''))).accounts
  assert.equal(await outcome(later.rotateApiKey({ id: apiKey?.id ?? '' })), 'STEP_UP_REQUIRED')
  const access = await house.story.grpc(AccessService, bearer(signedIn?.accessToken ?? ''))
  const { registerWorkload } = (await clientsOf(bearer(signedIn?.accessToken ?? ''))).workloads
  const grants = [
    access.createRole({ name: 'reader', permissions: ['user.users.read'] }),
    access.updateRole({ name: 'reader', permissionSet: { permissions: ['user.users.read'] } }),
    access.createBinding({ role: 'administrator', subject: { kind: SubjectKind.PERSON, id: user.id } }),
    access.addGroupMember({ groupId: randomUUID(), subject: { kind: SubjectKind.PERSON, id: user.id } }),
    registerWorkload({ name: 'theirs', issuer: 'https://theirs.example', subject: 'theirs', audience: 'gatehouse', calls: [] }),
  ]
  assert.deepEqual(
    await Promise.all(grants.map(outcome)),
    grants.map(() => 'STEP_UP_REQUIRED'),
  )
  // To take away needs no more than the permission.
  assert.equal(await outcome(later.revokeApiKey({ id: apiKey?.id ?? '' })), 'ok')
})

test('a workload may what names it, and only over gRPC', async () => {
  for (const workload of ['user', 'notification', 'billing'] as const) {
    const clients = await clientsOf({ 'gatehouse-tenant': 'default' }, workload)
    for (const [name, { call, workloads = [] }] of Object.entries(rpcs))
      assert.equal(await outcome(call(clients)), workloads.includes(workload) ? 'ok' : 'PERMISSION_DENIED', `${name} as ${workload}`)
  }
  const browser = openBrowser(house.story.app.ports.web)
  for (const method of ['ServiceAccountService/ResolveApiKey', 'WorkloadService/ReadRegistry']) {
    const answer = await browser.call(method, {}, bearer(house.admin))
    assert.deepEqual([answer.status, answer.body.code], [404, 'unimplemented'], method)
  }
})
