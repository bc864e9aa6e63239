import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { bindRole } from '../../../test/bind-role.ts'
import { bind, type OpenedAccess, openAccess, tenant, unrepeated } from '../../../test/open-access.ts'
import { refusedWith } from '../../../test/sign-somebody-in.ts'
import { insertServiceAccount } from '../../store/service-accounts.ts'
import { check } from '../access/check.ts'
import { releasePerson } from '../access/release-person.ts'
import { addGroupMember } from '../groups/change-members.ts'
import { createGroup } from '../groups/create-group.ts'
import { createRole } from '../roles/create-role.ts'
import { updateRole } from '../roles/update-role.ts'
import { deleteServiceAccount, disableServiceAccount, dispensableIn } from '../service-accounts/change-service-account.ts'
import { createTenant } from '../tenants/create-tenant.ts'
import { deleteBinding } from './delete-binding.ts'
import { listBindings } from './list-bindings.ts'

let house: OpenedAccess
before(async () => {
  house = await openAccess()
})
after(async () => house[Symbol.asyncDispose]())

const read = 'user.users.read'
const suspend = 'user.users.suspend'
let counter = 0

/** A role of these permissions. */
async function role(...permissions: string[]): Promise<string> {
  const name = `role-${++counter}`
  await createRole(house.access, { tenant, granter: 'operator', name, description: '', permissions, request: unrepeated })
  return name
}

const person = async (): Promise<string> => house.opened.people.add(tenant, { email: `bound-${++counter}@example.com` }).id
const may = (id: string, permission: string, resource = '') =>
  check(house.access, { tenant, id }, [
    {
      permission,
      ...(resource !== '' && { resource: { $typeName: 'gatehouse.auth.v1.Resource', name: resource, owner: '', attributes: {} } }),
    },
  ])[0]

test('a binding is decided by at once, told, and gone when it is taken away', async () => {
  const id = await person()
  const binding = await bind(house.access, await role(read), id)
  assert.equal(may(id, read), true)
  assert.equal(may(id, suspend), false)
  const [event] = await house.opened.eventsOf(binding.id)
  assert.equal(event?.$typeName, 'gatehouse.auth.v1.BindingChanged')
  await assert.rejects(bind(house.access, binding.role, id), refusedWith('BINDING_EXISTS'))
  await deleteBinding(house.access, { tenant, id: binding.id })
  assert.equal(may(id, read), false)
  assert.equal((await house.opened.eventsOf(binding.id)).length, 2)
  await assert.rejects(deleteBinding(house.access, { tenant, id: binding.id }), refusedWith('BINDING_NOT_FOUND'))
})

test('the same request id answers the same binding, and another request with it is refused', async () => {
  const id = await person()
  const request = { requestId: crypto.randomUUID(), caller: 'person:x', method: 'CreateBinding', fingerprint: 'a' }
  const first = await bind(house.access, 'support', id, { request })
  const second = await bind(house.access, 'support', id, { request })
  assert.equal(second.id, first.id)
  await assert.rejects(bind(house.access, 'support', id, { request: { ...request, fingerprint: 'b' } }), { name: 'RequestIdReused' })
})

test('what there is not is refused', async () => {
  const id = await person()
  await assert.rejects(bind(house.access, 'nobody-knows', id), refusedWith('ROLE_NOT_FOUND'))
  await assert.rejects(bind(house.access, 'support', crypto.randomUUID()), refusedWith('SUBJECT_NOT_FOUND'))
  await assert.rejects(bind(house.access, 'support', crypto.randomUUID(), { kind: 'group' }), refusedWith('SUBJECT_NOT_FOUND'))
  await assert.rejects(bind(house.access, 'support', crypto.randomUUID(), { kind: 'service_account' }), refusedWith('SUBJECT_NOT_FOUND'))
  await assert.rejects(bind(house.access, 'support', id, { expireTime: new Date(1) }), refusedWith('EXPIRE_TIME_PAST'))
  await assert.rejects(bind(house.access, 'support', id, { tenant: 'acme' }), refusedWith('SUBJECT_NOT_FOUND'))
  await assert.rejects(bind(house.access, 'support', id, { condition: 'resource.owner == principal.nobody' }), (error: unknown) => {
    const { reason, metadata, violations } = error as { reason: string; metadata: Record<string, string>; violations: { field: string }[] }
    assert.deepEqual([reason, metadata.position, violations[0]?.field], ['CONDITION_INVALID', '28', 'condition'])
    return true
  })
})

test('what holds on a resource, under a condition or for a time is unknown to the release before, which would take it for more', async () => {
  const id = await person()
  const expireTime = new Date(Date.now() + 3_600_000)
  for (const more of [{ resource: 'user/7' }, { condition: 'request.time.getHours() < 24' }, { expireTime }])
    await bind(house.access, 'administrator', id, more)
  const { db } = house.opened.deps
  const rows = await db.selectFrom('role_bindings').select('role').where('subject_id', '=', id).execute()
  assert.deepEqual(rows, [])
  assert.equal((await listBindings(house.access, { tenant, role: '', subjectId: id, pageSize: 0, pageToken: '' })).rows.length, 3)
})

