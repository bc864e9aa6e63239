import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { RequestIdReused } from '@gatehouse/postgres'
import { goodPassword, noRetry, openAccountHouse, otherTenant, refuses, tenant } from '../../../test/account-house.ts'
import { requestPasswordReset } from './request-password-reset.ts'
import { resendVerification } from './resend-verification.ts'
import { signUp } from './sign-up.ts'

const house = await openAccountHouse()
after(() => house[Symbol.asyncDispose]())
const { deps, people } = house
const ada = { tenant, email: 'ada@example.com', password: goodPassword, name: 'Ada', locale: '', retry: noRetry }

async function mailsOf(challengeId: string): Promise<bigint[]> {
  return (await house.events()).filter((event) => event.key === challengeId).map((event) => event.version)
}

test('a sign-up takes the same steps for known and unknown addresses, and asks nobody', async () => {
  people.add(tenant, { email: 'known@example.com' })
  const before = people.calls.length
  const known = await signUp(deps, { ...ada, email: 'known@example.com' })
  const unknown = await signUp(deps, { ...ada, email: 'unknown@example.com' })
  assert.equal(people.calls.length, before)
  assert.equal(known.length, unknown.length)
  const told = (await house.events()).filter((event) => event.key === known || event.key === unknown)
  assert.deepEqual(
    told.map(({ type, version }) => [type, version]),
    Array.from({ length: 2 }, () => ['gatehouse.auth.v1.EmailVerificationRequested', 1n]),
  )
  const rows = await deps.db.selectFrom('sign_ups').select(['name', 'locale']).execute()
  assert.deepEqual(
    rows,
    Array.from({ length: 2 }, () => ({ name: 'Ada', locale: 'en' })),
  )
})

test('many sign-ups of one address are pending side by side, in every tenant', async () => {
  const ids = await Promise.all([signUp(deps, ada), signUp(deps, ada), signUp(deps, { ...ada, tenant: otherTenant })])
  assert.equal(new Set(ids).size, 3)
})

test('a weak password is refused before anything is done', async () => {
  const before = await house.dump()
  await refuses('PASSWORD_TOO_WEAK', () => signUp(deps, { ...ada, password: 'short' }), { rule: 'length' })
  await refuses('PASSWORD_TOO_WEAK', () => signUp(deps, { ...ada, password: 'passwordpassword' }), { rule: 'common' })
  await refuses('PASSWORD_TOO_WEAK', () => signUp(deps, { ...ada, password: 'gatehouse 2026 !' }), { rule: 'context' })
  assert.equal(await house.dump(), before)
})

test('the same request_id is answered the same, also by many at once, and sends one mail', async () => {
  const retry = { requestId: randomUUID(), fingerprint: 'one' }
  const ids = await Promise.all(Array.from({ length: 10 }, () => signUp(deps, { ...ada, retry })))
  assert.equal(new Set(ids).size, 1)
  assert.deepEqual(await mailsOf(ids[0] ?? ''), [1n])
  await assert.rejects(signUp(deps, { ...ada, retry: { ...retry, fingerprint: 'two' } }), RequestIdReused)
  assert.notEqual(await signUp(deps, { ...ada, tenant: otherTenant, retry }), ids[0])
})

test('a mail is sent again for what is pending, and for nothing else', async () => {
  const challengeId = await signUp(deps, ada)
  const again = { tenant, challengeId, retry: noRetry, withheld: false }
  await resendVerification(deps, again)
  await resendVerification(deps, { ...again, withheld: true })
  await resendVerification(deps, { ...again, tenant: otherTenant })
  await resendVerification(deps, { ...again, challengeId: randomUUID() })
  const retry = { requestId: randomUUID(), fingerprint: 'one' }
  await Promise.all([1, 2, 3].map(() => resendVerification(deps, { ...again, retry })))
  assert.deepEqual(await mailsOf(challengeId), [1n, 2n, 3n])
  house.advance(86_400)
  await resendVerification(deps, again)
  assert.deepEqual(await mailsOf(challengeId), [1n, 2n, 3n])
})

test('a reset is opened for known and unknown addresses alike, and a withheld one sends nothing', async () => {
  const before = people.calls.length
  const ask = { tenant, email: 'known@example.com', retry: noRetry, withheld: false }
  const known = await requestPasswordReset(deps, ask)
  const unknown = await requestPasswordReset(deps, { ...ask, email: 'unknown@example.com' })
  const withheld = await requestPasswordReset(deps, { ...ask, withheld: true })
  assert.equal(people.calls.length, before)
  assert.deepEqual(await Promise.all([known, unknown, withheld].map(mailsOf)), [[1n], [1n], []])
})
