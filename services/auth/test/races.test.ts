import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, test } from 'node:test'
import { AccountService } from '@gatehouse/contracts/gatehouse/auth/v1/account_service_pb'
import { ChallengeService } from '@gatehouse/contracts/gatehouse/auth/v1/challenge_service_pb'
import type { SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { type User, User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { reasonOf } from '@gatehouse/rpc'
import { decodeJwt } from 'jose'
import { createHashPool } from '../src/core/passwords/hash-pool.ts'
import { unbindPerson } from '../src/core/roles/unbind-person.ts'
import { insertCredential } from '../src/store/credentials.ts'
import { bindRole } from './bind-role.ts'
import { openStory } from './open-story.ts'
import { until } from './until.ts'

const tenant = 'default'
const password = 'correct horse battery'
const story = await openStory()
after(() => story[Symbol.asyncDispose]())
const places = [story.app, await story.startReplica()]
const passwordHash = await createHashPool().hash(password)

/** A client at each of the two replicas, connected: what is called from here on at once arrives at once. */
const sessions = await Promise.all(places.map((place) => story.grpc(SessionService, {}, undefined, place)))
const asUser = await Promise.all(places.map((place) => story.grpc(SessionService, { 'gatehouse-tenant': tenant }, 'user', place)))
for (const each of sessions) await each.signOut({ refreshToken: 'nobody’s' }).catch(() => {})

let counter = 0
async function somebody(): Promise<User> {
  const user = story.people.add(tenant, { email: `race-${++counter}@example.com` })
  await insertCredential(story.db, { tenant, userId: user.id, passwordHash, time: new Date() })
  return user
}

const at = <T>(both: readonly T[], number: number): T => both[number % both.length] as T
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })
const shown = { proof: { case: 'password', value: password } } as const

async function signIn({ email }: Pick<User, 'email'>, number = 0): Promise<SignedInResult> {
  const { result } = await at(sessions, number).signIn({ email, password })
  assert.equal(result.case, 'signedIn')
  return result.value as SignedInResult
}

/** All at once, by turns at one replica and the other. */
const atOnce = <T>(count: number, act: (number: number) => Promise<T>) =>
  Promise.allSettled(Array.from({ length: count }, (_, number) => act(number)))

function outcomes<T>(results: readonly PromiseSettledResult<T>[]): { done: T[]; reasons: (string | undefined)[] } {
  const done = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  return { done, reasons: results.flatMap((result) => (result.status === 'rejected' ? [reasonOf(result.reason)] : [])) }
}

/** Refresh tokens that would be answered with new ones: of a session that goes on, and not used up. */
async function living(userId: string): Promise<number> {
  const rows = await story.db
    .selectFrom('refresh_tokens')
    .innerJoin('sessions', (join) =>
      join.onRef('sessions.tenant', '=', 'refresh_tokens.tenant').onRef('sessions.id', '=', 'refresh_tokens.session_id'),
    )
    .select('sessions.id')
    .where('sessions.user_id', '=', userId)
    .where('sessions.end_time', 'is', null)
    .where('refresh_tokens.use_time', 'is', null)
    .execute()
  return rows.length
}

/** Waits until both replicas refuse the access token. */
async function dead(token: string): Promise<void> {
  for (const each of sessions)
    await until(() =>
      each.listSessions({}, bearer(token)).then(
        () => false,
        (error) => reasonOf(error) === 'ACCESS_TOKEN_INVALID',
      ),
    )
}

test('fifty refreshes of one token at once on two replicas leave one living descendant, three times over', async () => {
  const user = await somebody()
  let { refreshToken } = await signIn(user)
  for (let round = 0; round < 3; round++) {
    const { done, reasons } = outcomes(await atOnce(50, (number) => at(sessions, number).refreshSession({ refreshToken })))
    assert.deepEqual(reasons, [])
    const successors = new Set(done.map(({ signedIn }) => signedIn?.refreshToken))
    assert.equal(successors.size, 1)
    assert.equal(await living(user.id), 1)
    refreshToken = [...successors][0] ?? ''
  }
  // The one chain goes on, in either replica.
  for (const each of sessions) refreshToken = (await each.refreshSession({ refreshToken })).signedIn?.refreshToken ?? ''
  assert.equal(await living(user.id), 1)
})

test('a token and its successor shown at once never leave two that live', async () => {
  const user = await somebody()
  const first = (await signIn(user)).refreshToken
  const second = (await at(sessions, 0).refreshSession({ refreshToken: first })).signedIn?.refreshToken ?? ''
  const { done, reasons } = outcomes(
    await atOnce(50, (number) => at(sessions, number).refreshSession({ refreshToken: at([first, second], number >> 1) })),
  )
  assert.ok(reasons.every((reason) => reason === 'REFRESH_TOKEN_INVALID'))
  const descendants = new Set(done.map(({ signedIn }) => signedIn?.refreshToken))
  descendants.delete(second)
  assert.ok(descendants.size <= 1)
  assert.ok((await living(user.id)) <= 1)
})

