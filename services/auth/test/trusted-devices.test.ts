import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Code, ConnectError } from '@connectrpc/connect'
import { FactorService } from '@gatehouse/contracts/gatehouse/auth/v1/factor_service_pb'
import type { NextStep, SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { ErrorInfoSchema } from '@gatehouse/contracts/google/rpc/error_details_pb'
import { refused } from '@gatehouse/testkit'
import { decodeJwt } from 'jose'
import { openBrowser } from './browser.ts'
import { openPolicyStory, type PolicyStory, tenantOf } from './policy-story.ts'
import { codeOf } from './totp-code.ts'

let story: PolicyStory
before(async () => {
  story = await openPolicyStory()
})
after(async () => story[Symbol.asyncDispose]())

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** A tenant that lets devices be trusted for a week, and a member of it with an app. */
async function scene() {
  const { tenant, admin, member } = await story.tenant()
  await admin.updatePolicy({ trustedDeviceDays: 7 })
  return { tenant, admin, member, ...(await story.withTotp(tenant, member)) }
}

test('a program keeps the token in a field: the password is enough with it at every replica, a step-up asks all the same', async () => {
  const { tenant, member, secret } = await scene()
  const [here, there] = [story.app, await story.replica()]
  const sessions = await story.grpc(SessionService, tenantOf(tenant), 'billing', here)
  const { value: step } = await story.startSignIn(tenant, member.email)
  const { continuation, trustDays } = step as NextStep
  assert.equal(trustDays, 7)
  const proof = { proof: { case: 'totpCode', value: codeOf(secret, 1) } } as const
  const { result } = await sessions.continueSignIn({ continuation, proof, trustDevice: true })
  const { trustToken, deviceToken } = result.value as SignedInResult
  assert.match(trustToken, /^ght_[\w-]{72}$/)

  const elsewhere = await story.grpc(SessionService, tenantOf(tenant), 'billing', there)
  const again = (await elsewhere.signIn({ email: member.email, password: story.password, trustToken, deviceToken })).result
  assert.equal(again.case, 'signedIn')
  const { accessToken } = again.value as SignedInResult
  const { amr, acr } = decodeJwt(accessToken)
  assert.deepEqual([amr, acr], [['pwd', 'dev'], 'aal1'])

  // However fresh the sign-in is.
  const factors = await story.grpc(FactorService, bearer(accessToken))
  const refusal = await factors.makeRecoveryCodes({}).catch((error) => ConnectError.from(error).findDetails(ErrorInfoSchema)[0])
  assert.ok(refusal && 'reason' in refusal)
  assert.deepEqual([refusal.reason, refusal.metadata.strength], ['STEP_UP_REQUIRED', 'two_factors'])
  const own = await story.grpc(SessionService, bearer(accessToken))
  const { nextStep } = await own.beginStepUp({})
  assert.equal(nextStep?.trustDays, 0)
  const shown = { proof: { case: 'password', value: story.password } } as const
  const { result: half } = await own.completeStepUp({ continuation: nextStep?.continuation ?? '', proof: shown })
  assert.equal(half.case, 'nextStep', 'the password alone raises nothing')

  const { trustedUntil, trustDays: days } = await own.getDeviceTrust({ trustToken })
  assert.ok(trustedUntil && days === 7)
  assert.equal((await own.getDeviceTrust({})).trustedUntil, undefined)
  await (await story.grpc(SessionService, bearer(accessToken), undefined, there)).forgetTrustedDevices({})
  assert.equal((await own.getDeviceTrust({ trustToken })).trustedUntil, undefined)
  for (const client of [sessions, elsewhere])
    assert.equal((await client.signIn({ email: member.email, password: story.password, trustToken })).result.case, 'nextStep')
})

test('who does not ask for it trusts nothing, and a token opens nothing without the password', async () => {
  const { tenant, member, secret } = await scene()
  const sessions = await story.grpc(SessionService, tenantOf(tenant), 'billing')
  assert.equal((await story.signInWithTotp(tenant, member, secret, 1)).trustToken, '')
  const { continuation } = (await story.startSignIn(tenant, member.email)).value as NextStep
  await refused(
    sessions.continueSignIn({ continuation, proof: { proof: { case: 'totpCode', value: '000000' } }, trustDevice: true }),
    Code.PermissionDenied,
    'FACTOR_WRONG',
  )
  await refused(
    sessions.signIn({ email: member.email, password: 'wrong horse battery', trustToken: `ght_${'A'.repeat(72)}` }),
    Code.Unauthenticated,
    'EMAIL_OR_PASSWORD_WRONG',
  )
})

test('a browser keeps it in a cookie that no script reads, and the answer has none', async () => {
  const { tenant, member, secret } = await scene()
  const browser = openBrowser(story.app.ports.web, `http://${tenant}.test`)
  const { email } = member
  const signIn = async () =>
    (await browser.call('SessionService/SignIn', { email, password: story.password, useCookie: true })).body as {
      nextStep?: { continuation: string }
      signedIn?: { session: { methods: string[] } }
    }
  const { nextStep } = await signIn()
  const proof = { totpCode: codeOf(secret, 1) }
  const shown = { continuation: nextStep?.continuation, proof, useCookie: true, trustDevice: true }
  const { cookies, body } = await browser.call('SessionService/ContinueSignIn', shown)
  const [cookie = ''] = cookies.filter((each) => each.startsWith('__Host-gatehouse-trust='))
  assert.match(cookie, /^__Host-gatehouse-trust=ght_[\w-]{72}; /)
  for (const attribute of ['HttpOnly', 'Secure', 'SameSite=Strict', 'Path=/', 'Max-Age=2592000'])
    assert.ok(cookie.toLowerCase().includes(attribute.toLowerCase()), `${attribute} in ${cookie.replace(/=ght_[^;]*/, '')}`)
  assert.equal(JSON.stringify(body).includes('ght_'), false)
  assert.deepEqual((await signIn()).signedIn?.session.methods, ['pwd', 'dev'])
  browser.trust = ''
  assert.equal((await signIn()).signedIn, undefined)
})
