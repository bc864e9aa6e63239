import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { ChallengePurpose } from '@gatehouse/contracts/gatehouse/auth/v1/challenge_service_pb'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { goodPassword, noRetry, openAccountHouse, otherPassword, refuses, tenant } from '../../../test/account-house.ts'
import type { ProveInput } from '../challenges/prove.ts'
import { revokePersonSessions } from '../sessions/revoke-person-sessions.ts'
import { confirmEmailChange } from './confirm-email-change.ts'
import { requestEmailChange } from './request-email-change.ts'

const house = await openAccountHouse()
after(() => house[Symbol.asyncDispose]())
const { deps, people } = house

const byCode = (value: string): ProveInput['proof'] => ({ case: 'code', value })
const byToken = (value: string): ProveInput['proof'] => ({ case: 'token', value })

async function sessionOf(userId: string): Promise<string> {
  const { id } = await deps.db.selectFrom('sessions').select('id').where('user_id', '=', userId).executeTakeFirstOrThrow()
  return id
}

async function ask(userId: string, email: string, password = goodPassword, retry = noRetry) {
  return await requestEmailChange(deps, { tenant, userId, sessionId: await sessionOf(userId), email, password, retry })
}

async function confirm(userId: string, proof: ProveInput['proof'], challengeId = '') {
  return await confirmEmailChange(deps, { tenant, userId, sessionId: await sessionOf(userId), challengeId, proof })
}

async function noticesTo(userId: string) {
  const rows = await deps.db
    .selectFrom('challenges')
    .select(['id', 'address'])
    .where('user_id', '=', userId)
    .where('kind', '=', 'email_changed')
    .execute()
  const told = await house.events()
  for (const row of rows)
    assert.deepEqual(
      told.filter((event) => event.key === row.id).map((event) => event.type),
      ['gatehouse.auth.v1.EmailChanged'],
    )
  return rows
}

test('a proven new address replaces the old one, and the old one is told', async () => {
  const { userId } = await house.member('old@example.com')
  const challengeId = await ask(userId, 'New@example.com')
  const mail = await house.mailOf(challengeId)
  assert.deepEqual([mail.purpose, mail.address, mail.name], [ChallengePurpose.CHANGE_EMAIL, 'New@example.com', 'Ada'])
  await confirm(userId, byCode(mail.code), challengeId)
  assert.equal(people.of(tenant, userId).email, 'New@example.com')
  const [notice] = await noticesTo(userId)
  assert.equal(notice?.address, 'old@example.com')
  const told = await house.mailOf(notice?.id ?? '')
  assert.deepEqual(
    [told.purpose, told.address, told.token, told.code, told.locale],
    [ChallengePurpose.EMAIL_CHANGED, 'old@example.com', '', '', 'de'],
  )
  await refuses('CHALLENGE_INVALID', () => confirm(userId, byCode(mail.code), challengeId))
})

test('the current password is asked for, and wrong ones are counted', async () => {
  const { userId } = await house.member('counted@example.com')
  await refuses('PASSWORD_WRONG', () => ask(userId, 'x@example.com', otherPassword))
  assert.ok(await ask(userId, 'x@example.com'))
  const answers = await Promise.allSettled(Array.from({ length: 30 }, () => ask(userId, 'x@example.com', otherPassword)))
  const reasons = answers.map((answer) => (answer.status === 'rejected' ? answer.reason.reason : 'none'))
  assert.equal(reasons.filter((reason) => reason === 'PASSWORD_WRONG').length, 10)
  assert.equal(reasons.filter((reason) => reason === 'LIMIT_EXCEEDED').length, 20)
  house.advance(1)
  assert.ok(await ask(userId, 'x@example.com'))
})

test('nobody else confirms it', async () => {
  const [mine, theirs] = await Promise.all([house.member('mine@example.com'), house.member('theirs@example.com')])
  const challengeId = await ask(mine.userId, 'next@example.com')
  const { code, token } = await house.mailOf(challengeId)
  await refuses('CHALLENGE_INVALID', () => confirm(theirs.userId, byToken(token)))
  await refuses('CHALLENGE_INVALID', () => confirm(theirs.userId, byCode(code), challengeId))
  await confirm(mine.userId, byToken(token))
})

test('whoever holds a token of a session that has ended confirms nothing', async () => {
  const { userId } = await house.member('ended@example.com')
  const { token } = await house.mailOf(await ask(userId, 'thief@example.com'))
  await revokePersonSessions(deps, { tenant, userId, cause: 'revoked' })
  await refuses('ACCESS_TOKEN_INVALID', () => confirm(userId, byToken(token)))
  assert.equal(people.of(tenant, userId).email, 'ended@example.com')
})

test('an address that somebody has is not written to, and taken meanwhile it is refused', async () => {
  const { userId } = await house.member('asker@example.com')
  people.add(tenant, { email: 'owned@example.com' })
  assert.equal((await house.mailOf(await ask(userId, 'owned@example.com'))).purpose, ChallengePurpose.NOTHING)
  const { token } = await house.mailOf(await ask(userId, 'free@example.com'))
  people.add(tenant, { email: 'free@example.com' })
  await refuses('EMAIL_TAKEN', () => confirm(userId, byToken(token)))
  await refuses('CHALLENGE_INVALID', () => confirm(userId, byToken(token)))
  assert.deepEqual(await noticesTo(userId), [])
})

test('a retry after a crash still tells the old address', async () => {
  const { userId } = await house.member('before@example.com')
  const { token } = await house.mailOf(await ask(userId, 'after@example.com'))
  const person = people.of(tenant, userId)
  people.before('changeUserEmail', () => {
    person.email = 'after@example.com'
    throw new Error('the answer got lost')
  })
  await refuses('DEPENDENCY_UNAVAILABLE', () => confirm(userId, byToken(token)), { dependency: 'user' })
  people.before('changeUserEmail', () => {})
  await confirm(userId, byToken(token))
  assert.deepEqual(
    (await noticesTo(userId)).map((row) => row.address),
    ['before@example.com'],
  )
})

test('fifty confirmations at once tell the old address once', async () => {
  const { userId } = await house.member('burst@example.com')
  const challengeId = await ask(userId, 'burst2@example.com')
  const { code } = await house.mailOf(challengeId)
  const answers = await Promise.allSettled(Array.from({ length: 50 }, () => confirm(userId, byCode(code), challengeId)))
  assert.equal(answers.filter((answer) => answer.status === 'fulfilled').length, 1)
  assert.deepEqual(
    (await noticesTo(userId)).map((row) => row.address),
    ['burst@example.com'],
  )
})

test('somebody suspended changes nothing', async () => {
  const { userId } = await house.member('stopped@example.com')
  const { token } = await house.mailOf(await ask(userId, 'elsewhere@example.com'))
  people.of(tenant, userId).state = User_State.SUSPENDED
  await refuses('PERSON_CANNOT_SIGN_IN', () => confirm(userId, byToken(token)))
  assert.equal(people.of(tenant, userId).email, 'stopped@example.com')
})

test('the same request_id opens one challenge', async () => {
  const { userId } = await house.member('same@example.com')
  const retry = { requestId: randomUUID(), fingerprint: 'one' }
  const ids = await Promise.all([1, 2, 3].map(() => ask(userId, 'same2@example.com', goodPassword, retry)))
  assert.equal(new Set(ids).size, 1)
})