test('sign-ins and refreshes that race a suspension leave nothing that lives', async () => {
  const user = await somebody()
  const { accessToken, refreshToken } = await signIn(user)
  const results = await atOnce(11, async (number) => {
    if (number === 5) {
      user.state = User_State.SUSPENDED
      await at(asUser, number).revokePersonSessions({ userId: user.id })
      return undefined
    }
    return number % 3 === 0 ? (await at(sessions, number).refreshSession({ refreshToken })).signedIn : await signIn(user, number)
  })
  assert.equal(await living(user.id), 0)
  for (const each of outcomes(results).done) if (each) await dead(each.accessToken)
  await dead(accessToken)
  const refusals = ['EMAIL_OR_PASSWORD_WRONG', 'PERSON_CANNOT_SIGN_IN', 'REFRESH_TOKEN_INVALID']
  assert.deepEqual(
    outcomes(results).reasons.filter((reason) => !refusals.includes(reason ?? '')),
    [],
  )
})

test('a step-up that races the end of its session ends with it', async () => {
  const user = await somebody()
  for (let round = 0; round < 4; round++) {
    const before = await signIn(user)
    const { nextStep } = await at(sessions, round).beginStepUp({}, bearer(before.accessToken))
    const continuation = nextStep?.continuation ?? ''
    const [raised, ended] = await Promise.allSettled([
      at(sessions, round).completeStepUp({ continuation, proof: shown }, bearer(before.accessToken)),
      at(sessions, round + 1).revokeSession({ sessionId: before.session?.id ?? '' }, bearer(before.accessToken)),
    ])
    assert.equal(ended.status, 'fulfilled')
    assert.equal(await living(user.id), 0)
    if (raised.status === 'fulfilled') {
      assert.equal(raised.value.result.case, 'signedIn')
      await dead((raised.value.result.value as SignedInResult).accessToken)
    } else assert.ok(['SESSION_NOT_FOUND', 'ACCESS_TOKEN_INVALID', 'CONTINUATION_INVALID'].includes(reasonOf(raised.reason) ?? ''))
    await dead(before.accessToken)
  }
})

test('a step-up that races refreshes of its session leaves the raised tokens, and no others', async () => {
  const user = await somebody()
  const before = await signIn(user)
  const { nextStep } = await at(sessions, 0).beginStepUp({}, bearer(before.accessToken))
  const continuation = nextStep?.continuation ?? ''
  const [raised, ...refreshes] = await atOnce(11, async (number) => {
    if (number > 0) return (await at(sessions, number).refreshSession({ refreshToken: before.refreshToken })).signedIn
    const { result } = await at(sessions, number).completeStepUp({ continuation, proof: shown }, bearer(before.accessToken))
    return result.value as SignedInResult
  })
  assert.ok(raised?.status === 'fulfilled' && raised.value)
  assert.equal(await living(user.id), 1)
  const late = outcomes(refreshes)
  assert.ok(late.reasons.every((reason) => reason === 'REFRESH_TOKEN_INVALID'))
  for (const each of late.done) if (each) await dead(each.accessToken)
  const next = (await at(sessions, 1).refreshSession({ refreshToken: raised.value.refreshToken })).signedIn
  assert.equal(decodeJwt(next?.accessToken ?? '').gen, 1)
})

test('ten password resets with one link at once set one password and open one session', async () => {
  const user = await somebody()
  const old = await signIn(user)
  const { challengeId } = await (await story.grpc(AccountService)).requestPasswordReset({ email: user.email })
  const challenges = await story.grpc(ChallengeService, { 'gatehouse-tenant': tenant }, 'notification')
  const { token } = await challenges.revealSecret({ challengeId, deliveryId: randomUUID() })
  const accounts = await Promise.all(places.map((place) => story.grpc(AccountService, {}, undefined, place)))
  const passwords = Array.from({ length: 10 }, (_, number) => `kz7vq9mmlp2xrtwe ${number}`)
  const results = await atOnce(10, (number) =>
    at(accounts, number).resetPassword({ proof: { case: 'token', value: token }, password: passwords[number] ?? '' }),
  )
  const { done, reasons } = outcomes(results)
  assert.equal(done.length, 1)
  assert.deepEqual(new Set(reasons), new Set(['CHALLENGE_INVALID']))
  assert.equal(await living(user.id), 1)
  await dead(old.accessToken)
  const set = results.findIndex(({ status }) => status === 'fulfilled')
  const tried = await atOnce(3, (number) =>
    at(sessions, number).signIn({ email: user.email, password: [password, passwords[set] ?? '', at(passwords, set + 1)][number] ?? '' }),
  )
  assert.deepEqual(
    tried.map(({ status }) => status),
    ['rejected', 'fulfilled', 'rejected'],
  )
})

test('a role that is taken away while its holder refreshes is in no token that is asked for afterwards', async () => {
  const user = await somebody()
  const binding = { tenant, subject_id: user.id, role: 'administrator' }
  const permissionsOf = (token: string | undefined) => (decodeJwt(token ?? '').permissions as string[]).length
  for (let round = 0; round < 4; round++) {
    await bindRole(story.db, binding)
    const { refreshToken, accessToken } = await signIn(user, round)
    assert.ok(permissionsOf(accessToken) > 0)
    const [, ...racing] = await atOnce(9, async (number) => {
      if (number > 0) return (await at(sessions, number).refreshSession({ refreshToken })).signedIn
      return void (await story.db.transaction().execute((tx) => unbindPerson(tx, { tenant, userId: user.id })))
    })
    const { done, reasons } = outcomes(racing)
    assert.deepEqual(reasons, [])
    const successor = done[0]?.refreshToken ?? ''
    for (const each of sessions) {
      // A repeat of the used-up token and the successor itself: both are asked for afterwards.
      const { signedIn } = await each.refreshSession({ refreshToken: each === sessions[0] ? refreshToken : successor })
      assert.equal(permissionsOf(signedIn?.accessToken), 0)
    }
  }
})