test('what the release before binds is seen without a word of it', async () => {
  const id = await person()
  await bindRole(house.opened.deps.db, { tenant, subject_id: id, role: 'administrator' })
  await house.access.feed.refresh()
  assert.equal(may(id, suspend), true)
  const { rows } = await listBindings(house.access, { tenant, role: '', subjectId: id, pageSize: 0, pageToken: '' })
  assert.equal(rows[0]?.subject_kind, 'person')
  await deleteBinding(house.access, { tenant, id: rows[0]?.id ?? '' }).catch(() => {})
})

test('nobody gives what they do not hold, always and at that scope', async () => {
  const [reading, both] = [await role(read), await role(read, suspend)]
  const [giver, taker] = [await person(), await person()]
  const granter = { id: giver }
  const refused = refusedWith('NOT_YOURS_TO_GRANT')
  const give = (of: string, more: Parameters<typeof bind>[3] = {}) => bind(house.access, of, taker, { granter, ...more })
  await assert.rejects(give(reading), refused)

  await bind(house.access, both, giver, { condition: 'principal.id != ""' })
  await assert.rejects(give(reading), refused, 'under a condition is not always')

  await bind(house.access, both, giver, { resource: 'user/7' })
  await assert.rejects(give(reading), refused, 'on one resource is not on everything')
  await assert.rejects(give(reading, { resource: 'user/8' }), refused)
  assert.ok(await give(reading, { resource: 'user/7' }))

  const expireTime = new Date(Date.now() + 3_600_000)
  await bind(house.access, both, giver, { expireTime })
  await assert.rejects(give(reading), refused, 'for an hour is not for ever')
  await assert.rejects(give(reading, { expireTime: new Date(expireTime.getTime() + 1) }), refused)
  assert.ok(await give(reading, { expireTime }))

  await bind(house.access, reading, giver)
  assert.ok(await give(reading))
  await assert.rejects(give(both), refused)
  await assert.rejects(give('administrator'), refused)
  await assert.rejects(
    give(reading, { granter: { ...granter, scopes: new Set([suspend]) }, resource: 'user/9' }),
    refused,
    'a key gives no more than its scopes',
  )
})

test('nor by a role that they fill, nor by a group that they put somebody into', async () => {
  const giver = await person()
  const granter = { id: giver }
  const refused = refusedWith('NOT_YOURS_TO_GRANT')
  await bind(house.access, await role(read), giver)
  const name = `role-${++counter}`
  const make = (permissions: string[]) =>
    createRole(house.access, { tenant, granter, name, description: '', permissions, request: unrepeated })
  await assert.rejects(make([read, suspend]), refused)
  await make([read])
  await assert.rejects(updateRole(house.access, { tenant, granter, name, etag: '', permissions: [read, suspend] }), refused)
  assert.deepEqual((await updateRole(house.access, { tenant, granter, name, etag: '', permissions: [] })).permissions, [])

  const group = await createGroup(house.access, { tenant, name: `group ${++counter}`, request: unrepeated })
  const join = { tenant, granter, groupId: group.id, subject: { kind: 'person', id: giver } } as const
  await bind(house.access, await role(suspend), group.id, { kind: 'group', resource: 'user/7' })
  await assert.rejects(addGroupMember(house.access, join), refused)
  assert.equal(may(giver, suspend, 'user/7'), false)
  await addGroupMember(house.access, { ...join, granter: 'operator' })
  assert.equal(may(giver, suspend, 'user/7'), true)
})

test('whoever loses a role while they give it has given nothing, or lost it later: never both', async () => {
  const replica = await house.replica()
  for (let round = 0; round < 6; round++) {
    const reading = await role(read)
    const [giver, taker] = [await person(), await person()]
    const held = await bind(house.access, reading, giver)
    const [given] = await Promise.allSettled([
      bind(house.access, reading, taker, { granter: { id: giver } }),
      deleteBinding(replica, { tenant, id: held.id }),
    ])
    const { rows } = await listBindings(house.access, { tenant, role: reading, subjectId: '', pageSize: 0, pageToken: '' })
    assert.deepEqual(
      rows.map(({ subject_id }) => subject_id),
      given.status === 'fulfilled' ? [taker] : [],
    )
    if (given.status === 'rejected') assert.equal(given.reason.reason, 'NOT_YOURS_TO_GRANT')
  }
})

