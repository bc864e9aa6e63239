import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Code } from '@connectrpc/connect'
import { refused } from '@gatehouse/testkit'
import { v7 as uuidv7 } from 'uuid'
import type { Users } from './clients.ts'
import { administrator, everyPermission, openStory } from './open-story.ts'

const story = await openStory()
after(() => story[Symbol.asyncDispose]())
const ada = await story.register()
const other = await story.register()
const email = 'new@example.com'

type Alternative = 'own' | 'auth' | 'notification' | 'registered' | (typeof everyPermission)[number]

/** Every RPC about `id`, with who may call it. */
const rpcs: Record<Exclude<keyof Users, 'getCurrentUser'>, { may: Alternative[]; call: (users: Users, id: string) => Promise<unknown> }> = {
  createUser: { may: ['user.users.create'], call: (users) => users.createUser({ name: 'New', email: `${uuidv7()}@example.com` }) },
  getUser: { may: ['own', 'user.users.read', 'registered'], call: (users, id) => users.getUser({ id }) },
  batchGetUsers: {
    may: ['auth', 'notification', 'user.users.read', 'registered'],
    call: (users, id) => users.batchGetUsers({ ids: [id] }),
  },
  listUsers: { may: ['user.users.read'], call: (users) => users.listUsers({}) },
  searchUsers: { may: ['user.users.read'], call: (users) => users.searchUsers({ query: 'a' }) },
  updateUser: { may: ['own', 'user.users.update'], call: (users, id) => users.updateUser({ id, name: 'New name' }) },
  suspendUser: { may: ['user.users.suspend'], call: (users, id) => users.suspendUser({ id }) },
  reactivateUser: { may: ['user.users.suspend'], call: (users, id) => users.reactivateUser({ id }) },
  deleteUser: { may: ['own', 'user.users.delete'], call: (users, id) => users.deleteUser({ id }) },
  watchUsers: { may: ['user.users.read', 'registered'], call: firstToldBy },
  resolveUser: { may: ['auth', 'notification'], call: (users, id) => users.resolveUser({ by: { case: 'id', value: id } }) },
  registerUser: { may: ['auth'], call: (users) => users.registerUser({ id: uuidv7(), name: 'New', email: `${uuidv7()}@example.com` }) },
  activateUser: { may: ['auth'], call: (users, id) => users.activateUser({ id }) },
  changeUserEmail: { may: ['auth'], call: (users, id) => users.changeUserEmail({ id, email }) },
}
async function firstToldBy(users: Users): Promise<void> {
  const leave = new AbortController()
  await users.watchUsers({}, { signal: leave.signal })[Symbol.asyncIterator]().next()
  leave.abort()
}
const workloadOnly = (may: Alternative[]): boolean => may.every((each) => each === 'auth' || each === 'notification')

test('a stranger is asked for credentials everywhere', async () => {
  const overGrpc = await story.asPerson()
  const overWeb = await story.inBrowser()
  for (const [name, { may, call }] of Object.entries(rpcs)) {
    await refused(call(overGrpc, ada.id), Code.Unauthenticated, 'CREDENTIALS_MISSING', name)
    if (!workloadOnly(may)) await refused(call(overWeb, ada.id), Code.Unauthenticated, 'CREDENTIALS_MISSING', name)
  }
  await refused(overWeb.getCurrentUser({}), Code.Unauthenticated, 'CREDENTIALS_MISSING')
})

test('a person may what is their own, over both doors, and a stranger’s id is answered like an unknown one', async () => {
  const person = { tenant: 'default', id: other.id }
  for (const users of [await story.inBrowser(person), await story.asPerson(person)]) {
    for (const [name, { may, call }] of Object.entries(rpcs)) {
      if (workloadOnly(may)) continue
      await refused(call(users, ada.id), Code.PermissionDenied, 'PERMISSION_DENIED', name)
      await refused(call(users, uuidv7()), Code.PermissionDenied, 'PERMISSION_DENIED', name)
    }
  }
  for (const { may, call } of Object.values(rpcs)) {
    if (!may.includes('own')) continue
    const { id } = await story.register()
    await call(await story.inBrowser({ tenant: 'default', id }), id)
    await call(await story.asPerson({ tenant: 'default', id }), id)
  }
})

test('a permission opens what it names and nothing else', async () => {
  for (const permission of everyPermission) {
    const users = await story.asPerson({ tenant: 'default', id: uuidv7(), permissions: [permission] })
    for (const [name, { may, call }] of Object.entries(rpcs)) {
      if (may.includes(permission)) await call(users, (await story.register()).id)
      else await refused(call(users, ada.id), Code.PermissionDenied, 'PERMISSION_DENIED', `${name} with ${permission}`)
    }
  }
})

test('whoever deletes somebody, themselves too, has signed in a moment ago; a program is not asked', async () => {
  const { id } = await story.register()
  const signedInSecondsAgo = 601
  for (const person of [{ tenant: 'default', id }, administrator()])
    for (const users of [await story.inBrowser({ ...person, signedInSecondsAgo }), await story.asPerson({ ...person, signedInSecondsAgo })])
      await refused(users.deleteUser({ id }), Code.PermissionDenied, 'STEP_UP_REQUIRED')
  await (await story.asPerson({ ...administrator(), serviceAccount: true })).deleteUser({ id })
})

test('a workload may what names it, and only over gRPC', async () => {
  for (const workload of ['auth', 'notification', 'billing'] as const) {
    const users = await story.asWorkload(workload)
    for (const [name, { may, call }] of Object.entries(rpcs)) {
      const allowed = may.includes(workload) || (workload === 'billing' && may.includes('registered'))
      if (allowed) await call(users, (await story.register()).id)
      else await refused(call(users, ada.id), Code.PermissionDenied, 'PERMISSION_DENIED', `${name} as ${workload}`)
    }
  }
  const browser = await story.inBrowser(administrator())
  for (const [name, { may, call }] of Object.entries(rpcs)) {
    if (workloadOnly(may)) await refused(call(browser, ada.id), Code.Unimplemented, 'NOT_SERVED', name)
  }
})

test('a workload that forwards a person acts with the person’s rights', async () => {
  const own = await story.asWorkload('billing', 'default', { tenant: 'default', id: ada.id })
  await own.getUser({ id: ada.id })
  await refused(own.getUser({ id: other.id }), Code.PermissionDenied, 'PERMISSION_DENIED')
  await refused(own.updateUser({ id: ada.id, name: 'Not by billing' }), Code.PermissionDenied, 'PERMISSION_DENIED')
})

test('a service account is no person', async () => {
  const robot = await story.asPerson({ ...administrator(), serviceAccount: true })
  await robot.getUser({ id: ada.id })
  await refused(robot.getCurrentUser({}), Code.PermissionDenied, 'PERMISSION_DENIED')
})

test('while auth does not tell what is bound, the claim of the token decides, and a metric says so', async () => {
  const { app } = story
  const metrics = await (await fetch(`http://127.0.0.1:${app.ports.metrics}/metrics`)).text()
  assert.match(metrics, /^gatehouse_access_fresh(\{[^}]*\})? 0$/m)
  for (const open of [story.asPerson, story.inBrowser]) {
    await (await open({ tenant: 'default', id: other.id, permissions: ['user.users.read'] })).listUsers({})
    const without = await open({ tenant: 'default', id: other.id })
    await refused(without.listUsers({}), Code.PermissionDenied, 'PERMISSION_DENIED')
  }
})
