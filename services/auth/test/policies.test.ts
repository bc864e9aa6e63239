import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Code, ConnectError } from '@connectrpc/connect'
import { PolicyChangedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { FactorService } from '@gatehouse/contracts/gatehouse/auth/v1/factor_service_pb'
import { PasskeyService } from '@gatehouse/contracts/gatehouse/auth/v1/passkey_service_pb'
import { SecondFactor_RequiredFor as RequiredFor } from '@gatehouse/contracts/gatehouse/auth/v1/policy_pb'
import { PolicyService } from '@gatehouse/contracts/gatehouse/auth/v1/policy_service_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { refused } from '@gatehouse/testkit'
import { sql } from 'kysely'
import { openBrowser } from './browser.ts'
import { openPolicyStory, type PolicyStory, tenantOf } from './policy-story.ts'

let story: PolicyStory
before(async () => {
  story = await openPolicyStory()
})
after(async () => story[Symbol.asyncDispose]())

const seconds = (count: number) => ({ seconds: BigInt(count) })
const nobody = { requiredFor: RequiredFor.NOBODY, permission: '' }

test('a tenant has the defaults until it sets a policy; what is given changes, the rest stays, and the same again changes nothing', async () => {
  const { admin, tenant } = await story.tenant()
  const { policy } = await admin.getPolicy({})
  assert.deepEqual([policy?.etag, policy?.passwordMinLength, policy?.trustedDeviceDays], ['v0', 15, 0])
  assert.equal(policy?.factors?.email, true)
  assert.deepEqual([policy?.sessions?.idle?.seconds, policy?.sessions?.absolute?.seconds], [14n * 86_400n, 30n * 86_400n])
  const changed = (await admin.updatePolicy({ etag: 'v0', passwordMinLength: 20 })).policy
  assert.deepEqual([changed?.etag, changed?.passwordMinLength, changed?.factors], ['v1', 20, policy?.factors])
  assert.ok(changed?.updateTime)
  assert.equal((await admin.updatePolicy({ passwordMinLength: 20 })).policy?.etag, 'v1')
  await admin.updatePolicy({ trustedDeviceDays: 7, secondFactor: { requiredFor: RequiredFor.EVERYBODY } })
  const { rows } = await sql<{ payload: Uint8Array; version: bigint }>`
    select payload, version from outbox where tenant = ${tenant} and type = ${PolicyChangedSchema.typeName} order by version`.execute(
    story.db,
  )
  assert.deepEqual(
    rows.map(({ version }) => Number(version)),
    [1, 2],
  )
  assert.ok(Buffer.from(rows[1]?.payload ?? '').includes('second_factor'))
  const { rows: entries } = await sql<{ actor_kind: string; details: Record<string, string> }>`
    select actor_kind, details from audit_entries where tenant = ${tenant} and kind = 'policy_change' order by details->>'version', details->>'field'`.execute(
    story.db,
  )
  assert.deepEqual(
    entries.map(({ details }) => details),
    [
      { version: '1', field: 'password_min_length', was: '', is: '20' },
      { version: '2', field: 'second_factor', was: '', is: '{"required_for":"REQUIRED_FOR_EVERYBODY"}' },
      { version: '2', field: 'trusted_device_days', was: '', is: '7' },
    ],
  )
  assert.equal((await (await story.tenant()).admin.getPolicy({})).policy?.etag, 'v0')
})

test('what leaves the bounds of the contract is refused, and its field is named', async () => {
  const { admin } = await story.tenant()
  const factors = { password: true, passkey: true, totp: true, recoveryCode: true, email: true }
  const signIn = { rpc: 'gatehouse.auth.v1.SessionService/SignIn', index: 0, count: 300, window: seconds(300) }
  const overrides = (...limits: object[]) => ({ limits: { overrides: limits } })
  const bad: [Parameters<typeof admin.updatePolicy>[0], string, string][] = [
    [{ passwordMinLength: 7 }, 'INVALID_REQUEST', 'passwordMinLength'],
    [{ passwordMinLength: 65 }, 'INVALID_REQUEST', 'passwordMinLength'],
    [{ passwordMinLength: 14 }, 'POLICY_OUT_OF_BOUNDS', ''],
    [{ trustedDeviceDays: 31 }, 'INVALID_REQUEST', 'trustedDeviceDays'],
    [{ sessions: { idle: seconds(299), absolute: seconds(600) } }, 'INVALID_REQUEST', 'sessions.idle'],
    [{ sessions: { idle: seconds(600), absolute: seconds(30 * 86_400 + 1) } }, 'INVALID_REQUEST', 'sessions.absolute'],
    [{ sessions: { idle: seconds(601), absolute: seconds(600) } }, 'INVALID_REQUEST', 'sessions'],
    [{ factors: { totp: true } }, 'INVALID_REQUEST', 'factors'],
    [{ secondFactor: {} }, 'INVALID_REQUEST', 'secondFactor.requiredFor'],
    [{ secondFactor: { requiredFor: RequiredFor.PERMISSION } }, 'INVALID_REQUEST', 'secondFactor'],
    [
      { secondFactor: { requiredFor: RequiredFor.PERMISSION, permission: 'user.users.fly' } },
      'POLICY_OUT_OF_BOUNDS',
      'secondFactor.permission',
    ],
    [
      { secondFactor: { requiredFor: RequiredFor.EVERYBODY }, factors: { ...factors, totp: false, passkey: false } },
      'POLICY_OUT_OF_BOUNDS',
      '',
    ],
    [overrides({ ...signIn, count: 301 }), 'POLICY_OUT_OF_BOUNDS', 'limits.overrides[0].count'],
    [overrides({ ...signIn, count: 0 }), 'INVALID_REQUEST', 'limits.overrides[0].count'],
    [overrides({ ...signIn, window: seconds(299) }), 'POLICY_OUT_OF_BOUNDS', 'limits.overrides[0].window'],
    [overrides({ ...signIn, window: { seconds: 300n, nanos: 1 } }), 'POLICY_OUT_OF_BOUNDS', 'limits.overrides[0].window'],
    [overrides({ ...signIn, index: 7 }), 'POLICY_OUT_OF_BOUNDS', 'limits.overrides[0].rpc'],
    [overrides({ ...signIn, rpc: 'gatehouse.auth.v1.SessionService/Nothing' }), 'POLICY_OUT_OF_BOUNDS', 'limits.overrides[0].rpc'],
    [overrides(signIn, signIn), 'POLICY_OUT_OF_BOUNDS', 'limits.overrides[1].index'],
  ]
  for (const [change, reason, field] of bad) assert.deepEqual(await story.refusal(admin.updatePolicy(change)), [reason, field], reason)
  assert.equal((await admin.getPolicy({})).policy?.etag, 'v0')
  // Eight characters, and limits at their bound, are within them.
  await admin.updatePolicy({ passwordMinLength: 8, secondFactor: { requiredFor: RequiredFor.EVERYBODY }, ...overrides(signIn) })
  assert.deepEqual(await story.refusal(admin.updatePolicy({ secondFactor: nobody })), ['POLICY_OUT_OF_BOUNDS', ''])
})

test('the web door serves it to pages and programs of the tenant, and refuses what is no policy', async () => {
  const { tenant, adminToken } = await story.tenant()
  const browser = openBrowser(story.app.ports.web, `http://${tenant}.test`)
  const bearer = { authorization: `Bearer ${adminToken}` }
  const update = (body: object) => browser.call('PolicyService/UpdatePolicy', body, bearer)
  const set = await update({
    secondFactor: { requiredFor: 'REQUIRED_FOR_PERMISSION', permission: 'user.users.read' },
    passwordMinLength: 16,
  })
  assert.equal(set.status, 200)
  const { body } = await browser.call('PolicyService/GetPolicy', {}, bearer)
  assert.deepEqual(body, set.body)
  for (const [change, reason] of [
    [{ passwordMinLength: '7' }, 'INVALID_REQUEST'],
    [{ passwordLength: 20 }, 'MALFORMED_REQUEST'],
    [{ secondFactor: { requiredFor: 'REQUIRED_FOR_EVERYBODY', permission: 'user.users.read' } }, 'INVALID_REQUEST'],
    [{ passwordMinLength: 14 }, 'POLICY_OUT_OF_BOUNDS'],
  ] as const)
    assert.equal((await update(change)).reason, reason)
  assert.equal((await browser.call('PolicyService/GetPolicy')).reason, 'CREDENTIALS_MISSING')
  const elsewhere = openBrowser(story.app.ports.web)
  assert.equal((await elsewhere.call('PolicyService/GetPolicy', {}, bearer)).reason, 'WRONG_TENANT')
  assert.equal((await browser.call('PolicyService/WatchLimits', {}, bearer)).status, 404)
})

test('of fifty changes of one version at once over two replicas one is made', async () => {
  const { admin, adminAt } = await story.tenant()
  const other = await adminAt(await story.replica())
  const changes = await Promise.allSettled(
    Array.from({ length: 50 }, (_, at) => (at % 2 ? admin : other).updatePolicy({ etag: 'v0', passwordMinLength: 15 + (at % 49) + 1 })),
  )
  const reasons = changes.flatMap((each) => (each.status === 'rejected' ? [ConnectError.from(each.reason).code] : []))
  assert.deepEqual([reasons.length, new Set(reasons)], [49, new Set([Code.Aborted])])
  assert.equal((await other.getPolicy({})).policy?.etag, 'v1')
})

test('who may: a person and a workload may not, an administrator may read and change, in the own tenant only', async () => {
  const { tenant, member, admin } = await story.tenant()
  const { accessToken } = await story.signIn(tenant, member.email)
  const bearer = { authorization: `Bearer ${accessToken}` }
  const asPerson = await story.grpc(PolicyService, bearer)
  await refused(asPerson.getPolicy({}), Code.PermissionDenied, 'PERMISSION_DENIED')
  await refused(asPerson.updatePolicy({}), Code.PermissionDenied, 'PERMISSION_DENIED')
  const asNobody = await story.grpc(PolicyService)
  await refused(asNobody.getPolicy({}), Code.Unauthenticated, 'CREDENTIALS_MISSING')
  const asWorkload = await story.grpc(PolicyService, tenantOf(tenant), 'user')
  await refused(asWorkload.getPolicy({}), Code.PermissionDenied, 'PERMISSION_DENIED')
  await refused(asWorkload.updatePolicy({}), Code.PermissionDenied, 'PERMISSION_DENIED')
  assert.deepEqual(await story.firstOf(asWorkload.watchLimits({})), true)
  for (const client of [asPerson, asNobody, admin]) await assert.rejects(story.firstOf(client.watchLimits({})))
  await refused(
    (await story.grpc(PolicyService, { ...bearer, ...tenantOf('default') }, 'user')).getPolicy({}),
    Code.PermissionDenied,
    'WRONG_TENANT',
  )
})

test('passwords are off: nobody signs in with one, changes or resets one, in this tenant alone, and at once in every replica', async () => {
  const [{ tenant, admin, member }, elsewhere] = [await story.tenant(), await story.tenant()]
  const replica = await story.replica()
  const before = await story.signIn(tenant, member.email)
  await admin.updatePolicy({ factors: { passkey: true, email: true } })
  const refusal = ['FACTOR_NOT_ALLOWED', '']
  assert.deepEqual(await story.refusal(story.signIn(tenant, member.email, replica)), refusal)
  assert.deepEqual(await story.refusal(story.signIn(tenant, 'nobody@example.com', replica)), refusal)
  const accounts = await story.accounts(before.accessToken, replica)
  const change = { currentPassword: story.password, newPassword: 'another good long password' }
  assert.deepEqual(await story.refusal(accounts.changePassword(change)), refusal)
  assert.deepEqual(await story.refusal(story.requestReset(tenant, member.email, replica)), refusal)
  assert.ok(await story.signIn(elsewhere.tenant, elsewhere.member.email, replica))
})

test('passkeys are off: none is registered and none signs in, not even by an attempt from before', async () => {
  const { tenant, admin, member } = await story.tenant()
  const { accessToken } = await story.signIn(tenant, member.email)
  const strangers = await story.grpc(PasskeyService, tenantOf(tenant), 'billing')
  const own = await story.grpc(PasskeyService, { authorization: `Bearer ${accessToken}` })
  const { attemptId } = await strangers.beginPasskeySignIn({})
  const registration = await own.beginPasskeyRegistration({})
  await admin.updatePolicy({ factors: { password: true, totp: true } })
  for (const call of [
    () => strangers.beginPasskeySignIn({}),
    () => strangers.completePasskeySignIn({ attemptId, passkeyJson: '{}' }),
    () => own.beginPasskeyRegistration({}),
  ])
    assert.equal((await story.refusal(call()))[0], 'FACTOR_NOT_ALLOWED')
  // What is no passkey is refused for that, whatever is allowed.
  const made = own.completePasskeyRegistration({ attemptId: registration.attemptId, passkeyJson: '{}', name: '' })
  assert.equal((await story.refusal(made))[0], 'PASSKEY_INVALID')
})

test('apps and recovery codes are off: none is set up, asked for or taken, and they are back as they were', async () => {
  const { tenant, admin, member } = await story.tenant()
  const { secret } = await story.withTotp(tenant, member)
  const { accessToken } = await story.signInWithTotp(tenant, member, secret, 1)
  await admin.updatePolicy({ factors: { password: true, passkey: true } })
  const factors = await story.grpc(FactorService, { authorization: `Bearer ${accessToken}` })
  assert.equal((await story.refusal(factors.beginTotp({})))[0], 'FACTOR_NOT_ALLOWED')
  assert.equal((await story.refusal(factors.makeRecoveryCodes({})))[0], 'FACTOR_NOT_ALLOWED')
  assert.deepEqual((await story.signIn(tenant, member.email)).session?.methods, ['pwd'])
  await admin.updatePolicy({ factors: { password: true, totp: true, recoveryCode: true } })
  assert.equal((await story.startSignIn(tenant, member.email)).case, 'nextStep')
})

test('the least length of a password holds where one is set, and not where one is shown', async () => {
  const { tenant, admin, member } = await story.tenant()
  await admin.updatePolicy({ passwordMinLength: 30 })
  const { accessToken } = await story.signIn(tenant, member.email)
  const accounts = await story.accounts(accessToken)
  const change = (newPassword: string) => accounts.changePassword({ currentPassword: story.password, newPassword })
  assert.deepEqual(await story.refusal(change('nwq 29 characters of my choic')), ['PASSWORD_TOO_WEAK', 'newPassword'])
  assert.equal((await story.refusal(story.signUp(tenant, 'nwq 29 characters of my choic')))[0], 'PASSWORD_TOO_WEAK')
  await change('nwq thirty-one characters chosen')
  await admin.updatePolicy({ passwordMinLength: 8, secondFactor: { requiredFor: RequiredFor.EVERYBODY } })
  await story.signUp(tenant, 'kz7vq9mm')
  assert.equal((await story.refusal(story.signUp(tenant, 'kz7vq9m')))[0], 'PASSWORD_TOO_WEAK')
})

test('a session that was idle, or lived, for longer than the policy says by now ends at its next refresh, in every replica and after a restart', async () => {
  const { tenant, admin, member } = await story.tenant()
  const replica = await story.replica()
  const [first, second, third] = await Promise.all([1, 2, 3].map(() => story.signIn(tenant, member.email)))
  assert.ok(first && second && third)
  await story.age(first.session?.id, { lastUse: 400 })
  await story.age(second.session?.id, { created: 700 })
  await admin.updatePolicy({ sessions: { idle: seconds(300), absolute: seconds(600) } })
  for (const app of [story.app, replica, await story.startReplica()])
    for (const { refreshToken } of [first, second])
      await refused(story.refresh(tenant, refreshToken, app), Code.Unauthenticated, 'REFRESH_TOKEN_INVALID')
  const { session, refreshToken } = await story.refresh(tenant, third.refreshToken, replica)
  assert.equal(session?.expireTime?.seconds, (session?.createTime?.seconds ?? 0n) + 600n)
  const listed = await (await story.grpc(SessionService, { authorization: `Bearer ${third.accessToken}` })).listSessions({})
  assert.deepEqual(
    listed.sessions.map(({ id }) => id),
    [third.session?.id],
  )
  await admin.updatePolicy({ sessions: { idle: seconds(600), absolute: seconds(3600) } })
  const longer = (await story.refresh(tenant, refreshToken)).session
  assert.equal(longer?.expireTime?.seconds, (longer?.createTime?.seconds ?? 0n) + 3600n)
})
