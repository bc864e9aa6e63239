import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { ChallengePurpose } from '@gatehouse/contracts/gatehouse/auth/v1/challenge_service_pb'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { transact } from '@gatehouse/postgres'
import { noRetry, openAccountHouse, otherTenant, refuses, tenant } from '../../../test/account-house.ts'
import { origin } from '../../../test/open-deps.ts'
import { requestPasswordReset } from '../accounts/request-password-reset.ts'
import { resendVerification } from '../accounts/resend-verification.ts'
import { deriveSecret } from './derive-secret.ts'
import { openChallenge } from './open-challenge.ts'
import { pruneChallenges } from './prune-challenges.ts'
import { revealSecret } from './reveal-secret.ts'

const house = await openAccountHouse()
after(() => house[Symbol.asyncDispose]())
const { deps, people } = house
const noSecret = { token: '', code: '', codeExpireSeconds: 0, tokenExpireSeconds: 0 }

function reset(email: string): Promise<string> {
  return requestPasswordReset(deps, { tenant, email, retry: noRetry, withheld: false })
}

test('the mail of a sign-up carries a code and a link, and no name that a stranger chose', async () => {
  const { token, code, ...mail } = await house.mailOf(await house.signUp('one@example.com'))
  assert.match(code, /^\d{6}$/)
  assert.match(token, /^[\w-]{43}$/)
  assert.deepEqual(mail, {
    purpose: ChallengePurpose.VERIFY_EMAIL,
    address: 'one@example.com',
    locale: 'de',
    name: '',
    origin,
    codeExpireSeconds: 600,
    tokenExpireSeconds: 3600,
  })
})

test('the same delivery is told the same, also by many at once, and another delivery something else', async () => {
  const challengeId = await house.signUp('two@example.com')
  const deliveryId = randomUUID()
  const input = { tenant, challengeId, deliveryId }
  const told = await Promise.all(Array.from({ length: 10 }, () => revealSecret(deps, input)))
  for (const mail of told) assert.equal(mail.token, told[0]?.token)
  const later = await revealSecret(deps, { ...input, deliveryId: deliveryId.toUpperCase() })
  assert.equal(later.token, told[0]?.token)
  assert.equal(later.code, told[0]?.code)
  assert.notEqual((await house.mailOf(challengeId)).token, told[0]?.token)
})

test('a late retry says the link without the code, and nothing once the link has ended', async () => {
  const challengeId = await house.signUp('three@example.com')
  const input = { tenant, challengeId, deliveryId: randomUUID() }
  const first = await revealSecret(deps, input)
  house.advance(20 * 60)
  const second = await revealSecret(deps, input)
  assert.deepEqual([second.token, second.code, second.codeExpireSeconds], [first.token, '', 0])
  assert.ok(second.tokenExpireSeconds <= 40 * 60)
  house.advance(41 * 60)
  await refuses('CHALLENGE_NOT_FOUND', () => revealSecret(deps, input))
})

test('nothing is revealed a day after the last request', async () => {
  const [forgotten, resent] = await Promise.all([house.signUp('four@example.com'), house.signUp('four@example.com')])
  house.advance(23 * 3600)
  await resendVerification(deps, { tenant, challengeId: resent, retry: noRetry, withheld: false })
  house.advance(3600)
  await refuses('CHALLENGE_NOT_FOUND', () => house.mailOf(forgotten))
  assert.equal((await house.mailOf(resent)).purpose, ChallengePurpose.VERIFY_EMAIL)
})

test('nothing is revealed to another tenant, nor for an unknown id', async () => {
  const challengeId = await house.signUp('five@example.com')
  await refuses('CHALLENGE_NOT_FOUND', () => house.mailOf(challengeId, otherTenant))
  await refuses('CHALLENGE_NOT_FOUND', () => house.mailOf(randomUUID()))
})

