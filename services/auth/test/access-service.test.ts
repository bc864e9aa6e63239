import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { type Client, Code, ConnectError } from '@connectrpc/connect'
import { BindingVerdict, SubjectKind } from '@gatehouse/contracts/gatehouse/auth/v1/access_pb'
import { AccessService } from '@gatehouse/contracts/gatehouse/auth/v1/access_service_pb'
import { BadRequestSchema } from '@gatehouse/contracts/google/rpc/error_details_pb'
import { reasonOf } from '@gatehouse/rpc'
import type { App } from '@gatehouse/service'
import { commands } from '../src/commands.ts'
import { openBrowser } from './browser.ts'
import { openStory, type Story, type WorkloadName } from './open-story.ts'
import { until } from './until.ts'

let story: Story
let second: App
/** An administrator, and somebody who may do nothing. */
let root: Somebody
let ada: Somebody
before(async () => {
  story = await openStory()
  second = await story.startReplica()
  ada = await somebody('ada@example.com')
  await somebody('root@example.com')
  await gatehouse('admin invite', 'root@example.com')
  root = await somebody('root@example.com')
})
after(async () => story[Symbol.asyncDispose]())

/** JSON whose members may be read without knowing its type. */
type Json = { readonly [member: string]: Json } & { readonly [index: number]: Json } & string & readonly string[]

interface Somebody {
  readonly id: string
  readonly token: string
}

/** Runs a command in this process; answers what it printed. */
async function gatehouse(name: string, ...args: string[]): Promise<string> {
  const lines: string[] = []
  const { write } = process.stdout
  process.stdout.write = (chunk: string | Uint8Array, ...rest: never[]) =>
    typeof chunk === 'string' ? lines.push(chunk) > 0 : write.call(process.stdout, chunk, ...rest)
  try {
    await commands.find((each) => each.name === name)?.run(args, { ...story.environment, GATEHOUSE_MODE: 'local' })
  } finally {
    process.stdout.write = write
  }
  return lines.join('')
}

async function somebody(email: string, ...more: string[]): Promise<Somebody> {
  const { user_id: id, access_token: token } = JSON.parse(await gatehouse('dev person', email, ...more))
  return { id, token }
}

const bearer = ({ token }: Somebody) => ({ authorization: `Bearer ${token}` })
const as = (who: Somebody, app?: App) => story.grpc(AccessService, bearer(who), undefined, app)
const asWorkload = (name: WorkloadName, headers = {}, app?: App) =>
  story.grpc(AccessService, { 'gatehouse-tenant': 'default', ...headers }, name, app)
const personSubject = (id: string) => ({ kind: SubjectKind.PERSON, id })

/** The reason of a refusal; `ok` for an answer. */
async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return 'ok'
  } catch (error) {
    return reasonOf(error) ?? Code[ConnectError.from(error).code]
  }
}

type Access = Client<typeof AccessService>
const denied = 'PERMISSION_DENIED'
const missing = 'CREDENTIALS_MISSING'

/** What a caller gets: nobody, a person without roles, an administrator, the user service, another team's, that for the administrator. */
const anyId = randomUUID()
const forAdministrators = [missing, denied, 'let in', denied, denied, denied]
const matrix: Readonly<Record<string, { call: (access: Access) => Promise<unknown>; gets: readonly string[] }>> = {
  createRole: { call: (access) => access.createRole({ name: 'reader' }), gets: forAdministrators },
  getRole: { call: (access) => access.getRole({ name: 'support' }), gets: forAdministrators },
  listRoles: { call: (access) => access.listRoles({}), gets: forAdministrators },
  updateRole: { call: (access) => access.updateRole({ name: 'nobody-knows' }), gets: forAdministrators },
  deleteRole: { call: (access) => access.deleteRole({ name: 'nobody-knows' }), gets: forAdministrators },
  createGroup: { call: (access) => access.createGroup({ name: randomUUID() }), gets: forAdministrators },
  getGroup: { call: (access) => access.getGroup({ id: anyId }), gets: forAdministrators },
  listGroups: { call: (access) => access.listGroups({}), gets: forAdministrators },
  deleteGroup: { call: (access) => access.deleteGroup({ id: anyId }), gets: forAdministrators },
  addGroupMember: { call: (access) => access.addGroupMember({ groupId: anyId, subject: personSubject(anyId) }), gets: forAdministrators },
  removeGroupMember: { call: (access) => access.removeGroupMember({ groupId: anyId, memberId: anyId }), gets: forAdministrators },
  listGroupMembers: { call: (access) => access.listGroupMembers({ groupId: anyId }), gets: forAdministrators },
  createBinding: {
    call: (access) => access.createBinding({ role: 'nobody-knows', subject: personSubject(anyId) }),
    gets: forAdministrators,
  },
  getBinding: { call: (access) => access.getBinding({ id: anyId }), gets: forAdministrators },
  listBindings: { call: (access) => access.listBindings({}), gets: forAdministrators },
  deleteBinding: { call: (access) => access.deleteBinding({ id: anyId }), gets: forAdministrators },
  explainCheck: { call: (access) => access.explainCheck({ principalId: anyId, permission: 'user.users.read' }), gets: forAdministrators },
  check: {
    call: (access) => access.check({ principalId: ada.id, permission: 'user.users.read' }),
    gets: [missing, 'let in', denied, denied, 'let in', denied],
  },
  batchCheck: {
    call: (access) => access.batchCheck({ principalId: ada.id, questions: [{ permission: 'user.users.read' }] }),
    gets: [missing, 'let in', denied, denied, 'let in', denied],
  },
  listPermissions: {
    call: (access) => access.listPermissions({ principalId: ada.id }),
    gets: [missing, 'let in', denied, denied, 'let in', denied],
  },
  releasePerson: { call: (access) => access.releasePerson({ userId: anyId }), gets: [missing, denied, denied, 'let in', denied, denied] },
  watchAccess: {
    call: async (access) => {
      for await (const { snapshotComplete } of access.watchAccess({}, { timeoutMs: 0 })) if (snapshotComplete) break
    },
    gets: [missing, denied, denied, 'let in', denied, denied],
  },
}

