import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { createHashPool } from '../src/core/passwords/hash-pool.ts'
import { goodPassword, openAccountHouse, otherPassword, tenant } from './account-house.ts'
import { type Answer, openDoors } from './open-doors.ts'

const house = await openAccountHouse()
const doors = await openDoors(house.deps)
after(async () => {
  await doors[Symbol.asyncDispose]()
  await house[Symbol.asyncDispose]()
})

let source = 0
/** Another household each time, so that no test exhausts the limit of the next. */
const fromSomewhere = () => ({ 'x-forwarded-for': `198.51.100.${++source}` })
const account = (method: string, body: object, headers: Record<string, string> = fromSomewhere()) =>
  doors.call(`AccountService/${method}`, body, headers)

const signUp = (email: string, given: object = {}) => account('SignUp', { email, password: goodPassword, name: 'Ada', ...given })

interface SignedIn {
  readonly accessToken: string
  readonly refreshToken?: string
  readonly user: { readonly id: string; readonly email: string }
}
const signedIn = (answer: Answer) => answer.body.signedIn as SignedIn
const idOf = (answer: Answer) => String(answer.body.challengeId)

async function member(email: string): Promise<SignedIn> {
  const challengeId = idOf(await signUp(email))
  const { code } = await house.mailOf(challengeId)
  return signedIn(await account('VerifyEmail', { challengeId, code }))
}

test('a stranger becomes a signed-in person whom the doors know', async () => {
  const challengeId = idOf(await signUp('  One@EXAMPLE.com '))
  const mail = await house.mailOf(challengeId)
  assert.equal(mail.address, 'One@example.com')
  const { user, accessToken, refreshToken } = signedIn(await account('VerifyEmail', { challengeId, code: mail.code }))
  assert.equal(user.email, 'One@example.com')
  assert.match(refreshToken ?? '', /^ghr_/)
  const authorization = `Bearer ${accessToken}`
  const sessions = await doors.call('SessionService/ListSessions', {}, { authorization })
  assert.equal((sessions.body.sessions as unknown[]).length, 1)
  const swap = { currentPassword: goodPassword, newPassword: otherPassword }
  assert.equal((await account('ChangePassword', swap, { authorization })).status, 200)
  assert.equal((await account('ChangePassword', swap, { authorization })).reason, 'PASSWORD_WRONG')
  assert.equal((await account('ChangePassword', swap)).reason, 'CREDENTIALS_MISSING')
})

test('with use_cookie the refresh token is in a cookie and nowhere else', async () => {
  const challengeId = idOf(await signUp('cookie@example.com'))
  const { token } = await house.mailOf(challengeId)
  const body = { challengeId, token, useCookie: true }
  const foreign = await account('VerifyEmail', body, { ...fromSomewhere(), origin: 'https://evil.example' })
  assert.equal(foreign.reason, 'ORIGIN_NOT_ALLOWED')
  const answer = await account('VerifyEmail', body)
  assert.equal(answer.status, 200, answer.text)
  assert.equal(answer.text.includes('ghr_'), false)
  const cookie = answer.headers.getSetCookie()[0] ?? ''
  for (const part of [/^__Host-[\w-]+=ghr_/, /; *HttpOnly/i, /; *Secure/i, /; *SameSite=Strict/i, /; *Path=\/(;|$)/i])
    assert.match(cookie, part)
})

/** Everything that a stranger can compare, with the random parts out of it. */
function look(answer: Answer) {
  const headers = [...answer.headers].map(([name, value]) => [name, /date|trace/.test(name) ? '' : value])
  return { status: answer.status, headers, text: answer.text.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'id') }
}

test('answers to strangers do not differ by address, mails do', async () => {
  await member('known@example.com')
  const [known, unknown] = [await signUp('known@example.com'), await signUp('unknwn@example.com')]
  assert.deepEqual(look(known), look(unknown))
  assert.notEqual((await house.mailOf(idOf(known))).purpose, (await house.mailOf(idOf(unknown))).purpose)
  const resets = [
    await account('RequestPasswordReset', { email: 'known@example.com' }),
    await account('RequestPasswordReset', { email: 'unknwn@example.com' }),
  ]
  assert.deepEqual(look(resets[0] as Answer), look(resets[1] as Answer))
  const again = [idOf(known), idOf(unknown), randomUUID()].map((challengeId) => account('ResendVerification', { challengeId }))
  const [first, ...others] = (await Promise.all(again)).map(look)
  for (const other of others) assert.deepEqual(other, first)
  for (const challengeId of [idOf(known), ...resets.map(idOf)]) {
    const method = challengeId === idOf(known) ? 'VerifyEmail' : 'ResetPassword'
    const reasons = []
    for (let attempt = 0; attempt < 6; attempt++)
      reasons.push((await account(method, { challengeId, code: '000000', password: otherPassword })).reason)
    assert.deepEqual(reasons, [...Array.from({ length: 5 }, () => 'CHALLENGE_INVALID'), 'CODE_ATTEMPTS_EXHAUSTED'])
  }
})

