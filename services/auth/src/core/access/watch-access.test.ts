import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { WatchAccessResponse } from '@gatehouse/contracts/gatehouse/auth/v1/access_service_pb'
import { type AccessSource, followAccess } from '@gatehouse/identity'
import { bind, type OpenedAccess, openAccess, tenant, unrepeated } from '../../../test/open-access.ts'
import { refusedWith } from '../../../test/sign-somebody-in.ts'
import { until } from '../../../test/until.ts'
import { deleteBinding } from '../bindings/delete-binding.ts'
import { addGroupMember, removeGroupMember } from '../groups/change-members.ts'
import { createGroup } from '../groups/create-group.ts'
import { deleteGroup } from '../groups/delete-group.ts'
import { createRole } from '../roles/create-role.ts'
import { deleteRole } from '../roles/delete-role.ts'
import { unbindPerson } from '../roles/unbind-person.ts'
import { updateRole } from '../roles/update-role.ts'
import { cursorOf } from './access-feed.ts'
import { watchAccess } from './watch-access.ts'

let house: OpenedAccess
before(async () => {
  house = await openAccess()
})
after(async () => house[Symbol.asyncDispose]())

const read = 'user.users.read'
let counter = 0

const person = (of = tenant) => house.opened.people.add(of, { email: `watched-${++counter}@example.com` })

async function role(...permissions: string[]): Promise<string> {
  const name = `role-${++counter}`
  await createRole(house.access, { tenant, granter: 'operator', name, description: '', permissions, request: unrepeated })
  return name
}

const personOf = (id: string) =>
  ({
    kind: 'person',
    id,
    tenant,
    sessionId: 's',
    generation: 0,
    strength: 1,
    authTime: 0,
    clientId: 'c',
    permissions: new Set<string>(),
    permissionsTime: 0,
    expireTime: 0,
  }) as const

/** What a service does that follows one replica; `breakOff` ends its stream as a bad network would. */
function follow(of = house.access) {
  let broken = new AbortController()
  const source: AccessSource = {
    watchAccess: ({ cursor = '' }, options) => {
      const { signal } = broken
      return watchAccess(
        { db: of.db, feed: of.feed },
        { cursor, signal: AbortSignal.any([signal, ...(options?.signal ? [options.signal] : [])]) },
      )
    },
  }
  return {
    follower: followAccess(source),
    breakOff() {
      broken.abort()
      broken = new AbortController()
    },
  }
}

test('a service that follows decides by the snapshot, then by every change that any replica makes', { timeout: 60_000 }, async () => {
  const { id } = person()
  const name = await role(read)
  const first = await bind(house.access, name, id)
  const replica = await house.replica()
  const { follower } = follow(replica)
  await using _ = follower
  await follower.ready
  const may = (permission = read) => follower.allows(personOf(id), permission)
  assert.ok(follower.fresh)
  assert.equal(may(), true)

  await updateRole(house.access, { tenant, granter: 'operator', name, etag: '', permissions: ['user.users.delete'] })
  await until(() => !may() && may('user.users.delete'))
  await deleteBinding(house.access, { tenant, id: first.id })
  await until(() => !may('user.users.delete'))

  const group = await createGroup(house.access, { tenant, name: 'readers', request: unrepeated })
  const reading = await role(read)
  const toGroup = await bind(house.access, reading, group.id, { kind: 'group' })
  await addGroupMember(house.access, { tenant, granter: 'operator', groupId: group.id, subject: { kind: 'person', id } })
  await until(() => may())
  await removeGroupMember(house.access, { tenant, groupId: group.id, memberId: id })
  await until(() => !may())
  await addGroupMember(house.access, { tenant, granter: 'operator', groupId: group.id, subject: { kind: 'person', id } })
  await until(() => may())
  await deleteGroup(house.access, { tenant, id: group.id })
  await until(() => !may())
  await assert.rejects(deleteBinding(house.access, { tenant, id: toGroup.id }), refusedWith('BINDING_NOT_FOUND'))
  await deleteRole(house.access, { tenant, name: reading })

  await bind(house.access, 'administrator', id)
  await until(() => may('anything.at.all'))
  await house.access.db.transaction().execute((tx) => unbindPerson(tx, { tenant, userId: id }))
  await until(() => !may('anything.at.all'))
})

test('a follower that was cut off comes again from its cursor and misses nothing', { timeout: 30_000 }, async () => {
  const people = [person(), person()]
  const [stays, goes] = await Promise.all(people.map(({ id }) => bind(house.access, 'support', id)))
  const { follower, breakOff } = follow()
  await using _ = follower
  await follower.ready
  breakOff()
  await deleteBinding(house.access, { tenant, id: goes?.id ?? '' })
  await until(() => !follower.allows(personOf(goes?.subject_id ?? ''), read))
  assert.equal(follower.allows(personOf(stays?.subject_id ?? ''), read), true)
})

test('every message after the snapshot says as of when, heartbeats too, and a strange or old cursor is refused', {
  timeout: 30_000,
}, async () => {
  const stop = new AbortController()
  const messages = watchAccess({ db: house.access.db, feed: house.access.feed }, { cursor: '', signal: stop.signal })
  let last: WatchAccessResponse | undefined
  for await (const message of messages) {
    last = message
    if (message.snapshotComplete) break
    assert.equal(message.cursor, '')
  }
  assert.ok(last?.asOfTime)
  const heart = watchAccess({ db: house.access.db, feed: house.access.feed }, { cursor: last?.cursor ?? '', signal: stop.signal })
  let heartbeats = 0
  for await (const { snapshotComplete, facts, asOfTime, cursor } of heart) {
    if (snapshotComplete) continue
    if (facts.length > 0 && asOfTime === undefined) continue
    assert.ok(asOfTime)
    assert.notEqual(cursor, '')
    if (++heartbeats === 2) break
  }
  stop.abort()
  for (const cursor of ['nonsense', 'r1.abc', cursorOf(new Date(Date.now() - 2 * 3_600_000)), cursorOf(new Date(Date.now() + 3_600_000))]) {
    const refused = watchAccess({ db: house.access.db, feed: house.access.feed }, { cursor, signal: new AbortController().signal })
    await assert.rejects(refused.next(), refusedWith('CURSOR_TOO_OLD'), cursor)
  }
})

test('two tenants have roles of one name, and their own', { timeout: 30_000 }, async () => {
  const { id } = person()
  const { id: twin } = person('acme')
  const name = await role(read)
  const make = { tenant: 'acme', granter: 'operator', description: '', request: unrepeated } as const
  await createRole(house.access, { ...make, name, permissions: ['user.users.delete'] })
  await bind(house.access, name, id)
  await bind(house.access, name, twin, { tenant: 'acme' })
  const { follower } = follow()
  await using _ = follower
  await follower.ready
  const may = (who: string, of: string, permission: string) => follower.allows({ ...personOf(who), tenant: of }, permission)
  assert.deepEqual([may(id, tenant, read), may(id, tenant, 'user.users.delete')], [true, false])
  assert.deepEqual([may(twin, 'acme', read), may(twin, 'acme', 'user.users.delete')], [false, true])
  assert.deepEqual([may(id, 'acme', 'user.users.delete'), may(twin, tenant, read)], [false, false])
})