test('every RPC lets in whom its contract names, and nobody else', { timeout: 60_000 }, async () => {
  assert.deepEqual(Object.keys(matrix).sort(), AccessService.methods.map(({ localName }) => localName).sort())
  const callers = [
    await story.grpc(AccessService),
    await as(ada),
    await as(root),
    await asWorkload('user'),
    await asWorkload('billing'),
    await asWorkload('billing', bearer(root)),
  ]
  for (const [name, { call, gets }] of Object.entries(matrix)) {
    for (const [index, caller] of callers.entries()) {
      const got = await outcome(call(caller))
      assert.equal([missing, denied].includes(got) ? got : 'let in', gets[index], `${name} as ${index}: ${got}`)
    }
  }
})

test('over REST a role is made, read, changed and deleted, and what is wrong is refused with its field', { timeout: 60_000 }, async () => {
  const browser = openBrowser(story.app.ports.web)
  const call = async (method: string, path: string, body?: object, who = root) => {
    const answer = await browser.rest(method, `/api/${path}`, body, bearer(who))
    // Read as a stranger's program would: as JSON that has these members or has not.
    return { status: answer.status, location: answer.headers.location, body: answer.body as Json }
  }
  const made = await call('POST', 'roles', { name: 'billing-clerk', description: 'Looks people up.', permissions: ['user.users.read'] })
  assert.deepEqual([made.status, made.location], [201, '/api/roles/billing-clerk'])
  const patched = await call('PATCH', 'roles/billing-clerk', {
    etag: made.body.etag,
    permissionSet: { permissions: ['user.users.suspend'] },
  })
  assert.deepEqual([patched.body.description, patched.body.permissions], ['Looks people up.', ['user.users.suspend']])
  assert.equal((await call('PATCH', 'roles/billing-clerk', { etag: made.body.etag, description: '' })).status, 409)
  assert.equal((await call('GET', 'roles/billing-clerk')).body.etag, patched.body.etag)
  const { body } = await call('GET', 'roles')
  assert.deepEqual(
    [0, 1, 2].map((index) => [String(body.roles?.[index]?.name), Boolean(body.roles?.[index]?.builtIn)]),
    ['administrator', 'support', 'member'].map((name) => [name, true]),
  )
  const support: readonly string[] = body.roles?.[1]?.permissions ?? []
  assert.ok(support.includes('user.users.read') && support.includes('auth.bindings.read'))
  assert.deepEqual(
    support.filter((permission) => !/\.(read|explain)$/.test(permission)),
    [],
  )
  const bound = await call('POST', 'bindings', {
    role: 'billing-clerk',
    subject: { kind: 'SUBJECT_KIND_PERSON', id: ada.id },
    resource: 'user/7',
  })
  assert.equal(bound.status, 201)
  assert.equal((await call('GET', `bindings/${bound.body.id}`)).body.resource, 'user/7')
  assert.equal((await call('DELETE', 'roles/billing-clerk')).status, 400)
  assert.equal((await call('DELETE', `bindings/${bound.body.id}`)).status, 200)
  assert.equal((await call('DELETE', 'roles/billing-clerk')).status, 200)
  assert.equal((await call('GET', 'roles/billing-clerk')).status, 404)
  for (const name of ['administrator', 'support', 'member']) assert.equal((await call('DELETE', `roles/${name}`)).status, 400, name)

  const wrong = await call('POST', 'bindings', {
    role: 'support',
    subject: { kind: 'SUBJECT_KIND_PERSON', id: ada.id },
    condition: 'resource.owner == principal.shoes',
  })
  assert.deepEqual([wrong.status, wrong.body.code], [400, 'invalid_argument'])
  assert.match(String(wrong.body.message), /wrong at character 28: principal has no shoes/)
  assert.equal((await call('POST', 'roles', { name: 'x', permissions: ['no.such.permission'] })).status, 400)
  assert.equal((await call('POST', 'roles', { name: 'administrator' })).status, 409)
  assert.equal((await call('GET', 'roles', undefined, ada)).status, 403)
})

