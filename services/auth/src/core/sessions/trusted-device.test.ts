import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { create, getOption } from '@bufbuild/protobuf'
import { field as fieldRules } from '@gatehouse/contracts/buf/validate/validate_pb'
import { SecondFactor_RequiredFor as RequiredFor } from '@gatehouse/contracts/gatehouse/auth/v1/policy_pb'
import { UpdatePolicyRequestSchema } from '@gatehouse/contracts/gatehouse/auth/v1/policy_service_pb'
import type { NextStep, SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import type { User } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { Strength } from '@gatehouse/identity'
import { macKeys } from '@gatehouse/rpc'
import { sql } from 'kysely'
import { type OpenedDeps, openDeps } from '../../../test/open-deps.ts'
import { refresh, refusedWith, rightPassword, somebody, wholeOf } from '../../../test/sign-somebody-in.ts'
import { codeOf } from '../../../test/totp-code.ts'
import { changePassword } from '../accounts/change-password.ts'
import { makeRecoveryCodes } from '../factors/recovery-codes.ts'
import { beginTotp, confirmTotp, removeTotp } from '../factors/totp.ts'
import { updatePolicy } from '../policies/update-policy.ts'
import { createTenant } from '../tenants/create-tenant.ts'
import { continueSignIn } from './continue-sign-in.ts'
import { deviceTrustOf, forgetTrustedDevices } from './device-trust.ts'
import type { SignInOutcome } from './pending-sign-in.ts'
import { revokePersonSessions } from './revoke-person-sessions.ts'
import { signIn } from './sign-in.ts'
import { longestTrustSeconds, trustedDevice, trustToken } from './trusted-device.ts'

let opened: OpenedDeps
before(async () => {
  opened = await openDeps()
  await createTenant(opened.deps, { id: 'other', origin: 'https://other.example' })
  for (const tenant of ['default', 'other']) await allow(7, tenant)
})
after(async () => opened[Symbol.asyncDispose]())

const place = { userAgent: 'a test', source: '192.0.2.1' }
const day = 86_400

async function allow(trustedDeviceDays: number, tenant = 'default', requiredFor: RequiredFor = RequiredFor.NOBODY): Promise<void> {
  await updatePolicy(opened.deps, { ...create(UpdatePolicyRequestSchema, { trustedDeviceDays, secondFactor: { requiredFor } }), tenant })
}

const enter = (user: User, trustToken: string, deps = opened.deps, tenant = 'default', password = rightPassword): Promise<SignInOutcome> =>
  signIn(deps, { tenant, email: user.email, password, trustToken, ...place })

/** Whether the password is enough with this token. */
const isTrusted = async (...args: Parameters<typeof enter>): Promise<boolean> => (await enter(...args)).case === 'signedIn'

/** Somebody with an app who trusts a device. */
async function truster(tenant = 'default') {
  const user = await somebody(opened, tenant)
  const { session } = wholeOf(await enter(user, '', opened.deps, tenant))
  const own = { tenant, userId: user.id, sessionId: session?.id ?? '' }
  const { secret } = await beginTotp(opened.deps, own)
  const code = (later: number) => codeOf(secret, later, opened.deps.now())
  const recoveryCodes = await confirmTotp(opened.deps, own, code(0))
  /** Signs in with both factors and trusts the device, where that is offered. */
  const trust = async (kept = '', proof?: { case: 'totpCode' | 'recoveryCode'; value: string }) => {
    const step = (await enter(user, '', opened.deps, tenant)).value as NextStep
    const shown = proof ?? { case: 'totpCode', value: code(1) }
    const input = { tenant, continuation: step.continuation, proof: shown, trustDevice: true, place: { ...place, trustToken: kept } }
    const signedIn = wholeOf(await continueSignIn(opened.deps, input))
    return { step, signedIn, token: signedIn.trustToken, owner: { ...own, sessionId: signedIn.session?.id ?? '' } }
  }
  return { user, code, recoveryCodes, trust }
}

test('on a trusted device the right password is enough, in every replica; the session is one of one factor and says why', async () => {
  const { user, trust } = await truster()
  const { step, signedIn, token } = await trust()
  assert.equal(step.trustDays, 7)
  assert.deepEqual([signedIn.session?.methods, signedIn.session?.strength], [['pwd', 'otp'], Strength.TWO_FACTORS])
  for (const deps of [opened.deps, opened.replica()]) {
    const { session, trustToken, refreshToken } = wholeOf(await enter(user, token, deps))
    assert.deepEqual([session?.methods, session?.strength, trustToken], [['pwd', 'dev'], Strength.ONE_FACTOR, ''])
    assert.ok(await refresh(deps, refreshToken))
  }
  assert.equal(await isTrusted(user, ''), false)
  await assert.rejects(enter(user, token, opened.deps, 'default', 'wrong horse battery'), refusedWith('EMAIL_OR_PASSWORD_WRONG'))
  const { rows } = await sql<{ kind: string; methods: string | null; device: string }>`select kind, details->>'methods' as methods,
    details->>'device' as device from audit_entries where subject_id = ${user.id} and details ? 'device' order by time, id`.execute(
    opened.deps.db,
  )
  const [first] = rows
  assert.match(first?.device ?? '', /^[0-9a-f]{36}$/)
  assert.deepEqual(
    rows.map(({ kind, methods, device }) => [kind, methods, device === first?.device]),
    [['device_trust', null, true], ...Array.from({ length: 2 }, () => ['sign_in', 'pwd dev', true])],
  )
})

test('a device is trusted for as many days as the policy says at the sign-in: the clock ends it, and a lower number does, at once', async () => {
  const { user, trust } = await truster()
  const { token } = await trust()
  opened.pass(7 * day - 60)
  assert.ok(await isTrusted(user, token))
  opened.pass(61)
  assert.equal(await isTrusted(user, token), false)
  await allow(30)
  assert.ok(await isTrusted(user, token), 'a longer number counts from the same sign-in')
  const { refreshToken } = wholeOf(await enter(user, token))
  await allow(6)
  assert.equal(await isTrusted(user, token, opened.replica()), false)
  const { refreshToken: goesOn } = await refresh(opened.deps, refreshToken)
  await allow(0)
  assert.equal(await isTrusted(user, token), false)
  // What was opened so is refreshed no more.
  await assert.rejects(refresh(opened.deps, goesOn), refusedWith('REFRESH_TOKEN_INVALID'))
  const { step, token: none } = await (await truster()).trust()
  assert.deepEqual([step.trustDays, none], [0, ''])
  await allow(7)
  // Tokens count in seconds: what was trusted in the second of the change is over with it.
  opened.pass(1)
})

test('a device is its person’s, in its tenant, and no changed token is one', async () => {
  const [ada, bob, away] = [await truster(), await truster(), await truster('other')]
  const { token } = await ada.trust()
  const { token: both } = await bob.trust(token)
  for (const { user } of [ada, bob]) assert.ok(await isTrusted(user, both))
  assert.equal(await isTrusted(bob.user, token), false)
  assert.equal(await isTrusted(away.user, token, opened.deps, 'other'), false)
  assert.ok(await isTrusted(away.user, (await away.trust()).token, opened.deps, 'other'))
  // One that is alike in all but one thing.
  const alike = { tenant: 'default', userId: ada.user.id, credentialVersion: 1, factorVersion: 2, epoch: 1 }
  const { token: made } = trustToken(opened.deps, alike, '')
  assert.ok(trustedDevice(opened.deps, alike, made, { trustedDeviceDays: 7 }))
  for (const change of [{ tenant: 'other' }, { userId: bob.user.id }, { credentialVersion: 2 }, { factorVersion: 3 }, { epoch: 0 }])
    assert.equal(trustedDevice(opened.deps, { ...alike, ...change }, made, { trustedDeviceDays: 7 }), undefined)
  assert.equal(
    trustedDevice({ ...opened.deps, challengeKeys: macKeys(Buffer.alloc(32, 1).toString('base64')) }, alike, made, {
      trustedDeviceDays: 7,
    }),
    undefined,
  )
  // Whether it is theirs is asked without a sign-in: a hash for each letter would take a minute.
  const known = async (presented: string) =>
    (await deviceTrustOf(opened.deps, { tenant: 'default', userId: ada.user.id }, presented)).trustedUntil !== undefined
  assert.ok(await known(token))
  for (let at = 4; at < token.length; at++)
    assert.equal(await known(token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)), false, String(at))
  for (const nonsense of ['', '.', 'ght_', `${token}x`, token.slice(0, -1), token.replace('ght_', 'ghd_'), '\u0000'.repeat(80)])
    assert.equal(await known(nonsense), false)
  assert.ok(both.length <= 400 && `${both}.${both}`.length <= 400, 'four of them fit')
})

