import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type OpenedDeps, openDeps } from '../../../test/open-deps.ts'
import { refusedWith, rightPassword, somebody, whole } from '../../../test/sign-somebody-in.ts'
import { suspicionsIn, toldOf } from '../../../test/told-suspicions.ts'
import type { Deps } from '../deps.ts'
import { ErrorReason, refuse } from '../refuse.ts'
import { cleanUp } from '../sessions/clean-up.ts'
import { signIn as signInStep } from '../sessions/sign-in.ts'
import { counted } from './attempts.ts'

const signIn = whole(signInStep)

let opened: OpenedDeps
before(async () => {
  opened = await openDeps()
})
after(async () => opened[Symbol.asyncDispose]())

const tenant = 'default'
let source = 0

/** A wrong password without the work of a hash, each from somewhere else and when the one before has cooled down. */
async function guess(deps: Deps, email: string, userId?: string): Promise<void> {
  opened.pass(900)
  const guesser = { tenant, email, source: `10.0.${source >> 8}.${source++ & 255}`, userId, deviceId: undefined }
  const refusal = counted(deps, guesser, () => Promise.reject(refuse(ErrorReason.EMAIL_OR_PASSWORD_WRONG)))
  await assert.rejects(refusal, refusedWith('EMAIL_OR_PASSWORD_WRONG'))
}

test('the twenty-fifth wrong password in a row, over two replicas, is told once a day; twenty-four and a right one are not', async () => {
  const user = await somebody(opened)
  const replicas = [opened.deps, opened.replica()] as const
  const guesses = async (times: number) => {
    for (let at = 0; at < times; at++) await guess(replicas[at % 2 === 0 ? 0 : 1], user.email, user.id)
  }
  const right = { tenant, email: user.email, password: rightPassword, userAgent: 'Firefox', source: '203.0.113.7' }
  await guesses(24)
  opened.pass(900)
  await signIn(opened.deps, right)
  await guesses(24)
  assert.deepEqual(await toldOf(opened.deps.db, user.id), [])
  await guesses(10)
  assert.deepEqual(await toldOf(opened.deps.db, user.id), ['PASSWORD_GUESSED +'])
})

test('guesses at an address that nobody has write the same, and name nobody', async () => {
  const before = (await suspicionsIn(opened.deps.db)).length
  for (let times = 0; times < 26; times++) await guess(opened.deps, 'nobody-there@example.com')
  const told = (await suspicionsIn(opened.deps.db)).slice(before)
  assert.deepEqual(
    told.map(({ userId, challengeId }) => [userId, challengeId !== '']),
    [['', true]],
  )
})

test('what may be told again is forgotten', async () => {
  opened.pass(2 * 86_400)
  await cleanUp(opened.deps)
  assert.deepEqual(await opened.deps.db.selectFrom('suspicion_marks').selectAll().execute(), [])
})
