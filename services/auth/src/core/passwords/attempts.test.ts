import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type OpenedDeps, openDeps } from '../../../test/open-deps.ts'
import { refusedWith, rightPassword, somebody, whole } from '../../../test/sign-somebody-in.ts'
import { setCredential } from '../../store/credentials.ts'
import { prunePasswordFailures } from '../../store/password-failures.ts'
import type { Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { signIn as signInStep } from '../sessions/sign-in.ts'
import { counted, forgetGuesses } from './attempts.ts'

const signIn = whole(signInStep)

let opened: OpenedDeps
before(async () => {
  opened = await openDeps()
})
after(async () => opened[Symbol.asyncDispose]())

const tenant = 'default'
let address = 0

/** Stands still by itself, however slow the machine is. */
let clock = Date.now()
function pass(seconds: number): void {
  clock += seconds * 1000
  opened.pass(seconds)
}

/** Tries a password without the work of a hash: wrong, unless `act` says otherwise. */
async function guess(
  deps: Deps,
  email: string,
  given: { source?: string; act?: () => Promise<void>; userId?: string } = {},
): Promise<string> {
  const source = given.source ?? `10.${(++address >> 16) & 255}.${(address >> 8) & 255}.${address & 255}`
  const attempt = counted(
    { ...deps, now: () => clock },
    { tenant, email, source, userId: given.userId, deviceId: undefined },
    async ({ right }) => {
      if (given.act === undefined) throw refuse(ErrorReason.EMAIL_OR_PASSWORD_WRONG)
      await given.act()
      await right()
    },
  )
  return await attempt.then(
    () => 'right',
    ({ reason, message }) => reason ?? message,
  )
}

const wrong = 'EMAIL_OR_PASSWORD_WRONG'

test('of a burst over two replicas exactly ten pass, then each wrong one doubles the delay', async () => {
  const replicas = [opened.deps, opened.replica()]
  const email = 'burst@example.com'
  const answers = await Promise.all(Array.from({ length: 60 }, (_, at) => guess(replicas[at % 2] ?? opened.deps, email)))
  assert.equal(answers.filter((each) => each === wrong).length, 10)
  assert.equal(answers.filter((each) => each === 'LIMIT_EXCEEDED').length, 50)
  for (const seconds of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]) {
    pass(seconds - 0.9)
    assert.equal(await guess(opened.deps, email), 'LIMIT_EXCEEDED', `${seconds} s`)
    pass(0.9)
    assert.equal(await guess(opened.deps, email), wrong, `${seconds} s`)
  }
})

test('a right password ends what was counted, and another address has its own', async () => {
  const email = 'right@example.com'
  for (let times = 0; times < 9; times++) await guess(opened.deps, email)
  assert.equal(await guess(opened.deps, email, { act: async () => {} }), 'right')
  for (let times = 0; times < 10; times++) assert.equal(await guess(opened.deps, email), wrong)
  assert.equal(await guess(opened.deps, email), 'LIMIT_EXCEEDED')
  assert.equal(await guess(opened.deps, 'other@example.com'), wrong)
})

test('what ended without a judgement of the password is not counted', async () => {
  const email = 'given-up@example.com'
  for (let times = 0; times < 30; times++)
    assert.equal(await guess(opened.deps, email, { act: () => Promise.reject(new Error('nobody waits')) }), 'nobody waits')
  assert.equal(await guess(opened.deps, email), wrong)
})

test('a thousand wrong passwords from a thousand places close an address to strangers, never to its owner’s device', async () => {
  const user = await somebody(opened)
  const from = { tenant, email: user.email, password: rightPassword, userAgent: 'Firefox', source: '203.0.113.7' }
  const { deviceToken } = await signIn(opened.deps, from)
  let tried = 0
  for (let times = 0; times < 1000; times++) {
    if ((await guess(opened.deps, user.email, { userId: user.id })) === wrong) tried++
    if (times % 8 === 0) pass(900)
    if (times === 500) assert.ok(await signIn(opened.deps, { ...from, deviceToken }))
  }
  // NIST SP 800-63B-4, 3.2.2: no more than a hundred in a row.
  assert.equal(tried, 100)
  pass(86_400 * 30)
  await prunePasswordFailures(opened.deps.db, new Date(opened.deps.now()), 10_000)
  await assert.rejects(signIn(opened.replica(), from), refusedWith('PASSWORD_GUESSED_TOO_OFTEN'))
  assert.ok(await signIn(opened.deps, { ...from, deviceToken }))
  await assert.rejects(signIn(opened.deps, { ...from, password: 'wrong on the own device', deviceToken }), refusedWith(wrong))

  // What a reset by mail does, beside a new password.
  await forgetGuesses(opened.deps.db, opened.deps, { tenant, userId: user.id, email: user.email })
  assert.ok(await signIn(opened.deps, from))
})

test('the device of another password is a stranger’s', async () => {
  const user = await somebody(opened)
  const from = { tenant, email: user.email, password: rightPassword, userAgent: 'Firefox', source: '203.0.113.8' }
  const { deviceToken } = await signIn(opened.deps, from)
  const passwordHash = await opened.deps.hashing.hash('another password entirely')
  await setCredential(opened.deps.db, { tenant, userId: user.id, passwordHash, time: new Date(opened.deps.now()) })
  for (let times = 0; times < 16; times++) {
    await guess(opened.deps, user.email)
    if (times < 15) pass(64)
  }
  await assert.rejects(signIn(opened.deps, { ...from, deviceToken, password: 'another password entirely' }), refusedWith('LIMIT_EXCEEDED'))
})

test('a source that guesses at many addresses is slowed down, by IPv6 /64, and forgiven by right passwords', async () => {
  const source = (host: number) => ({ source: `2001:db8:1:2::${host.toString(16)}` })
  const many = (from: number, count: number) =>
    Promise.all(Array.from({ length: count }, (_, at) => guess(opened.deps, `many-${from + at}@example.com`, source(from + at))))
  assert.deepEqual(new Set(await many(0, 60)), new Set([wrong]))
  assert.equal(await guess(opened.deps, 'one-more@example.com', source(99)), 'LIMIT_EXCEEDED')
  assert.equal(await guess(opened.deps, 'one-more@example.com', { source: '2001:db8:1:3::1' }), wrong)
  pass(1)
  assert.equal(await guess(opened.deps, 'right-one@example.com', { ...source(98), act: async () => {} }), 'right')
  assert.deepEqual(new Set(await many(200, 30)), new Set([wrong]))
  assert.equal(await guess(opened.deps, 'again@example.com', source(97)), 'LIMIT_EXCEEDED')
  pass(901)
  assert.deepEqual(new Set(await many(300, 20)), new Set([wrong]))
})
