import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { goodPassword, openAccountHouse, otherPassword, otherTenant, place, refuses, tenant } from '../../../test/account-house.ts'
import { whole } from '../../../test/sign-somebody-in.ts'
import { findCredential } from '../../store/credentials.ts'
import type { ProveInput } from '../challenges/prove.ts'
import { verifyPassword } from '../passwords/verify-password.ts'
import { verifyEmail as verifyEmailStep } from './verify-email.ts'

const verifyEmail = whole(verifyEmailStep)

const house = await openAccountHouse()
after(() => house[Symbol.asyncDispose]())
const { deps, people } = house

interface Given {
  readonly challengeId?: string
  readonly password?: string
  readonly tenant?: string
}

const byCode = (value: string): ProveInput['proof'] => ({ case: 'code', value })
const byToken = (value: string): ProveInput['proof'] => ({ case: 'token', value })

function verify(proof: ProveInput['proof'], given: Given = {}) {
  return verifyEmail(deps, { tenant, challengeId: '', password: '', place, proof, ...given })
}

function wrongCodeBeside(code: string): string {
  return String((Number(code) + 1) % 1_000_000).padStart(6, '0')
}

test('a code creates the person and signs them in', async () => {
  const challengeId = await house.signUp('one@example.com')
  const { code } = await house.mailOf(challengeId)
  const result = await verify(byCode(code), { challengeId })
  assert.equal(result.user?.email, 'one@example.com')
  assert.equal(result.user?.name, 'Ada')
  assert.equal(result.user?.locale, 'de')
  assert.match(result.accessToken, /^ey/)
  assert.match(result.refreshToken, /^ghr_/)
  const credential = await findCredential(deps.db, { tenant, userId: result.user?.id ?? '' })
  assert.equal(await verifyPassword(deps, credential?.password_hash, goodPassword), true)
  const told = (await house.events()).map((event) => event.type)
  assert.ok(told.includes('gatehouse.auth.v1.SignedIn'))
  await refuses('CHALLENGE_INVALID', () => verify(byCode(code), { challengeId }))
})

test('a link creates the person where its challenge is known', async () => {
  const challengeId = await house.signUp('two@example.com')
  const { token } = await house.mailOf(challengeId)
  assert.equal((await verify(byToken(token), { challengeId })).user?.email, 'two@example.com')
  await refuses('CHALLENGE_INVALID', () => verify(byToken(token), { challengeId }))
  await refuses('CHALLENGE_INVALID', () => verify(byToken(token), { password: goodPassword }))
})

test('a click alone adopts no password', async () => {
  const challengeId = await house.signUp('three@example.com')
  const { token } = await house.mailOf(challengeId)
  await refuses('PASSWORD_NEEDED', () => verify(byToken(token)))
  await refuses('PASSWORD_WRONG', () => verify(byToken(token), { password: otherPassword }))
  assert.equal((await verify(byToken(token), { password: goodPassword })).user?.email, 'three@example.com')
})

test('guesses at the password of a sign-up are counted, and the code still works', async () => {
  const challengeId = await house.signUp('four@example.com')
  const { token, code } = await house.mailOf(challengeId)
  const answers = await Promise.allSettled(Array.from({ length: 14 }, () => verify(byToken(token), { password: otherPassword })))
  const reasons = answers.map((answer) => (answer.status === 'rejected' ? answer.reason.reason : 'none'))
  assert.equal(reasons.filter((reason) => reason === 'PASSWORD_WRONG').length, 10)
  assert.equal(reasons.filter((reason) => reason === 'LIMIT_EXCEEDED').length, 4)
  assert.equal((await verify(byCode(code), { challengeId })).user?.email, 'four@example.com')
})

test('whatever is wrong with a proof, the refusal is the same', async () => {
  const mine = await house.signUp('five@example.com')
  const theirs = await house.signUp('six@example.com')
  const mail = await house.mailOf(mine)
  const otherMail = await house.mailOf(theirs)
  const invalid = (proof: ProveInput['proof'], given: Given) => refuses('CHALLENGE_INVALID', () => verify(proof, given))
  await invalid(byToken('x'), { challengeId: mine })
  await invalid(byToken(mail.token), { challengeId: theirs })
  await invalid(byToken(`${mail.token.slice(0, -1)}${mail.token.endsWith('A') ? 'B' : 'A'}`), { challengeId: mine })
  await invalid(byToken(mail.token), { challengeId: mine, tenant: otherTenant })
  await invalid(byCode(mail.code), { challengeId: mine, tenant: otherTenant })
  await invalid(byCode(mail.code), { challengeId: '01890000-0000-7000-8000-000000000000' })
  await invalid(byCode(wrongCodeBeside(mail.code)), { challengeId: mine })
  if (mail.code !== otherMail.code) await invalid(byCode(otherMail.code), { challengeId: mine })
  assert.equal((await verify(byCode(mail.code), { challengeId: mine.toUpperCase() })).user?.email, 'five@example.com')
})

test('proving one sign-up ends the others of its address and nobody else’s', async () => {
  const [first, second, stranger] = await Promise.all([
    house.signUp('seven@example.com', { password: otherPassword }),
    house.signUp('SEVEN@example.com'),
    house.signUp('eight@example.com'),
  ])
  const mails = await Promise.all([first, second, stranger].map((id) => house.mailOf(id)))
  await verify(byCode(mails[1]?.code ?? ''), { challengeId: second })
  await refuses('CHALLENGE_INVALID', () => verify(byCode(mails[0]?.code ?? ''), { challengeId: first }))
  await refuses('CHALLENGE_INVALID', () => verify(byToken(mails[0]?.token ?? ''), { challengeId: first }))
  assert.ok((await verify(byCode(mails[2]?.code ?? ''), { challengeId: stranger })).session)
})

