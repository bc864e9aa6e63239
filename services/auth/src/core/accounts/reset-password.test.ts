import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { goodPassword, noRetry, openAccountHouse, otherPassword, otherTenant, place, refuses, tenant } from '../../../test/account-house.ts'
import { whole } from '../../../test/sign-somebody-in.ts'
import { findCredential } from '../../store/credentials.ts'
import { findSession } from '../../store/sessions.ts'
import type { ProveInput } from '../challenges/prove.ts'
import { verifyPassword } from '../passwords/verify-password.ts'
import { knownDevice } from '../sessions/known-device.ts'
import { signIn as signInStep } from '../sessions/sign-in.ts'
import { acceptInvitation as acceptInvitationStep } from './accept-invitation.ts'
import { requestPasswordReset } from './request-password-reset.ts'
import { resetPassword as resetPasswordStep } from './reset-password.ts'
import { verifyEmail as verifyEmailStep } from './verify-email.ts'

const acceptInvitation = whole(acceptInvitationStep)
const resetPassword = whole(resetPasswordStep)
const verifyEmail = whole(verifyEmailStep)
const signIn = whole(signInStep)

const house = await openAccountHouse()
after(() => house[Symbol.asyncDispose]())
const { deps, people } = house

const ask = (email: string) => requestPasswordReset(deps, { tenant, email, retry: noRetry, withheld: false })
const byCode = (value: string): ProveInput['proof'] => ({ case: 'code', value })
const byToken = (value: string): ProveInput['proof'] => ({ case: 'token', value })

function reset(proof: ProveInput['proof'], given: { challengeId?: string; password?: string; tenant?: string } = {}) {
  return resetPassword(deps, { tenant, challengeId: '', password: otherPassword, place, proof, ...given })
}

async function hasPassword(userId: string, password: string): Promise<boolean> {
  return await verifyPassword(deps, (await findCredential(deps.db, { tenant, userId }))?.password_hash, password)
}

test('a reset sets the password, ends every session and signs in anew', async () => {
  const { userId, sessionId } = await house.member('one@example.com')
  const challengeId = await ask('ONE@example.com')
  const { code, token } = await house.mailOf(challengeId)
  const result = await reset(byCode(code), { challengeId })
  assert.equal(result.user?.id, userId)
  assert.equal(await hasPassword(userId, otherPassword), true)
  assert.equal((await findSession(deps.db, { tenant, id: sessionId }))?.end_cause, 'password_changed')
  assert.equal((await findSession(deps.db, { tenant, id: result.session?.id ?? '' }))?.end_time, null)
  const told = (await house.events()).filter((event) => event.key === userId || event.key === sessionId)
  assert.deepEqual(
    told.map(({ type, version }) => [type.replace('gatehouse.auth.v1.', ''), version]),
    [
      ['SignedIn', 1n],
      ['SessionRevoked', 2n],
      ['PasswordChanged', 2n],
    ],
  )
  await refuses('CHALLENGE_INVALID', () => reset(byToken(token)))
})

test('a reset opens an address that strangers have guessed at, and their devices are strangers’ again', async () => {
  const member = await house.member('guessed@example.com')
  const attempt = (password: string, deviceToken = '') =>
    signIn(deps, { tenant, email: 'guessed@example.com', password, userAgent: '', source: '192.0.2.99', deviceToken })
  const { deviceToken } = await attempt(goodPassword)
  for (let times = 0; times < 10; times++) await refuses('EMAIL_OR_PASSWORD_WRONG', () => attempt('wrong'))
  await assert.rejects(attempt(goodPassword), { reason: 'LIMIT_EXCEEDED' })
  const result = await reset(byToken((await house.mailOf(await ask('guessed@example.com'))).token))
  assert.ok((await attempt(otherPassword)).session)
  const owner = { tenant, userId: member.userId, credentialVersion: 2 }
  assert.ok(knownDevice(deps, owner, result.deviceToken))
  assert.equal(knownDevice(deps, owner, deviceToken), undefined)
})

test('a reset in another browser needs the link alone', async () => {
  const { userId } = await house.member('two@example.com')
  const { token } = await house.mailOf(await ask('two@example.com'))
  assert.equal((await reset(byToken(token))).user?.id, userId)
})

test('one reset ends the others that are on their way', async () => {
  await house.member('three@example.com')
  const [first, second] = await Promise.all([ask('three@example.com'), ask('three@example.com')])
  const [one, two] = await Promise.all([house.mailOf(first), house.mailOf(second)])
  await reset(byToken(one.token))
  await refuses('CHALLENGE_INVALID', () => reset(byToken(two.token)))
})

test('fifty right codes at once set exactly one password', async () => {
  const { userId } = await house.member('four@example.com')
  const challengeId = await ask('four@example.com')
  const { code } = await house.mailOf(challengeId)
  const passwords = Array.from({ length: 50 }, (_, at) => `${otherPassword} ${at}`)
  const answers = await Promise.allSettled(passwords.map((password) => reset(byCode(code), { challengeId, password })))
  const right = answers.flatMap((answer, at) => (answer.status === 'fulfilled' ? [passwords[at] ?? ''] : []))
  assert.equal(right.length, 1)
  for (const answer of answers) if (answer.status === 'rejected') assert.equal(answer.reason.reason, 'CHALLENGE_INVALID')
  assert.equal(await hasPassword(userId, right[0] ?? ''), true)
  const credential = await findCredential(deps.db, { tenant, userId })
  assert.equal(credential?.version, 2)
})