test('the last administrator stays: of two who take it from each other at once, in two replicas, one is left', async () => {
  const at = 'last'
  await createTenant(house.opened.deps, { id: at, origin: 'http://last.localhost:8080' })
  const replica = await house.replica()
  const bindingOf = async (id: string) =>
    (await listBindings(house.access, { tenant: at, role: 'administrator', subjectId: id, pageSize: 0, pageToken: '' })).rows[0]?.id ?? ''
  const alone = await house.administrator(at)
  await assert.rejects(deleteBinding(house.access, { tenant: at, id: await bindingOf(alone) }), refusedWith('LAST_ADMINISTRATOR'))

  for (let round = 0; round < 5; round++) {
    const other = await house.administrator(at)
    const { rows } = await listBindings(house.access, { tenant: at, role: 'administrator', subjectId: '', pageSize: 0, pageToken: '' })
    assert.equal(rows.length, 2, other)
    const outcomes = await Promise.allSettled(
      rows.map(({ id }, index) => deleteBinding(index === 0 ? house.access : replica, { tenant: at, id })),
    )
    assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  }
})

test('a service account that is the last administrator keeps the role, and is neither disabled nor deleted by people; beside another it is', async () => {
  const at = 'machines'
  await createTenant(house.opened.deps, { id: at, origin: 'http://machines.localhost:8080' })
  const { db } = house.opened.deps
  const account = async (name: string) => {
    const { id = '' } = (await insertServiceAccount(db, { tenant: at, id: randomUUID(), name })) ?? {}
    await bindRole(db, { tenant: at, subject_id: id, role: 'administrator' })
    return { tenant: at, id }
  }
  const one = await account('one')
  const bindings = async () =>
    (await listBindings(house.access, { tenant: at, role: 'administrator', subjectId: one.id, pageSize: 0, pageToken: '' })).rows
  const takes = async () => await deleteBinding(house.access, { tenant: at, id: (await bindings())[0]?.id ?? '' })
  const last = refusedWith('LAST_ADMINISTRATOR')
  const asked = await dispensableIn(house.access, at)
  await assert.rejects(takes(), last)
  await assert.rejects(deleteServiceAccount(house.access, one, asked), last)
  await assert.rejects(disableServiceAccount(house.access, one, true, asked), last)
  const two = await account('two')
  await disableServiceAccount(house.access, two, true, asked)
  await assert.rejects(takes(), last)
  await disableServiceAccount(house.access, two, false, asked)
  await takes()
  await house.administrator(at)
  await deleteServiceAccount(house.access, two, await dispensableIn(house.access, at))
  await disableServiceAccount(house.access, one, true, asked)
})

test('whoever is suspended, invited or about to go does not count as an administrator who is left', async () => {
  const at = 'leaving'
  await createTenant(house.opened.deps, { id: at, origin: 'http://leaving.localhost:8080' })
  const [first, second] = [await house.administrator(at), await house.administrator(at)]
  const { rows } = await listBindings(house.access, { tenant: at, role: '', subjectId: first, pageSize: 0, pageToken: '' })
  const id = rows[0]?.id ?? ''
  const last = refusedWith('LAST_ADMINISTRATOR')

  house.opened.people.of(at, second).state = User_State.SUSPENDED
  await assert.rejects(deleteBinding(house.access, { tenant: at, id }), last)
  await assert.rejects(releasePerson(house.access, { tenant: at, userId: first }), last)
  house.opened.people.of(at, second).state = User_State.ACTIVE

  const replica = await house.replica()
  const outcomes = await Promise.allSettled([
    releasePerson(house.access, { tenant: at, userId: first }),
    releasePerson(replica, { tenant: at, userId: second }),
  ])
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  await releasePerson(house.access, { tenant: at, userId: house.opened.people.add(at, { email: 'other@example.com' }).id })
})

test('there is a bound on what is kept in memory everywhere', async () => {
  const id = await person()
  const what = {
    tenant,
    role: 'support',
    subject_kind: 'person',
    subject_id: id,
    condition: '',
    expire_time: null,
    creator_id: null,
  } as const
  const rows = Array.from({ length: 100 }, (_, n) => ({ ...what, id: crypto.randomUUID(), resource: `user/${n}` }))
  await house.opened.deps.db.insertInto('conditional_bindings').values(rows).execute()
  await assert.rejects(bind(house.access, 'support', id), refusedWith('ACCESS_TOO_MUCH'))
})

test('bindings are listed in pages, those of both kinds in one order', async () => {
  const id = await person()
  const ids: string[] = []
  for (let n = 0; n < 5; n++) ids.push((await bind(house.access, 'support', id, n === 2 ? {} : { resource: `user/${n}` })).id)
  const seen: string[] = []
  let pageToken = ''
  do {
    const page = await listBindings(house.access, { tenant, role: 'support', subjectId: id, pageSize: 2, pageToken })
    seen.push(...page.rows.map((row) => row.id))
    pageToken = page.nextPageToken
  } while (pageToken !== '')
  assert.deepEqual(seen.toSorted(), ids.toSorted())
  await assert.rejects(listBindings(house.access, { tenant: 'acme', role: 'support', subjectId: id, pageSize: 2, pageToken: 'x' }), {
    name: 'PageTokenInvalid',
  })
})
