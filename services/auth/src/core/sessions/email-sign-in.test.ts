import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { ChallengePurpose } from '@gatehouse/contracts/gatehouse/auth/v1/challenge_service_pb'
import { SecondFactor_RequiredFor as RequiredFor } from '@gatehouse/contracts/gatehouse/auth/v1/policy_pb'
import { UpdatePolicyRequestSchema } from '@gatehouse/contracts/gatehouse/auth/v1/policy_service_pb'
import { Factor, type NextStep } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { sql } from 'kysely'
import { noRetry, openAccountHouse, otherTenant, place, refuses, tenant } from '../../../test/account-house.ts'
import { wholeOf } from '../../../test/sign-somebody-in.ts'
import { updatePolicy } from '../policies/update-policy.ts'
import { beginEmailSignIn, completeEmailSignIn } from './email-sign-in.ts'
import { revokePersonSessions } from './revoke-person-sessions.ts'

const house = await openAccountHouse()
const { deps, people } = house
after(() => house[Symbol.asyncDispose]())

const begin = (email: string, given: { tenant?: string; withheld?: boolean } = {}) =>
  beginEmailSignIn(deps, { tenant: given.tenant ?? tenant, email, retry: noRetry, withheld: given.withheld ?? false })
type Proof = { case: 'code' | 'token'; value: string }
const complete = (challengeId: string, proof: Proof, of = tenant, by = deps) =>
  completeEmailSignIn(by, { tenant: of, challengeId, proof, place })
const code = (value: string): Proof => ({ case: 'code', value })
const token = (value: string): Proof => ({ case: 'token', value })
const setPolicy = (of: string, change: MessageInitShape<typeof UpdatePolicyRequestSchema>) =>
  updatePolicy(deps, { ...create(UpdatePolicyRequestSchema, change), tenant: of })

test('the code signs in, and the link does, each once', async () => {
  const { userId } = await house.member('code@example.com')
  for (const prove of [(mail: { code: string }) => code(mail.code), (mail: { token: string }) => token(mail.token)]) {
    const challengeId = await begin('Code@example.com')
    const mail = await house.mailOf(challengeId)
    assert.deepEqual([mail.purpose, mail.address, mail.tokenExpireSeconds], [ChallengePurpose.EMAIL_SIGN_IN, 'code@example.com', 600])
    const { session, user } = wholeOf(await complete(challengeId, prove(mail)))
    assert.deepEqual([user?.id, session?.methods], [userId, ['mail']])
    await refuses('CHALLENGE_INVALID', () => complete(challengeId, prove(mail)))
  }
})

test('a link or code is good where it was asked for: with the id of another request, or in another tenant, it signs nobody in', async () => {
  await house.member('bound@example.com')
  const [mine, theirs] = [await begin('bound@example.com'), await begin('bound@example.com')]
  const mail = await house.mailOf(mine)
  for (const other of [theirs, randomUUID()]) {
    await refuses('CHALLENGE_INVALID', () => complete(other, token(mail.token)))
    await refuses('CHALLENGE_INVALID', () => complete(other, code(mail.code)))
  }
  await refuses('CHALLENGE_INVALID', () => complete(mine, token(mail.token), otherTenant))
  wholeOf(await complete(mine, token(mail.token)))
  // The others of the address are over with it.
  await refuses('CHALLENGE_INVALID', () => complete(theirs, token(mail.token)))
})

test('strangers see no difference between known and unknown addresses, and nobody is asked about them', async () => {
  await house.member('known@example.com')
  const before = people.calls.length
  const rows = async (id: string) => {
    const { rows: found } = await sql<{ events: bigint }>`
      select (select count(*) from outbox where key = ${id}) as events from challenges where id = ${id}`.execute(deps.db)
    return found.map(({ events }) => Number(events))
  }
  const [known, unknown] = [await begin('known@example.com'), await begin('unknown@example.com')]
  assert.deepEqual(await rows(known), await rows(unknown))
  assert.equal(people.calls.length, before)
  assert.equal((await house.mailOf(unknown)).purpose, ChallengePurpose.NOTHING)
  for (const id of [known, unknown]) await refuses('CHALLENGE_INVALID', () => complete(id, code('000000')))
})

