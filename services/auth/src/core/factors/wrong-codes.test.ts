import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { FactorProof } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { SuspicionKind } from '@gatehouse/contracts/gatehouse/auth/v1/suspicion_pb'
import { Strength } from '@gatehouse/identity'
import { connect } from '@gatehouse/postgres'
import { sql } from 'kysely'
import { type AccountHouse, goodPassword, openAccountHouse, otherPassword, place, refuses, tenant } from '../../../test/account-house.ts'
import { refusedWith, wholeOf } from '../../../test/sign-somebody-in.ts'
import { suspicionsIn, toldOf } from '../../../test/told-suspicions.ts'
import { codeOf } from '../../../test/totp-code.ts'
import { lockDown } from '../accounts/lock-down.ts'
import { resetPassword } from '../accounts/reset-password.ts'
import type { Deps } from '../deps.ts'
import { continueSignIn } from '../sessions/continue-sign-in.ts'
import type { SignInOutcome } from '../sessions/pending-sign-in.ts'
import { signIn } from '../sessions/sign-in.ts'
import { beginStepUp, completeStepUp } from '../sessions/step-up.ts'
import { beginTotp, confirmTotp } from './totp.ts'

let house: AccountHouse
let replicas: readonly [Deps, Deps]
before(async () => {
  house = await openAccountHouse()
  replicas = [house.deps, house.replica()]
})
after(async () => house[Symbol.asyncDispose]())

let counter = 0
/** Somebody with an authenticator app, and the session that it was set up in. */
async function somebody() {
  const email = `guessed-${++counter}@example.com`
  const owner = { tenant, ...(await house.member(email)), strength: Strength.ONE_FACTOR }
  const { secret } = await beginTotp(house.deps, owner)
  const [spare = '', other = ''] = await confirmTotp(house.deps, owner, codeOf(secret, 0, house.deps.now()))
  return { email, owner, secret, spare, other }
}
type Somebody = Awaited<ReturnType<typeof somebody>>

type Proof = FactorProof['proof']
const app = (value: string): Proof => ({ case: 'totpCode', value })
const recovery = (value: string): Proof => ({ case: 'recoveryCode', value })
const wrongs = [app('000000'), recovery('0000-0000-0000-0000')] as const
const at = <T>(two: readonly [T, T], number: number): T => two[number % 2 === 0 ? 0 : 1]

function nextOf(outcome: SignInOutcome): string {
  assert.equal(outcome.case, 'nextStep')
  return outcome.case === 'nextStep' ? outcome.value.continuation : ''
}

/** Shows the right password. */
async function halfway({ email }: Somebody): Promise<string> {
  return nextOf(await signIn(house.deps, { tenant, email, password: goodPassword, ...place }))
}

const goOn = (continuation: string, proof: Proof, deps = house.deps) => continueSignIn(deps, { tenant, continuation, proof, place })

/** Wrong codes one after the other, of app and recovery codes by turns, over both replicas; after five the sign-in begins anew. */
async function guess(whose: Somebody, times: number): Promise<void> {
  let continuation = ''
  for (let number = 0; number < times; number++) {
    if (number % 5 === 0) continuation = await halfway(whose)
    // Of two by turns each would always meet the same replica.
    await refuses('FACTOR_WRONG', () => goOn(continuation, at(wrongs, number), at(replicas, number >> 1)))
  }
}

const guessesTold = async ({ owner }: Somebody) =>
  (await toldOf(house.deps.db, owner.userId)).filter((told) => told.startsWith('SECOND_FACTOR'))

test('the tenth wrong code in a row, of app and recovery codes over two replicas, is told once a day with a mail; the ninth is not', async () => {
  const ada = await somebody()
  await guess(ada, 9)
  assert.deepEqual(await guessesTold(ada), [])
  await guess(ada, 1)
  assert.deepEqual(await guessesTold(ada), ['SECOND_FACTOR_GUESSED +'])
  await guess(ada, 3)
  house.advance(86_000)
  await guess(ada, 1)
  assert.equal((await guessesTold(ada)).length, 1)
  house.advance(400)
  await guess(ada, 1)
  assert.equal((await guessesTold(ada)).length, 2)
  const { rows } = await sql<{ kinds: string }>`select details->>'kinds' as kinds from audit_entries
    where subject_id = ${ada.owner.userId} and kind = 'suspicious_activity' and details->>'kinds' like 'second%'`.execute(house.deps.db)
  assert.deepEqual(rows, Array(2).fill({ kinds: 'second_factor_guessed' }))
})

