import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { Code, ConnectError } from '@connectrpc/connect'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { createAccessTokenVerifier, followIssuers } from '@gatehouse/identity'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { bindRole } from '../../../test/bind-role.ts'
import { type OpenedDeps, openDeps, origin } from '../../../test/open-deps.ts'
import { refusedWith, rightPassword, signSomebodyIn, somebody, whole } from '../../../test/sign-somebody-in.ts'
import { findSession } from '../../store/sessions.ts'
import { RefusalPace } from '../passwords/refusal-pace.ts'
import { declaredPermissions } from '../roles/declared-permissions.ts'
import { listIssuers } from '../tenants/list-issuers.ts'
import { revokePersonSessions } from './revoke-person-sessions.ts'
import { signIn as signInStep } from './sign-in.ts'

const signIn = whole(signInStep)

let opened: OpenedDeps
before(async () => {
  opened = await openDeps()
})
after(async () => opened[Symbol.asyncDispose]())

const from = { tenant: 'default', userAgent: 'Firefox\u0007', source: '203.0.113.77' }

test('the right password opens a session and tells so', async () => {
  const user = await somebody(opened)
  const commits = opened.commits()
  const result = await signIn(opened.deps, { ...from, email: user.email, password: rightPassword })
  assert.equal(result.user?.id, user.id)
  assert.equal(result.session?.userId, user.id)
  assert.equal(result.session?.current, true)
  assert.equal(result.session?.userAgent, 'Firefox')
  assert.equal(result.session?.network, '203.0.113.0/24')
  assert.match(result.refreshToken, /^ghr_[\w-]{43}$/)
  const events = await opened.eventsOf(result.session?.id ?? '')
  assert.deepEqual(
    events.map((event) => event.$typeName),
    ['gatehouse.auth.v1.SignedIn'],
  )
  assert.equal(opened.commits(), commits + 1)
})

test('the access token is what RFC 9068 and our verifiers ask for', async () => {
  const user = await somebody(opened)
  // One instant for all: else a second that ends on the way parts the times that the token tells.
  const time = opened.deps.now()
  const deps = { ...opened.deps, now: () => time }
  const { accessToken, session, accessTokenExpireTime } = await signSomebodyIn(deps, user)
  assert.deepEqual(Object.keys(decodeProtectedHeader(accessToken)).sort(), ['alg', 'kid', 'typ'])
  assert.equal(decodeProtectedHeader(accessToken).typ, 'at+jwt')
  const { iat = 0, exp = 0, jti, auth_time: authTime, permissions_time: readTime, ...claims } = decodeJwt(accessToken)
  assert.deepEqual(claims, {
    iss: `${origin}/oidc`,
    aud: 'gatehouse',
    sub: user.id,
    client_id: 'gatehouse',
    sid: session?.id,
    tid: 'default',
    amr: ['pwd'],
    acr: 'aal1',
    permissions: [],
  })
  assert.equal(exp - iat, 600)
  assert.equal(BigInt(exp), accessTokenExpireTime?.seconds)
  assert.deepEqual([readTime, authTime, iat], [time, Math.floor(time / 1000), Math.floor(time / 1000)])
  assert.match(String(jti), /^[0-9a-f-]{36}$/)

  await using issuers = followIssuers(() => listIssuers(opened.deps))
  await issuers.lookAgain()
  const person = await createAccessTokenVerifier({ audience: 'gatehouse', issuers }).verify(accessToken)
  assert.equal(person.kind, 'person')
  assert.equal(person.id, user.id)
})

test('an administrator may do whatever the contracts know', async () => {
  const user = await somebody(opened)
  await bindRole(opened.deps.db, { tenant: 'default', subject_id: user.id, role: 'administrator' })
  const { permissions } = decodeJwt((await signSomebodyIn(opened.deps, user)).accessToken)
  assert.deepEqual(permissions, declaredPermissions)
  assert.ok(declaredPermissions.includes('user.users.create'))
})

test('whatever is wrong, the refusal is the same', async () => {
  const { deps, people } = opened
  const known = await somebody(opened)
  const without = people.add('default', { email: 'without@example.com', state: User_State.INVITED })
  const attempts = [
    { email: known.email, password: 'another password entirely' },
    { email: 'nobody@example.com', password: rightPassword },
    { email: without.email, password: rightPassword },
  ]
  for (const state of [User_State.SUSPENDED, User_State.INVITED, User_State.DELETED]) {
    const user = await somebody(opened)
    user.state = state
    attempts.push({ email: user.email, password: rightPassword })
  }
  const errors = await Promise.all(attempts.map((attempt) => signIn(deps, { ...from, ...attempt }).catch((error) => error)))
  for (const { reason, metadata } of errors) assert.deepEqual({ reason, metadata }, { reason: 'EMAIL_OR_PASSWORD_WRONG', metadata: {} })
})