test('what one replica binds the other decides by within a second, on both doors, with NATS down too', { timeout: 60_000 }, async () => {
  const there = await as(ada, second)
  const browser = openBrowser(second.ports.web)
  const onWeb = async () => (await browser.call('AccessService/ListRoles', {}, bearer(ada))).status
  const onGrpc = () => outcome(there.listRoles({}))
  assert.deepEqual([await onGrpc(), await onWeb()], [denied, 403])
  await story.nats.stop()
  const here = await as(root)
  const { binding } = await here.createBinding({ role: 'support', subject: personSubject(ada.id) })
  await until(async () => (await onGrpc()) === 'ok', 1_000)
  assert.equal(await onWeb(), 200)
  assert.deepEqual(
    [
      await outcome(there.createGroup({ name: 'mine' })),
      await outcome(there.createBinding({ role: 'support', subject: personSubject(ada.id) })),
    ],
    [denied, denied],
  )
  await here.deleteBinding({ id: binding?.id ?? '' })
  await until(async () => (await onGrpc()) === denied, 1_000)
  assert.equal(await onWeb(), 403)
  await story.nats.start()
})

test('services ask about everybody, people about themselves, and the explanation says why', { timeout: 60_000 }, async () => {
  const here = await as(root)
  const billing = await asWorkload('billing')
  const document = { name: 'document/7', owner: ada.id, attributes: { state: 'draft' } }
  const question = { principalId: ada.id, permission: 'user.users.read', resource: document }
  assert.equal((await billing.check(question)).allowed, false)
  const condition = 'resource.owner == principal.id && resource.attributes.state == "draft"'
  await here.createBinding({ role: 'support', subject: personSubject(ada.id), condition })
  await here.createBinding({ role: 'support', subject: personSubject(ada.id), resource: 'document/8' })
  assert.equal((await billing.check(question)).allowed, true)
  assert.equal((await (await as(ada)).check(question)).allowed, true)
  const { allowed } = await billing.batchCheck({
    principalId: ada.id.toUpperCase(),
    questions: [
      { permission: 'user.users.read', resource: { ...document, owner: root.id } },
      { permission: 'user.users.read', resource: { name: 'document/8' } },
      { permission: 'user.users.delete', resource: document },
      { permission: 'user.users.read' },
      { permission: 'user.users.read', resource: document },
    ],
  })
  assert.deepEqual(allowed, [false, true, false, false, true])
  assert.ok((await billing.listPermissions({ principalId: ada.id, resource: document })).permissions.includes('user.users.read'))
  assert.deepEqual((await billing.listPermissions({ principalId: ada.id })).permissions, [])
  const verdicts = async (resource: typeof document) => {
    const explained = await here.explainCheck({ ...question, resource })
    return [explained.allowed, ...explained.bindings.map(({ verdict }) => verdict)]
  }
  assert.deepEqual(await verdicts(document), [true, BindingVerdict.ALLOWS, BindingVerdict.OTHER_RESOURCE])
  const strange = { ...document, attributes: {} } as unknown as typeof document
  assert.deepEqual(await verdicts(strange), [false, BindingVerdict.CONDITION_FAILED, BindingVerdict.OTHER_RESOURCE])
  assert.equal(await outcome(billing.check({ ...question, permission: 'user.users.reed' })), 'PERMISSION_UNKNOWN')
  const { principalId, ...right } = question
  const batch = billing.batchCheck({ principalId, questions: [right, { ...right, permission: 'user.users.reed' }] })
  const unknown = await batch.catch((error) => ConnectError.from(error).findDetails(BadRequestSchema)[0]?.fieldViolations[0]?.field)
  assert.equal(unknown, 'questions[1].permission')
  // Another tenant knows nobody of this one.
  const elsewhere = await asWorkload('billing', { 'gatehouse-tenant': 'acme' })
  assert.equal((await elsewhere.check(question)).allowed, false)
})