const ends: Readonly<Record<string, (owner: { tenant: string; userId: string; sessionId: string }) => Promise<unknown>>> = {
  'a new password': (owner) =>
    changePassword(opened.deps, { ...owner, currentPassword: rightPassword, newPassword: 'quite another sentence' }),
  'the end of all sessions': ({ tenant, userId }) => revokePersonSessions(opened.deps, { tenant, userId, cause: 'revoked' }),
  'the end of all other sessions': ({ sessionId: exceptSessionId, ...owner }) =>
    revokePersonSessions(opened.deps, { ...owner, exceptSessionId, cause: 'revoked' }),
  'that the person forgets their devices': (owner) => forgetTrustedDevices(opened.deps, owner),
  'new recovery codes': (owner) => makeRecoveryCodes(opened.deps, owner),
  'a factor that goes and comes': async (owner) => {
    await removeTotp(opened.deps, owner)
    const { secret } = await beginTotp(opened.deps, owner)
    await confirmTotp(opened.deps, owner, codeOf(secret, 0, opened.deps.now()))
  },
}
for (const [what, act] of Object.entries(ends)) {
  test(`trust ends with ${what}`, async () => {
    const { user, trust } = await truster()
    const { token, owner } = await trust()
    assert.ok(await isTrusted(user, token))
    await act(owner)
    const password = what === 'a new password' ? 'quite another sentence' : rightPassword
    assert.equal(await isTrusted(user, token, opened.deps, 'default', password), false)
  })
}

