import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { transact } from '@gatehouse/postgres'
import { openDeps } from '../../../test/open-deps.ts'
import { forgetPerson } from '../accounts/forget-person.ts'
import type { Deps } from '../deps.ts'
import { revokeSessionsOfUser } from '../sessions/revoke-sessions.ts'
import { findInvited, invitePerson } from './invite-person.ts'

const opened = await openDeps()
after(() => opened[Symbol.asyncDispose]())
const { deps, people } = opened
const tenant = 'default'

const add = (name: string, state: User_State) => people.add(tenant, { email: `${name}@example.com`, state }).id
const challengesOf = async (userId: string): Promise<number> =>
  (await deps.db.selectFrom('challenges').select('id').where('user_id', '=', userId).execute()).length

/** What a deletion does here. */
const forget = (of: Deps, userId: string) =>
  transact(of.db, async (tx) => {
    await revokeSessionsOfUser(tx, of, { tenant, userId, cause: 'user_deleted' })
    await forgetPerson(tx, { tenant, userId })
  })

test('only an invitation that stands is one: nobody is invited who is gone, unknown or there already', async () => {
  const userId = add('invited', User_State.INVITED)
  assert.deepEqual(await findInvited(deps, { tenant, userId }), { tenant, userId, epoch: 0 })
  for (const state of [User_State.DELETED, User_State.ACTIVE, User_State.SUSPENDED])
    assert.equal(await findInvited(deps, { tenant, userId: add(`state-${state}`, state) }), undefined)
  assert.equal(await findInvited(deps, { tenant, userId: crypto.randomUUID() }), undefined)
})

test('a deletion between the question and the transaction is seen', async () => {
  const userId = add('between', User_State.INVITED)
  const invited = await findInvited(deps, { tenant, userId })
  assert.ok(invited)
  await forget(opened.replica(), userId)
  assert.equal(await transact(deps.db, (tx) => invitePerson(tx, deps, invited)), 'changed')
  assert.equal(await challengesOf(userId), 0)
})

test('a deletion in the middle of the transaction waits for it, and leaves nothing of it', async () => {
  const userId = add('middle', User_State.INVITED)
  const invited = await findInvited(deps, { tenant, userId })
  assert.ok(invited)
  const other = opened.replica()
  const forgotten = await transact(deps.db, async (tx) => {
    assert.equal(await invitePerson(tx, deps, invited), 'invited')
    return { done: forget(other, userId) }
  })
  await forgotten.done
  assert.equal(await challengesOf(userId), 0)
})