test('an exhausted reset limit answers as usual, sends nothing, and the last mail stays good', async () => {
  await member('limited@example.com')
  const answers: Answer[] = []
  for (let attempt = 0; attempt < 7; attempt++)
    answers.push(await account('RequestPasswordReset', { email: attempt % 2 ? 'limited@example.com' : 'LIMITED@example.com' }))
  for (const answer of answers) assert.deepEqual(look(answer), look(answers[0] as Answer))
  const told = new Set((await house.events()).map((event) => event.key))
  assert.deepEqual(
    answers.map((answer) => told.has(idOf(answer))),
    [true, true, true, true, true, false, false],
  )
  const { token } = await house.mailOf(idOf(answers[4] as Answer))
  const reset = await account('ResetPassword', { token, password: otherPassword })
  assert.equal(signedIn(reset).user.email, 'limited@example.com')
})

test('a request_id makes a retry safe and belongs to one request', async () => {
  const requestId = randomUUID()
  const [one, two] = await Promise.all([
    signUp('retry@example.com', { requestId }),
    signUp('retry@example.com', { requestId, password: otherPassword }),
  ])
  assert.equal(idOf(one), idOf(two))
  assert.equal((await signUp('other@example.com', { requestId })).reason, 'REQUEST_ID_REUSED')
})

test('sign-ups for one address are limited, in any spelling', async () => {
  const answers: Answer[] = []
  for (let attempt = 0; attempt < 11; attempt++) answers.push(await signUp(attempt % 2 ? 'Many@example.com' : 'many@EXAMPLE.com'))
  assert.deepEqual(
    answers.map((answer) => answer.status),
    [...Array.from({ length: 10 }, () => 200), 429],
  )
  assert.equal(answers[10]?.reason, 'LIMIT_EXCEEDED')
})

test('bad input is refused by name, and a password never comes back', async () => {
  const weak = await signUp('weak@example.com', { password: 'weak but unusual' })
  assert.equal(weak.status, 200)
  for (const [password, rule] of [
    ['fourteen chars', 'length'],
    ['passwordpassword', 'common'],
    ['weak@example.com', 'context'],
    ['kz7vq9mm\u0007lp2xrtwe', 'characters'],
  ] as const) {
    const answer = await signUp('weak@example.com', { password })
    assert.equal(answer.reason, 'PASSWORD_TOO_WEAK')
    assert.equal(answer.status, 400)
    assert.ok(answer.text.includes(`"rule":"${rule}"`), answer.text)
    assert.ok(answer.text.includes('"field":"password"'), answer.text)
    assert.equal(answer.text.includes('lp2xrtwe'), false)
  }
  assert.equal((await account('VerifyEmail', { code: '123456' })).reason, 'INVALID_REQUEST')
  assert.equal((await account('VerifyEmail', { challengeId: randomUUID() })).reason, 'INVALID_REQUEST')
  assert.equal((await account('VerifyEmail', { challengeId: randomUUID(), code: '12345' })).reason, 'INVALID_REQUEST')
  const invitation = await account('AcceptInvitation', { token: 'x', password: otherPassword })
  assert.equal(invitation.reason, 'CHALLENGE_INVALID')
  assert.equal(invitation.text.includes('BadRequest'), false)
  for (const email of ['.ada@example.com', 'ada..l@example.com']) {
    const answer = await signUp(email)
    assert.equal(answer.reason, 'INVALID_REQUEST')
    assert.ok(answer.text.includes('"field":"email"'), answer.text)
  }
})

test('secrets are revealed to no browser', async () => {
  const answer = await doors.call('ChallengeService/RevealSecret', { challengeId: randomUUID(), deliveryId: randomUUID() })
  assert.deepEqual([answer.status, answer.body.code], [404, 'unimplemented'])
})

test('a burst of sign-ups sheds what cannot be hashed and says when to come back', async () => {
  await using few = await openDoors({ ...house.deps, hashing: createHashPool({ running: 1, waiting: 2 }) })
  const body = (at: number) => ({ email: `burst${at}@example.com`, password: goodPassword, name: 'Ada' })
  const answers = await Promise.all(Array.from({ length: 12 }, (_, at) => few.call('AccountService/SignUp', body(at), fromSomewhere())))
  const shed = answers.filter((answer) => answer.status !== 200)
  assert.ok(shed.length >= 1)
  for (const answer of shed) {
    assert.deepEqual([answer.status, answer.body.code, answer.reason], [429, 'resource_exhausted', 'OVERLOADED'])
    assert.ok(answer.text.includes('google.rpc.RetryInfo'))
  }
})

test('a change of address takes the token of its owner', async () => {
  const [mine, theirs] = [await member('mine@example.com'), await member('theirs@example.com')]
  const as = (person: SignedIn) => ({ authorization: `Bearer ${person.accessToken}` })
  const ask = { email: 'next@example.com', password: goodPassword }
  const challengeId = idOf(await account('RequestEmailChange', ask, as(mine)))
  const { token } = await house.mailOf(challengeId)
  assert.equal((await account('ConfirmEmailChange', { token }, as(theirs))).reason, 'CHALLENGE_INVALID')
  assert.equal((await account('ConfirmEmailChange', { token })).reason, 'CREDENTIALS_MISSING')
  assert.equal((await account('ConfirmEmailChange', { token }, as(mine))).status, 200)
  assert.equal(house.people.of(tenant, mine.user.id).email, 'next@example.com')
})

test('nothing of all this was a fault', () => {
  assert.deepEqual(doors.faults, [])
})