test('a recovery code that is used ends the trust of other devices, and may leave its own trusted', async () => {
  const { user, trust, recoveryCodes } = await truster()
  const { token } = await trust()
  const { token: newer } = await trust('', { case: 'recoveryCode', value: recoveryCodes[0] ?? '' })
  assert.deepEqual([await isTrusted(user, token), await isTrusted(user, newer)], [false, true])
})

test('where everybody needs a second factor a trusted device is enough for those who have one, and its session is refreshed', async () => {
  const { user, trust } = await truster()
  const { token } = await trust()
  await allow(7, 'default', RequiredFor.EVERYBODY)
  const { refreshToken } = wholeOf(await enter(user, token)) as SignedInResult
  assert.ok(await refresh(opened.deps, refreshToken))
  assert.equal(await isTrusted(user, ''), false)
  await allow(7)
})

test('who is told while the password is checked that their devices are forgotten, is not let in on one', async () => {
  const { user, trust } = await truster()
  const { token } = await trust()
  let asked = 0
  opened.people.before('batchGetUsers', async () => {
    if (++asked === 1) await forgetTrustedDevices(opened.deps, { tenant: 'default', userId: user.id })
  })
  await assert.rejects(enter(user, token), refusedWith('EMAIL_OR_PASSWORD_WRONG'))
  opened.people.before('batchGetUsers', () => {})
})

test('whose factors change while the password is checked is not let in on a trusted device', async () => {
  const { user, trust } = await truster()
  const { token, owner } = await trust()
  let asked = 0
  opened.people.before('batchGetUsers', async () => {
    if (++asked === 1) await makeRecoveryCodes(opened.deps, owner)
  })
  await assert.rejects(enter(user, token), refusedWith('EMAIL_OR_PASSWORD_WRONG'))
  opened.people.before('batchGetUsers', () => {})
})

test('a tenant that gave up trusted devices ended what trust there was, also where it takes them up again', async () => {
  const { user, trust } = await truster()
  const { token } = await trust()
  const { refreshToken } = wholeOf(await enter(user, token)) as SignedInResult
  await allow(0)
  await allow(7)
  assert.equal(await isTrusted(user, token), false)
  await assert.rejects(refresh(opened.deps, refreshToken), refusedWith('REFRESH_TOKEN_INVALID'))
  opened.pass(60)
  const { token: newer } = await trust()
  const { refreshToken: next } = wholeOf(await enter(user, newer)) as SignedInResult
  assert.ok(await refresh(opened.deps, next))
})

test('where everybody needs a second factor, a session of a trusted device ends with the last factor that the tenant takes', async () => {
  const { user, trust } = await truster()
  const { token } = await trust()
  await allow(7, 'default', RequiredFor.EVERYBODY)
  const { refreshToken } = wholeOf(await enter(user, token)) as SignedInResult
  const next = await refresh(opened.deps, refreshToken)
  const factors = { password: true, passkey: true, totp: false, recoveryCode: true, email: false }
  const take = (totp: boolean) =>
    updatePolicy(opened.deps, { ...create(UpdatePolicyRequestSchema, { factors: { ...factors, totp } }), tenant: 'default' })
  await take(false)
  await assert.rejects(refresh(opened.deps, next.refreshToken), refusedWith('REFRESH_TOKEN_INVALID'))
  await take(true)
  assert.ok(await refresh(opened.deps, next.refreshToken))
  await allow(7)
})

test('a browser keeps a token for as many days as a policy may say at most', () => {
  const rules = getOption(UpdatePolicyRequestSchema.field.trustedDeviceDays, fieldRules).type
  const most = rules.case === 'int32' && rules.value.lessThan.case === 'lte' ? rules.value.lessThan.value : 0
  assert.equal(longestTrustSeconds, most * day)
})