test('whoever has an account is told so, in their own language and under their own name', async () => {
  people.add(tenant, { email: 'Six@example.com', name: 'Grace', locale: 'en' })
  assert.deepEqual(await house.mailOf(await house.signUp('six@example.com')), {
    purpose: ChallengePurpose.ALREADY_REGISTERED,
    address: 'Six@example.com',
    locale: 'en',
    name: 'Grace',
    origin,
    ...noSecret,
  })
})

test('an invited person gets the invitation again, whatever they asked for', async () => {
  const person = people.add(tenant, { email: 'seven@example.com', name: 'Kurt', state: User_State.INVITED })
  const invitation = await transact(deps.db, (tx) =>
    openChallenge(tx, { tenant, kind: 'invitation', userId: person.id, time: new Date(deps.now()) }),
  )
  for (const id of [invitation.id, await house.signUp('seven@example.com'), await reset('seven@example.com')]) {
    const { token, ...mail } = await house.mailOf(id)
    assert.match(token, /^[\w-]{43}$/)
    assert.deepEqual(mail, {
      purpose: ChallengePurpose.ACCEPT_INVITATION,
      code: '',
      address: 'seven@example.com',
      locale: 'en',
      name: 'Kurt',
      origin,
      codeExpireSeconds: 0,
      tokenExpireSeconds: 7 * 86_400,
    })
  }
})

test('a reset for whoever is unknown or suspended mails nothing', async () => {
  people.add(tenant, { email: 'suspended@example.com', state: User_State.SUSPENDED })
  const nothing = { purpose: ChallengePurpose.NOTHING, address: '', locale: '', name: '', origin, ...noSecret }
  assert.deepEqual(await house.mailOf(await reset('nobody@example.com')), nothing)
  assert.deepEqual(await house.mailOf(await reset('suspended@example.com')), nothing)
  assert.deepEqual(await house.mailOf(await house.signUp('suspended@example.com')), nothing)
})

test('while the user service is away nothing is decided', async () => {
  const challengeId = await house.signUp('eight@example.com')
  people.before('resolveUser', () => {
    throw new Error('away')
  })
  await refuses('DEPENDENCY_UNAVAILABLE', () => house.mailOf(challengeId), { dependency: 'user' })
  people.before('resolveUser', () => {})
  assert.equal((await house.mailOf(challengeId)).purpose, ChallengePurpose.VERIFY_EMAIL)
})

test('a dump of the database yields no secret and no password', async () => {
  const challengeId = await house.signUp('nine@example.com')
  const { token, code } = await house.mailOf(challengeId)
  const dump = await house.dump()
  assert.ok(dump.includes('nine@example.com'))
  for (const secret of [token, Buffer.from(token, 'base64url').toString('hex'), `"${code}"`, 'kz7vq9mmlp2xrtwe'])
    assert.equal(dump.includes(secret), false)
})

test('secrets depend on every part of their owner and on the key', () => {
  const owner = { tenant: 'a', challengeId: 'b', deliveryId: 'c' }
  const key = Buffer.alloc(32, 1)
  const secrets = [
    deriveSecret(key, owner),
    deriveSecret(Buffer.alloc(32, 2), owner),
    deriveSecret(key, { ...owner, tenant: 'x' }),
    deriveSecret(key, { ...owner, challengeId: 'x' }),
    deriveSecret(key, { ...owner, deliveryId: 'x' }),
  ]
  assert.equal(new Set(secrets.map((secret) => secret.token)).size, secrets.length)
  assert.deepEqual(deriveSecret(key, owner), secrets[0])
})

test('what can be of use to nobody is deleted', async () => {
  const old = await house.signUp('old@example.com')
  await house.mailOf(old)
  house.advance(9 * 86_400)
  const young = await house.signUp('young@example.com')
  assert.ok((await pruneChallenges(deps)) >= 1)
  const left = await deps.db.selectFrom('challenges').select('id').execute()
  assert.deepEqual(left, [{ id: young }])
  assert.equal((await house.dump()).includes('old@example.com'), false)
  assert.notEqual(old, young)
})