test('what belongs to another tenant is answered like what there is not', { timeout: 60_000 }, async () => {
  const here = await as(root)
  const { group } = await here.createGroup({ name: 'of the default tenant' })
  const { role } = await here.createRole({ name: 'of-default', permissions: ['user.users.read'] })
  const { binding } = await here.createBinding({ role: 'of-default', subject: personSubject(ada.id) })
  const [groupId = '', bindingId = '', name = ''] = [group?.id, binding?.id, role?.name]
  await gatehouse('tenants create', 'acme', '--origin', 'http://acme.localhost:8080')
  await somebody('chief@example.com', '--tenant', 'acme')
  await gatehouse('admin invite', 'chief@example.com', '--tenant', 'acme')
  const chief = await somebody('chief@example.com', '--tenant', 'acme')
  const there = await as(chief)
  const asked: Readonly<Record<string, [theirs: () => Promise<unknown>, none: () => Promise<unknown>]>> = {
    getRole: [() => there.getRole({ name }), () => there.getRole({ name: 'none' })],
    updateRole: [() => there.updateRole({ name, description: 'mine' }), () => there.updateRole({ name: 'none' })],
    deleteRole: [() => there.deleteRole({ name }), () => there.deleteRole({ name: 'none' })],
    getGroup: [() => there.getGroup({ id: groupId }), () => there.getGroup({ id: anyId })],
    deleteGroup: [() => there.deleteGroup({ id: groupId }), () => there.deleteGroup({ id: anyId })],
    listGroupMembers: [() => there.listGroupMembers({ groupId }), () => there.listGroupMembers({ groupId: anyId })],
    removeGroupMember: [
      () => there.removeGroupMember({ groupId, memberId: ada.id }),
      () => there.removeGroupMember({ groupId: anyId, memberId: ada.id }),
    ],
    addGroupMember: [
      () => there.addGroupMember({ groupId, subject: personSubject(chief.id) }),
      () => there.addGroupMember({ groupId: anyId, subject: personSubject(chief.id) }),
    ],
    getBinding: [() => there.getBinding({ id: bindingId }), () => there.getBinding({ id: anyId })],
    deleteBinding: [() => there.deleteBinding({ id: bindingId }), () => there.deleteBinding({ id: anyId })],
    createBinding: [
      () => there.createBinding({ role: 'support', subject: personSubject(ada.id) }),
      () => there.createBinding({ role: 'support', subject: personSubject(anyId) }),
    ],
    theirRole: [
      () => there.createBinding({ role: name, subject: personSubject(chief.id) }),
      () => there.createBinding({ role: 'none', subject: personSubject(chief.id) }),
    ],
    theirGroup: [
      () => there.createBinding({ role: 'support', subject: { kind: SubjectKind.GROUP, id: groupId } }),
      () => there.createBinding({ role: 'support', subject: { kind: SubjectKind.GROUP, id: anyId } }),
    ],
  }
  for (const [what, [theirs, none]] of Object.entries(asked)) {
    const [got, expected] = [await outcome(theirs()), await outcome(none())]
    assert.match(expected, /_NOT_FOUND$/, what)
    assert.equal(got, expected, what)
  }
  assert.equal((await there.listBindings({})).bindings.length, 1)
  assert.equal((await there.listGroups({})).groups.length, 0)
  assert.deepEqual((await there.explainCheck({ principalId: ada.id, permission: 'user.users.read' })).bindings, [])
  assert.equal((await here.getBinding({ id: bindingId })).binding?.role, 'of-default')
})

test('an operator lists, gives and takes roles, and cannot take the last administrator’s', { timeout: 60_000 }, async () => {
  assert.match(await gatehouse('roles list'), new RegExp(`^administrator\\tperson ${root.id}\\t-\\t-\\t-\\t`, 'm'))
  await assert.rejects(gatehouse('roles unbind', 'administrator', 'root@example.com'), /last administrator/)
  await somebody('bob@example.com')
  assert.match(await gatehouse('roles bind', 'administrator', 'bob@example.com'), /^administrator\tperson /)
  assert.match(await gatehouse('roles unbind', 'administrator', root.id), /is taken away/)
  const here = await as(root)
  await until(async () => (await outcome(here.listRoles({}))) === denied, 1_000)
  await assert.rejects(gatehouse('roles unbind', 'administrator', 'bob@example.com'), /last administrator/)
  await assert.rejects(gatehouse('roles unbind', 'support', 'root@example.com'), /does not have the role/)
  await assert.rejects(gatehouse('roles bind', 'no-such-role', 'bob@example.com'), /no such role/)
  await assert.rejects(gatehouse('roles bind', 'support'), /takes a role/)
})