test('a sign-up whose address somebody has by now is over', async () => {
  const challengeId = await house.signUp('nine@example.com')
  const { code, token } = await house.mailOf(challengeId)
  people.add(tenant, { email: 'nine@example.com' })
  await refuses('CHALLENGE_INVALID', () => verify(byCode(code), { challengeId }))
  await refuses('CHALLENGE_NOT_FOUND', () => house.mailOf(challengeId))
  await refuses('CHALLENGE_INVALID', () => verify(byToken(token), { challengeId }))
})

test('fifty right codes at once sign in exactly once', async () => {
  const challengeId = await house.signUp('ten@example.com')
  const { code, token } = await house.mailOf(challengeId)
  const answers = await Promise.allSettled(
    Array.from({ length: 50 }, (_, at) => verify(at % 2 ? byCode(code) : byToken(token), { challengeId })),
  )
  assert.equal(answers.filter((answer) => answer.status === 'fulfilled').length, 1)
  for (const answer of answers) if (answer.status === 'rejected') assert.equal(answer.reason.reason, 'CHALLENGE_INVALID')
})

test('fifty wrong codes at once count five, then only the link works', async () => {
  const challengeId = await house.signUp('eleven@example.com')
  const { code, token } = await house.mailOf(challengeId)
  const wrong = wrongCodeBeside(code)
  const answers = await Promise.allSettled(Array.from({ length: 50 }, () => verify(byCode(wrong), { challengeId })))
  const reasons = answers.map((answer) => (answer.status === 'rejected' ? answer.reason.reason : 'none'))
  assert.equal(reasons.filter((reason) => reason === 'CHALLENGE_INVALID').length, 5)
  assert.equal(reasons.filter((reason) => reason === 'CODE_ATTEMPTS_EXHAUSTED').length, 45)
  const row = await deps.db.selectFrom('challenges').select('wrong_codes').where('id', '=', challengeId).executeTakeFirst()
  assert.equal(row?.wrong_codes, 5)
  await refuses('CODE_ATTEMPTS_EXHAUSTED', () => verify(byCode(code), { challengeId }))
  assert.ok((await verify(byToken(token), { challengeId })).session)
})

test('twenty wrong codes for an address exhaust its day across challenges, and only for that address', async () => {
  const ids = await Promise.all(Array.from({ length: 6 }, () => house.signUp('twelve@example.com')))
  const mails = await Promise.all(ids.map((id) => house.mailOf(id)))
  const wrong =
    Array.from({ length: 6 }, (_, at) => String(at).padStart(6, '9')).find((code) => mails.every((mail) => mail.code !== code)) ?? ''
  const answers = await Promise.allSettled(
    ids.flatMap((challengeId) => Array.from({ length: 5 }, () => verify(byCode(wrong), { challengeId }))),
  )
  const reasons = answers.map((answer) => (answer.status === 'rejected' ? answer.reason.reason : 'none'))
  assert.equal(reasons.filter((reason) => reason === 'CHALLENGE_INVALID').length, 20)
  assert.equal(reasons.filter((reason) => reason === 'CODE_ATTEMPTS_EXHAUSTED').length, 10)
  const challengeId = await house.signUp('twelve@example.com')
  const mail = await house.mailOf(challengeId)
  await refuses('CODE_ATTEMPTS_EXHAUSTED', () => verify(byCode(mail.code), { challengeId }))
  const neighbour = await house.signUp('thirteen@example.com')
  const { code } = await house.mailOf(neighbour)
  assert.ok((await verify(byCode(code), { challengeId: neighbour })).session)
  assert.ok((await verify(byToken(mail.token), { challengeId })).session)
})

test('a retry finishes what a crash between the two services left', async () => {
  const challengeId = await house.signUp('fourteen@example.com')
  const { code } = await house.mailOf(challengeId)
  let crash = true
  const broken = {
    ...deps,
    users: {
      ...deps.users,
      async registerUser(...given: Parameters<typeof deps.users.registerUser>) {
        const answer = await deps.users.registerUser(...given)
        if (crash) throw new Error('the answer got lost')
        return answer
      },
    },
  }
  const input = { tenant, challengeId, password: '', place, proof: byCode(code) }
  await refuses('DEPENDENCY_UNAVAILABLE', () => verifyEmail(broken, input), { dependency: 'user' })
  crash = false
  const result = await verifyEmail(broken, input)
  assert.equal(result.user?.email, 'fourteen@example.com')
  assert.ok(await findCredential(deps.db, { tenant, userId: result.user?.id ?? '' }))
})

test('somebody suspended between the two services is not signed in', async () => {
  const challengeId = await house.signUp('fifteen@example.com')
  const { code } = await house.mailOf(challengeId)
  const suspended = {
    ...deps,
    users: {
      ...deps.users,
      async registerUser(...given: Parameters<typeof deps.users.registerUser>) {
        const answer = await deps.users.registerUser(...given)
        if (answer.user) answer.user.state = User_State.SUSPENDED
        return answer
      },
    },
  }
  await refuses('PERSON_CANNOT_SIGN_IN', () => verifyEmail(suspended, { tenant, challengeId, password: '', place, proof: byCode(code) }))
})

test('codes and links end in their time', async () => {
  const challengeId = await house.signUp('sixteen@example.com')
  const first = await house.mailOf(challengeId)
  house.advance(10 * 60 + 1)
  await refuses('CHALLENGE_INVALID', () => verify(byCode(first.code), { challengeId }))
  const second = await house.mailOf(challengeId)
  house.advance(50 * 60)
  await refuses('CHALLENGE_INVALID', () => verify(byToken(first.token), { challengeId }))
  assert.ok((await verify(byToken(second.token), { challengeId })).session)
})