test('everybody who is refused cost one hash', async () => {
  const { deps } = opened
  let verified = 0
  const counting = {
    ...deps,
    hashing: {
      ...deps.hashing,
      verify: (encoded: string, password: string) => {
        verified++
        return deps.hashing.verify(encoded, password)
      },
      refuse: (encoded: string, password: string) => {
        verified++
        return deps.hashing.refuse(encoded, password)
      },
    },
  }
  const suspended = await somebody(opened)
  suspended.state = User_State.SUSPENDED
  const wrong = refusedWith('EMAIL_OR_PASSWORD_WRONG')
  await assert.rejects(signIn(counting, { ...from, email: 'nobody@example.com', password: rightPassword }), wrong)
  await assert.rejects(signIn(counting, { ...from, email: suspended.email, password: rightPassword }), wrong)
  await assert.rejects(signIn(counting, { ...from, email: suspended.email, password: 'wrong' }), wrong)
  assert.equal(verified, 3)
})

test('whoever is unknown is refused when whoever is known would be', async () => {
  const { deps } = opened
  const quick = { nobodys: '', refuse: async () => false as const, verify: async () => false, asking: new RefusalPace(1000) }
  const paced = { ...deps, hashing: { ...deps.hashing, ...quick } }
  const known = await somebody(opened)
  const wrong = refusedWith('EMAIL_OR_PASSWORD_WRONG')
  opened.people.before('resolveUser', () => setTimeout(300))
  await assert.rejects(signIn(paced, { ...from, email: known.email, password: 'wrong' }), wrong)
  opened.people.before('resolveUser', () => {})
  const began = performance.now()
  await assert.rejects(signIn(paced, { ...from, email: 'unknown@example.com', password: 'wrong' }), wrong)
  assert.ok(performance.now() - began > 295)
})

test('nobody is signed in while the user service is away', async () => {
  const user = await somebody(opened)
  opened.people.before('resolveUser', () => {
    throw new ConnectError('away', Code.Unavailable)
  })
  const attempt = signSomebodyIn(opened.deps, user)
  await assert.rejects(attempt, { reason: 'DEPENDENCY_UNAVAILABLE', metadata: { dependency: 'user' } })
  opened.people.before('resolveUser', () => {})
  assert.ok(await signSomebodyIn(opened.deps, user))
})

test('whoever is suspended while the password is hashed gets nothing', async () => {
  const user = await somebody(opened)
  opened.people.before('batchGetUsers', () => {
    user.state = User_State.SUSPENDED
  })
  await assert.rejects(signSomebodyIn(opened.deps, user), refusedWith('EMAIL_OR_PASSWORD_WRONG'))
  opened.people.before('batchGetUsers', () => {})
})

test('an end of all sessions leaves no session behind, whatever was under way', async () => {
  const user = await somebody(opened)
  const tenant = 'default'
  let asked = 0
  // The person is ended right when the last question about them is answered.
  opened.people.before('batchGetUsers', async () => {
    if (++asked === 1) await revokePersonSessions(opened.deps, { tenant, userId: user.id, cause: 'user_suspended' })
  })
  await assert.rejects(signSomebodyIn(opened.deps, user), refusedWith('EMAIL_OR_PASSWORD_WRONG'))
  opened.people.before('batchGetUsers', () => {})

  const replicas = [opened.deps, opened.replica()]
  const results = await Promise.allSettled([
    ...Array.from({ length: 10 }, (_, i) => signSomebodyIn(replicas[i % 2] ?? opened.deps, user)),
    revokePersonSessions(opened.replica(), { tenant, userId: user.id, cause: 'user_suspended' }),
  ])
  await revokePersonSessions(opened.deps, { tenant, userId: user.id, cause: 'user_suspended' })
  for (const result of results) {
    if (result.status === 'rejected') assert.equal(result.reason.reason, 'EMAIL_OR_PASSWORD_WRONG')
    else if (typeof result.value === 'object') {
      const session = await findSession(opened.deps.db, { tenant, id: result.value.session?.id ?? '' })
      assert.ok(session?.end_time)
    }
  }
})

test('one address in two tenants is two people', async () => {
  const { deps } = opened
  const user = await somebody(opened)
  await assert.rejects(signSomebodyIn(deps, user, 'acme'), refusedWith('EMAIL_OR_PASSWORD_WRONG'))
})