test('of wrong codes that come at once to two replicas nine are not told, ten are, and fifteen are told once', async () => {
  for (const [times, told] of [
    [9, 0],
    [10, 1],
    [15, 1],
  ] as const) {
    const ada = await somebody()
    const ways = await Promise.all([halfway(ada), halfway(ada), halfway(ada)])
    const tries = Array.from({ length: times }, (_, number) => goOn(ways[number % 3] ?? '', at(wrongs, number), at(replicas, number >> 1)))
    for (const result of await Promise.allSettled(tries))
      assert.ok(result.status === 'rejected' && result.reason.reason === 'FACTOR_WRONG', String(result))
    assert.equal((await guessesTold(ada)).length, told, `${times} at once`)
  }
})

test('a right code of the app, or a recovery code, in between forgets the wrong ones', async () => {
  const ada = await somebody()
  await guess(ada, 9)
  wholeOf(await goOn(await halfway(ada), recovery(ada.spare)))
  await guess(ada, 9)
  wholeOf(await goOn(await halfway(ada), app(codeOf(ada.secret, 1, house.deps.now()))))
  await guess(ada, 9)
  assert.deepEqual(await guessesTold(ada), [])
  await guess(ada, 1)
  assert.equal((await guessesTold(ada)).length, 1)
})

test('wrong codes of one person are nobody else’s', async () => {
  const [ada, bob] = [await somebody(), await somebody()]
  await guess(ada, 9)
  await guess(bob, 1)
  assert.deepEqual([await guessesTold(ada), await guessesTold(bob)], [[], []])
})

test('whoever guesses to raise a session is told too, and counted with those who sign in', async () => {
  const ada = await somebody()
  await guess(ada, 8)
  const { continuation } = await beginStepUp(house.deps, ada.owner)
  const raise = (proof: Proof) => completeStepUp(house.deps, { ...ada.owner, continuation, proof, place })
  await refuses('FACTOR_WRONG', () => raise(app('000000')))
  assert.deepEqual(await guessesTold(ada), [])
  await refuses('FACTOR_WRONG', () => raise(app('000000')))
  assert.deepEqual(await guessesTold(ada), ['SECOND_FACTOR_GUESSED +'])
})

test('its mail locks the account down, and whoever is back with the new password and guesses on is told at once', async () => {
  const ada = await somebody()
  await guess(ada, 10)
  const told = (await suspicionsIn(house.deps.db)).findLast(({ userId }) => userId === ada.owner.userId)
  const { token, suspicion } = await house.mailOf(told?.challengeId ?? '')
  assert.deepEqual(suspicion?.kinds, [SuspicionKind.SECOND_FACTOR_GUESSED])
  await lockDown(house.deps, { tenant, token })
  await refuses('PASSWORD_GUESSED_TOO_OFTEN', () => halfway(ada))

  const asked = (await house.events()).findLast(({ type }) => type.endsWith('.PasswordResetRequested'))
  const proof = { case: 'token', value: (await house.mailOf(asked?.key ?? '')).token } as const
  const reset = { tenant, challengeId: '', proof, password: otherPassword, place }
  const continuation = nextOf(await resetPassword(house.deps, reset))
  await refuses('FACTOR_WRONG', () => goOn(continuation, app('000000')))
  assert.equal((await guessesTold(ada)).length, 2)
  wholeOf(await goOn(continuation, recovery(ada.other)))
})

test('what cannot be told whole is not told, and is told with the next wrong code', async () => {
  const ada = await somebody()
  await guess(ada, 9)
  const continuation = await halfway(ada)
  await using admin = connect({ url: house.adminDatabaseUrl, poolSize: 1 })
  await sql`alter table gatehouse_auth.suspicions rename to out_of_the_way`.execute(admin.kysely)
  await assert.rejects(goOn(continuation, app('000000')), /suspicions/)
  await sql`alter table gatehouse_auth.out_of_the_way rename to suspicions`.execute(admin.kysely)
  assert.deepEqual(await guessesTold(ada), [])
  await assert.rejects(goOn(continuation, app('000000')), refusedWith('FACTOR_WRONG'))
  assert.deepEqual(await guessesTold(ada), ['SECOND_FACTOR_GUESSED +'])
})
