import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import type { Refusal } from '@gatehouse/rpc'
import { goodPassword, noRetry, openAccountHouse, otherPassword, place, refuses, tenant } from '../../../test/account-house.ts'
import { whole } from '../../../test/sign-somebody-in.ts'
import { findCredential } from '../../store/credentials.ts'
import { findSession } from '../../store/sessions.ts'
import { verifyPassword } from '../passwords/verify-password.ts'
import { revokePersonSessions } from '../sessions/revoke-person-sessions.ts'
import { changePassword } from './change-password.ts'
import { forgetPerson } from './forget-person.ts'
import { requestEmailChange } from './request-email-change.ts'
import { requestPasswordReset } from './request-password-reset.ts'
import { resetPassword as resetPasswordStep } from './reset-password.ts'

const resetPassword = whole(resetPasswordStep)

const house = await openAccountHouse()
after(() => house[Symbol.asyncDispose]())
const { deps, people } = house
const passwords = { currentPassword: goodPassword, newPassword: otherPassword }

const askReset = (email: string) => requestPasswordReset(deps, { tenant, email, retry: noRetry, withheld: false })

function resetBy(token: string) {
  const proof = { case: 'token', value: token } as const
  return resetPassword(deps, { tenant, challengeId: '', password: otherPassword, place, proof })
}

test('a change keeps the session of the call, ends the others and calls off resets', async () => {
  const { userId, sessionId } = await house.member('one@example.com')
  const { token } = await house.mailOf(await askReset('one@example.com'))
  const other = (await resetBy(token)).session?.id ?? ''
  const late = await house.mailOf(await askReset('one@example.com'))
  const swap = { currentPassword: otherPassword, newPassword: goodPassword }
  await changePassword(deps, { tenant, userId, sessionId: other, ...swap })
  const [ended, going] = await Promise.all([sessionId, other].map((id) => findSession(deps.db, { tenant, id })))
  assert.notEqual(ended?.end_time, null)
  assert.equal(going?.end_time, null)
  const credential = await findCredential(deps.db, { tenant, userId })
  assert.equal(await verifyPassword(deps, credential?.password_hash, goodPassword), true)
  const told = (await house.events()).filter((event) => event.type === 'gatehouse.auth.v1.PasswordChanged')
  assert.deepEqual(
    told.map(({ key, version }) => [key, version]),
    [
      [userId, 2n],
      [userId, 3n],
    ],
  )
  await refuses('CHALLENGE_INVALID', () => resetBy(late.token))
})

test('it needs the current password and a good new one', async () => {
  const member = await house.member('two@example.com')
  const change = (given: Partial<typeof passwords>) => changePassword(deps, { tenant, ...member, ...passwords, ...given })
  await refuses('PASSWORD_WRONG', () => change({ currentPassword: otherPassword }))
  await refuses('PASSWORD_TOO_WEAK', () => change({ newPassword: goodPassword }), { rule: 'previous' })
  await refuses('PASSWORD_TOO_WEAK', () => change({ newPassword: 'passwordpassword' }), { rule: 'common' })
  await refuses('PASSWORD_TOO_WEAK', () => change({ newPassword: 'two@example.com two' }), { rule: 'context' })
  for (const newPassword of ['short', 'passwordpassword'])
    await assert.rejects(
      change({ newPassword }),
      ({ violations }: Refusal) => violations.map(({ field }) => field).join() === 'newPassword',
    )
  people.of(tenant, member.userId).state = User_State.SUSPENDED
  await refuses('PERSON_CANNOT_SIGN_IN', () => change({}))
})

test('a session that ends while the password is hashed changes nothing', async () => {
  const member = await house.member('ended@example.com')
  const hash: typeof deps.hashing.hash = async (...input) => {
    const made = await deps.hashing.hash(...input)
    await revokePersonSessions(deps, { tenant, userId: member.userId, cause: 'revoked' })
    return made
  }
  const hashing = { ...deps.hashing, hash }
  await refuses('ACCESS_TOKEN_INVALID', () => changePassword({ ...deps, hashing }, { tenant, ...member, ...passwords }))
  const credential = await findCredential(deps.db, { tenant, userId: member.userId })
  assert.equal(await verifyPassword(deps, credential?.password_hash, goodPassword), true)
})

test('of many changes at once one is made', async () => {
  const member = await house.member('three@example.com')
  const answers = await Promise.allSettled(
    Array.from({ length: 10 }, (_, at) => changePassword(deps, { tenant, ...member, ...passwords, newPassword: `${otherPassword} ${at}` })),
  )
  assert.equal(answers.filter((answer) => answer.status === 'fulfilled').length, 1)
  for (const answer of answers) if (answer.status === 'rejected') assert.equal(answer.reason.reason, 'PASSWORD_WRONG')
})

test('a deleted person leaves no password and no challenge behind', async () => {
  const { userId, sessionId } = await house.member('deleted@example.com')
  const keeps = await house.member('keeps@example.com')
  const resetId = await askReset('deleted@example.com')
  await house.mailOf(resetId)
  await requestEmailChange(deps, { tenant, userId, sessionId, email: 'else@example.com', password: goodPassword, retry: noRetry })
  await deps.db.transaction().execute((tx) => forgetPerson(tx, { tenant, userId }))
  const left = await house.dump()
  for (const table of ['credentials', 'password_failures', 'challenges', 'sign_ups', 'challenge_secrets'])
    for (const row of left.split('\n').filter((line) => line.startsWith(`${table} `))) {
      assert.equal(row.includes(userId), false, row)
      for (const address of ['else@example.com', 'deleted@example.com']) assert.equal(row.includes(address), false, row)
    }
  await refuses('CHALLENGE_NOT_FOUND', () => house.mailOf(resetId))
  assert.ok(await findCredential(deps.db, { tenant, userId: keeps.userId }))
})