test('invited people are invited again, suspended ones get nothing and get in by no mail of before', async () => {
  people.add(tenant, { email: 'invited@example.com', state: User_State.INVITED })
  assert.equal((await house.mailOf(await begin('invited@example.com'))).purpose, ChallengePurpose.ACCEPT_INVITATION)
  const { userId } = await house.member('stopped@example.com')
  const challengeId = await begin('stopped@example.com')
  const mail = await house.mailOf(challengeId)
  people.of(tenant, userId).state = User_State.SUSPENDED
  await refuses('PERSON_CANNOT_SIGN_IN', () => complete(challengeId, code(mail.code)))
  assert.equal((await house.mailOf(await begin('stopped@example.com'))).purpose, ChallengePurpose.NOTHING)
})

test('fifty right codes at once over two pools sign in once', async () => {
  await house.member('many@example.com')
  const challengeId = await begin('many@example.com')
  const mail = await house.mailOf(challengeId)
  const replica = house.replica()
  const tries = await Promise.allSettled(
    Array.from({ length: 50 }, (_, at) => complete(challengeId, code(mail.code), tenant, at % 2 ? replica : deps)),
  )
  assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 1)
})

test('five wrong codes close the code and leave the link; both end after ten minutes', async () => {
  await house.member('wrong@example.com')
  const challengeId = await begin('wrong@example.com')
  const mail = await house.mailOf(challengeId)
  const wrong = mail.code === '000000' ? '000001' : '000000'
  for (let at = 0; at < 5; at++) await refuses('CHALLENGE_INVALID', () => complete(challengeId, code(wrong)))
  await refuses('CODE_ATTEMPTS_EXHAUSTED', () => complete(challengeId, code(mail.code)))
  wholeOf(await complete(challengeId, token(mail.token)))
  const late = await begin('wrong@example.com')
  const lateMail = await house.mailOf(late)
  house.advance(601)
  await refuses('CHALLENGE_INVALID', () => complete(late, token(lateMail.token)))
})

test('whoever has a second factor shows it, and the password with it: a mailbox counts for nothing beside others', async () => {
  const { userId } = await house.member('strong@example.com')
  await sql`insert into totp_factors (tenant, user_id, secret, create_time, confirm_time, expire_time, last_step)
    values (${tenant}, ${userId}, 'x', now(), now(), now(), 0)`.execute(deps.db)
  const challengeId = await begin('strong@example.com')
  const outcome = await complete(challengeId, code((await house.mailOf(challengeId)).code))
  assert.equal(outcome.case, 'nextStep')
  assert.deepEqual((outcome.value as NextStep).factors, [Factor.TOTP, Factor.PASSWORD])
})

test('a policy turns it off: no mail is asked for and none signs in, in this tenant alone', async () => {
  const { userId } = await house.member('off@example.com')
  const challengeId = await begin('off@example.com')
  const mail = await house.mailOf(challengeId)
  const everybody = { secondFactor: { requiredFor: RequiredFor.EVERYBODY } }
  for (const change of [
    { factors: { password: true, totp: true } },
    { factors: { password: true, totp: true, email: true }, ...everybody },
  ]) {
    await setPolicy(tenant, change)
    const metadata = { factor: 'email' }
    await refuses('FACTOR_NOT_ALLOWED', () => begin('off@example.com'), metadata)
    await refuses('FACTOR_NOT_ALLOWED', () => complete(challengeId, token(mail.token)), metadata)
  }
  assert.ok(await begin('off@example.com', { tenant: otherTenant }))
  await setPolicy(tenant, { factors: { password: true, totp: true, email: true }, secondFactor: { requiredFor: RequiredFor.NOBODY } })
  wholeOf(await complete(challengeId, token(mail.token)))
  assert.ok(await revokePersonSessions(deps, { tenant, userId, cause: 'revoked' }))
})
