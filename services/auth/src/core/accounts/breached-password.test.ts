import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import type { Refusal } from '@gatehouse/rpc'
import { goodPassword, noRetry, openAccountHouse, otherPassword, place, refuses, tenant } from '../../../test/account-house.ts'
import { whole } from '../../../test/sign-somebody-in.ts'
import { invitePerson } from '../challenges/invite-person.ts'
import { acceptInvitation as acceptInvitationStep } from './accept-invitation.ts'
import { changePassword } from './change-password.ts'
import { requestPasswordReset } from './request-password-reset.ts'
import { resetPassword as resetPasswordStep } from './reset-password.ts'

const acceptInvitation = whole(acceptInvitationStep)
const resetPassword = whole(resetPasswordStep)

const house = await openAccountHouse()
const { deps, people } = house
after(() => house[Symbol.asyncDispose]())

const breached = 'perasperaadastra'
const rule = { rule: 'breached' }

test('a password that is known from a breach begins no account', async () => {
  await refuses('PASSWORD_TOO_WEAK', () => house.signUp('one@example.com', { password: breached }), rule)
  assert.ok(await house.signUp('one@example.com'))
})

test('a reset refuses it, and its link stays good', async () => {
  await house.member('two@example.com')
  const challengeId = await requestPasswordReset(deps, { tenant, email: 'two@example.com', retry: noRetry, withheld: false })
  const proof = { case: 'token', value: (await house.mailOf(challengeId)).token } as const
  const reset = (password: string) => resetPassword(deps, { tenant, challengeId: '', proof, password, place })
  await refuses('PASSWORD_TOO_WEAK', () => reset(breached), rule)
  assert.ok((await reset(otherPassword)).session)
})

test('a change refuses it and names its field', async () => {
  const member = await house.member('three@example.com')
  const change = changePassword(deps, { tenant, ...member, currentPassword: goodPassword, newPassword: breached })
  await assert.rejects(change, ({ reason, metadata, violations }: Refusal) => {
    assert.deepEqual([reason, metadata, violations.map(({ field }) => field)], ['PASSWORD_TOO_WEAK', rule, ['newPassword']])
    return true
  })
})

test('an invitation refuses it, and its link stays good', async () => {
  const { id: userId } = people.add(tenant, { email: 'four@example.com', state: User_State.INVITED })
  await deps.db.transaction().execute((tx) => invitePerson(tx, deps, { tenant, userId, epoch: 0 }))
  const invitation = await deps.db.selectFrom('challenges').select('id').where('user_id', '=', userId).executeTakeFirstOrThrow()
  const { token } = await house.mailOf(invitation.id)
  const accept = (password: string) => acceptInvitation(deps, { tenant, token, password, place })
  await refuses('PASSWORD_TOO_WEAK', () => accept(breached), rule)
  assert.ok((await accept(otherPassword)).session)
})