test('a link expires after an hour', async () => {
  await house.member('five@example.com')
  const { token, tokenExpireSeconds } = await house.mailOf(await ask('five@example.com'))
  assert.equal(tokenExpireSeconds, 3600)
  house.advance(3601)
  await refuses('CHALLENGE_INVALID', () => reset(byToken(token)))
})

test('a secret of one purpose or tenant is good for no other', async () => {
  await house.member('six@example.com')
  const resetId = await ask('six@example.com')
  const resetMail = await house.mailOf(resetId)
  const signUpId = await house.signUp('seven@example.com')
  const signUpMail = await house.mailOf(signUpId)
  await refuses('CHALLENGE_INVALID', () => reset(byToken(signUpMail.token)))
  await refuses('CHALLENGE_INVALID', () => reset(byCode(signUpMail.code), { challengeId: signUpId }))
  await refuses('CHALLENGE_INVALID', () => reset(byToken(resetMail.token), { tenant: otherTenant }))
  const other = { tenant, challengeId: resetId, password: '', place }
  await refuses('CHALLENGE_INVALID', () => verifyEmail(deps, { ...other, proof: byToken(resetMail.token) }))
  await refuses('CHALLENGE_INVALID', () => verifyEmail(deps, { ...other, proof: byCode(resetMail.code) }))
  await refuses('CHALLENGE_INVALID', () => acceptInvitation(deps, { tenant, token: resetMail.token, password: otherPassword, place }))
})

test('only the proof tells that a person cannot sign in', async () => {
  const { userId } = await house.member('eight@example.com')
  const challengeId = await ask('eight@example.com')
  const { code, token } = await house.mailOf(challengeId)
  people.of(tenant, userId).state = User_State.SUSPENDED
  await refuses('PERSON_CANNOT_SIGN_IN', () => reset(byCode(code), { challengeId }))
  await refuses('PERSON_CANNOT_SIGN_IN', () => reset(byToken(token)))
  const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, '0')
  await refuses('CHALLENGE_INVALID', () => reset(byCode(wrong), { challengeId }))
})

test('a mailbox that is no longer the person’s resets nothing', async () => {
  const { userId } = await house.member('nine@example.com')
  const { token } = await house.mailOf(await ask('nine@example.com'))
  people.of(tenant, userId).email = 'elsewhere@example.com'
  await refuses('CHALLENGE_INVALID', () => reset(byToken(token)))
})

test('a weak password leaves the proof good', async () => {
  await house.member('ten@example.com')
  const { token } = await house.mailOf(await ask('ten@example.com'))
  await refuses('PASSWORD_TOO_WEAK', () => reset(byToken(token), { password: 'short' }), { rule: 'length' })
  await refuses('PASSWORD_TOO_WEAK', () => reset(byToken(token), { password: 'passwordpassword' }), { rule: 'common' })
  assert.ok((await reset(byToken(token))).session)
})

test('a suspension in the middle leaves nothing behind', async () => {
  const { userId } = await house.member('eleven@example.com')
  const { token } = await house.mailOf(await ask('eleven@example.com'))
  const slow = {
    ...deps,
    hashing: {
      ...deps.hashing,
      async hash(password: string) {
        const { revokeSessionsOfUser } = await import('../sessions/revoke-sessions.ts')
        await deps.db.transaction().execute((tx) => revokeSessionsOfUser(tx, deps, { tenant, userId, cause: 'user_suspended' }))
        return await deps.hashing.hash(password)
      },
    },
  }
  const input = { tenant, challengeId: '', password: otherPassword, place, proof: byToken(token) }
  await refuses('PERSON_CANNOT_SIGN_IN', () => resetPassword(slow, input))
  assert.equal(await hasPassword(userId, otherPassword), false)
})

test('an invitation proves the mailbox, sets the password and signs in, once', async () => {
  const person = people.add(tenant, { email: 'invited@example.com', state: User_State.INVITED })
  const { token } = await house.mailOf(await ask('invited@example.com'))
  const again = await house.mailOf(await house.signUp('invited@example.com'))
  const accept = (which: string) => acceptInvitation(deps, { tenant, token: which, password: otherPassword, place })
  await refuses('CHALLENGE_INVALID', () => reset(byToken(token)))
  const answers = await Promise.allSettled(Array.from({ length: 10 }, (_, at) => accept(at % 2 ? token : again.token)))
  const accepted = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
  assert.equal(accepted.length, 1)
  assert.equal(accepted[0]?.user?.id, person.id)
  assert.equal(person.state, User_State.ACTIVE)
  assert.equal(await hasPassword(person.id, otherPassword), true)
  for (const which of [token, again.token]) await refuses('CHALLENGE_INVALID', () => accept(which))
})

test('an invitation whose first try got lost is finished by a retry', async () => {
  const person = people.add(tenant, { email: 'retry@example.com', state: User_State.INVITED })
  const { token } = await house.mailOf(await ask('retry@example.com'))
  const input = { tenant, token, password: otherPassword, place }
  people.before('activateUser', () => {
    person.state = User_State.ACTIVE
    throw new Error('the answer got lost')
  })
  await refuses('DEPENDENCY_UNAVAILABLE', () => acceptInvitation(deps, input), { dependency: 'user' })
  people.before('activateUser', () => {})
  assert.equal((await acceptInvitation(deps, input)).user?.id, person.id)
})

test('somebody deleted or suspended accepts no invitation', async () => {
  for (const state of [User_State.SUSPENDED, User_State.DELETED]) {
    const person = people.add(tenant, { email: `gone${state}@example.com`, state: User_State.INVITED })
    const { token } = await house.mailOf(await ask(person.email))
    person.state = state
    await refuses('PERSON_CANNOT_SIGN_IN', () => acceptInvitation(deps, { tenant, token, password: otherPassword, place }))
  }
})
