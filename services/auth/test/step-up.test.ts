import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Code } from '@connectrpc/connect'
import { Factor, type SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { Strength } from '@gatehouse/contracts/gatehouse/options/v1/options_pb'
import { refused } from '@gatehouse/testkit'
import { decodeJwt } from 'jose'
import { createHashPool } from '../src/core/passwords/hash-pool.ts'
import { insertCredential } from '../src/store/credentials.ts'
import { openStory, type Story } from './open-story.ts'
import { until } from './until.ts'

let story: Story
let passwordHash: string
before(async () => {
  story = await openStory()
  passwordHash = await createHashPool().hash(password)
})
after(async () => story[Symbol.asyncDispose]())

const password = 'correct horse battery'
const shown = (value: string) => ({ proof: { case: 'password', value } }) as const

let counter = 0
async function signedIn(): Promise<SignedInResult> {
  const user = story.people.add('default', { email: `step-up-${++counter}@example.com` })
  await insertCredential(story.db, { tenant: 'default', userId: user.id, passwordHash, time: new Date() })
  const { result } = await (await story.grpc(SessionService)).signIn({ email: user.email, password })
  assert.equal(result.case, 'signedIn')
  return result.value as SignedInResult
}

const sessionsOf = (token: string, replica?: Story['app']) =>
  story.grpc(SessionService, { authorization: `Bearer ${token}` }, undefined, replica)

async function raised({ accessToken }: SignedInResult): Promise<SignedInResult> {
  const sessions = await sessionsOf(accessToken)
  const { nextStep } = await sessions.beginStepUp({})
  const { result } = await sessions.completeStepUp({ continuation: nextStep?.continuation ?? '', proof: shown(password) })
  assert.equal(result.case, 'signedIn')
  return result.value as SignedInResult
}

test('a session is raised: the same sid with new tokens, and the old ones are dead in every replica', async () => {
  const replica = await story.startReplica()
  const before = await signedIn()
  const now = await raised(before)
  const [old, fresh] = [decodeJwt(before.accessToken), decodeJwt(now.accessToken)]
  assert.equal(fresh.sid, old.sid)
  assert.deepEqual([old.gen, fresh.gen], [undefined, 1])
  assert.ok((fresh.auth_time as number) >= (old.auth_time as number))
  assert.deepEqual(now.session?.methods, ['pwd'])
  assert.equal(now.session?.strength, Strength.ONE_FACTOR)
  for (const place of [story.app, replica]) {
    assert.equal((await (await sessionsOf(now.accessToken, place)).listSessions({})).sessions.length, 1)
    const late = await sessionsOf(before.accessToken, place)
    await until(() =>
      late.listSessions({}).then(
        () => false,
        () => true,
      ),
    )
    await refused(late.listSessions({}), Code.Unauthenticated, 'ACCESS_TOKEN_INVALID')
  }
  const strangers = await story.grpc(SessionService)
  // Whoever was refreshing at that moment is refused and is no thief: the session goes on.
  await refused(strangers.refreshSession({ refreshToken: before.refreshToken }), Code.Unauthenticated, 'REFRESH_TOKEN_INVALID')
  const { signedIn: refreshed } = await strangers.refreshSession({ refreshToken: now.refreshToken })
  assert.deepEqual([decodeJwt(refreshed?.accessToken ?? '').gen, refreshed?.session?.id], [1, before.session?.id])
})

test('a continuation is good once, in the session that began it, and for a step-up only', async () => {
  const [ada, bob] = [await signedIn(), await signedIn()]
  const sessions = await sessionsOf(ada.accessToken)
  const { nextStep } = await sessions.beginStepUp({})
  const continuation = nextStep?.continuation ?? ''
  assert.deepEqual(nextStep?.factors, [Factor.PASSWORD])
  const proof = shown(password)
  await refused((await sessionsOf(bob.accessToken)).completeStepUp({ continuation, proof }), Code.Unauthenticated, 'CONTINUATION_INVALID')
  await refused((await story.grpc(SessionService)).continueSignIn({ continuation, proof }), Code.Unauthenticated, 'CONTINUATION_INVALID')
  const both = await Promise.allSettled([1, 2].map(() => sessions.completeStepUp({ continuation, proof })))
  assert.equal(both.filter(({ status }) => status === 'fulfilled').length, 1)
})

test('five wrong factors end it, in parallel too, and the right one comes too late', async () => {
  const sessions = await sessionsOf((await signedIn()).accessToken)
  const { nextStep } = await sessions.beginStepUp({})
  const continuation = nextStep?.continuation ?? ''
  const wrong = await Promise.allSettled(
    Array.from({ length: 8 }, () => sessions.completeStepUp({ continuation, proof: shown('wrong horse battery') })),
  )
  const reasons = wrong.map((each) => (each.status === 'rejected' ? String(each.reason.rawMessage) : 'fulfilled'))
  assert.equal(reasons.filter((reason) => reason.startsWith('This is not right')).length, 5)
  await refused(sessions.completeStepUp({ continuation, proof: shown(password) }), Code.Unauthenticated, 'CONTINUATION_INVALID')
})

test('whoever has no second factor is told so', async () => {
  const sessions = await sessionsOf((await signedIn()).accessToken)
  await refused(sessions.beginStepUp({ strength: Strength.TWO_FACTORS }), Code.FailedPrecondition, 'STRENGTH_OUT_OF_REACH')
})

test('a person ends the other sessions and keeps this one', async () => {
  const here = await signedIn()
  const email = here.user?.email ?? ''
  const strangers = await story.grpc(SessionService)
  const { result } = await strangers.signIn({ email, password })
  const other = result.value as SignedInResult
  assert.deepEqual(await (await sessionsOf(here.accessToken)).revokeOtherSessions({}).then((answer) => answer.revokedCount), 1)
  await refused(strangers.refreshSession({ refreshToken: other.refreshToken }), Code.Unauthenticated, 'REFRESH_TOKEN_INVALID')
  assert.ok((await strangers.refreshSession({ refreshToken: here.refreshToken })).signedIn)
})
