import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { NextStep, SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { Strength } from '@gatehouse/identity'
import { sql } from 'kysely'
import * as relying from 'openid-client'
import { beginTotp, confirmTotp } from '../src/core/factors/totp.ts'
import { createOidcActs } from '../src/core/oidc/oidc-acts.ts'
import type { OidcActs } from '../src/core/oidc/oidc-parts.ts'
import { continueSignIn } from '../src/core/sessions/continue-sign-in.ts'
import { signIn as coreSignIn } from '../src/core/sessions/sign-in.ts'
import { arrive, browserOf, type InteractionPage, openSessionOf, pageOf } from './interaction-page.ts'
import { ISSUER, type OidcHouse, OTHER_ORIGIN, openOidcHouse, PAGE } from './oidc-house.ts'
import { someClient, tenant } from './oidc-scene.ts'
import { CALLBACK, codeFor, push, sentTo } from './relying-party.ts'
import { refresh, rightPassword, signSomebodyIn, somebody, wholeOf } from './sign-somebody-in.ts'
import { codeOf } from './totp-code.ts'

let house: OidcHouse
let acts: OidcActs
let app: relying.Configuration
let ada: SignedInResult
before(async () => {
  house = await openOidcHouse(createOidcActs)
  acts = createOidcActs(house.opened.deps)
  app = await client({ firstParty: true })
  ada = await signIn()
})
after(() => house[Symbol.asyncDispose]())

async function client(given: Parameters<typeof someClient>[1]): Promise<relying.Configuration> {
  const { clientId, secret } = await someClient(house.opened.deps, { redirectUris: [CALLBACK], ...given })
  return await house.client(clientId, relying.ClientSecretBasic(secret))
}

const signIn = () => openSessionOf(house.opened)
const stranger = (more: Record<string, string> = {}) => pageOf(house.visitor(), app, more)

/** Makes the session another one, as a step-up does: its tokens so far, and its cookie, are of the one before. */
async function raise(signed: SignedInResult, amr: readonly string[], at = new Date()): Promise<SignedInResult> {
  await sql`update sessions set amr = ${[...amr]}, auth_time = ${at}, generation = generation + 1 where id = ${signed.session?.id}`.execute(
    house.opened.deps.db,
  )
  return await refresh(house.opened.deps, signed.refreshToken)
}

async function finished(page: InteractionPage, { accessToken, user }: SignedInResult): Promise<relying.IDToken | undefined> {
  const { location, reason } = await page.post('sign-in', accessToken)
  assert.equal(reason, undefined)
  const callback = sentToClient(await page.follow({ status: 200, location, reason, metadata: undefined }))
  const tokens = await relying.authorizationCodeGrant(app, callback, page.checks)
  assert.equal(tokens.claims()?.sub, user?.id)
  return tokens.claims()
}

function sentToClient(url: URL): URL {
  assert.equal(url.origin + url.pathname, CALLBACK, String(url))
  return url
}

test('a page shows who asks for what, and changes nothing by that', async () => {
  const page = await stranger({ login_hint: 'ada@example.com', acr_values: 'aal2', max_age: '60' })
  const shown = await page.request({ 'sec-fetch-site': 'same-origin' })
  assert.equal((await page.browser.visit(`${ISSUER}/i/${page.uid}`)).status, 200)
  assert.deepEqual(await page.request(), shown)
  const { client: asking, expireTime, ...rest } = shown
  assert.deepEqual([asking.name, asking.uri, asking.firstParty], ['An app', 'https://rp.example', true])
  assert.ok(Date.parse(expireTime) > Date.now())
  assert.deepEqual(rest, {
    prompt: 'login',
    reasons: ['no_session', 'max_age', 'strength'],
    asked: { scopes: ['openid', 'email'], claims: [], resources: {} },
    missing: { scopes: [], claims: [], resources: {} },
    strength: 2,
    maxAge: 60,
    loginHint: 'ada@example.com',
    personId: null,
  })
})

test('the page is the console, under the policy of pages', async () => {
  const answer = await house.visitor().visit(`${ISSUER}/i/anything`)
  assert.equal(await answer.text(), PAGE)
  assert.match(
    answer.headers.get('content-security-policy') ?? '',
    /^default-src 'none'; script-src 'self';.*form-action 'self'; frame-ancestors 'none'$/,
  )
  assert.deepEqual([answer.headers.get('cache-control'), answer.headers.get('referrer-policy')], ['no-store', 'no-referrer'])
  assert.equal((await house.visitor().visit(`${ISSUER}/i/anything`, { method: 'POST' })).status, 404)
})

test('whoever signs in on the page comes to the client with a code, once', async () => {
  const page = await stranger()
  assert.equal((await finished(page, ada))?.acr, 'aal1')
  assert.equal(page.browser.cookies.get('__Host-gatehouse-oidc'), acts.sessions.cookieOf('default', ada.session?.id ?? '', 0))
  assert.equal((await page.post('sign-in', ada.accessToken)).reason, 'INTERACTION_INVALID')
})

test('the browser keeps what it is known by for as long as the session lives', async () => {
  const page = await stranger()
  const { location } = await page.post('sign-in', ada.accessToken)
  const set = (await page.browser.visit(location)).headers.getSetCookie().find((each) => each.startsWith('__Host-gatehouse-oidc='))
  const [, expires = ''] = /expires=([^;]+)/i.exec(set ?? '') ?? []
  const { expireTime } = (await acts.sessions.findById('default', ada.session?.id ?? '')) ?? {}
  assert.ok(Math.abs(Date.parse(expires) - (expireTime?.getTime() ?? 0)) < 60_000, set)
})

test('a request that was pushed goes on after the sign-in', async () => {
  const { url, checks } = await push(app)
  const browser = house.visitor()
  await finished(await arrive(browser, checks, sentTo(await browser.visit(String(url)))), ada)
})

test('the page of another site cannot act, nor can a form', async () => {
  const page = await stranger()
  const reasonOf = async (headers: Record<string, string | undefined>, body: object | string = {}) =>
    (await page.post('sign-in', ada.accessToken, body, headers)).reason
  for (const origin of [undefined, 'null', 'https://evil.example', OTHER_ORIGIN])
    assert.equal(await reasonOf({ origin }), 'ORIGIN_NOT_ALLOWED', origin)
  for (const type of [undefined, 'text/plain', 'application/x-www-form-urlencoded', 'application/jsonp'])
    assert.equal(await reasonOf({ 'content-type': type }), 'MALFORMED_REQUEST', type)
  for (const body of ['', '[]', 'null', '{', 'x=1']) assert.equal(await reasonOf({}, body), 'MALFORMED_REQUEST', body)
  assert.equal((await page.post('refuse', undefined, {}, { origin: undefined })).reason, 'ORIGIN_NOT_ALLOWED')
  const read = await page.browser.visit(`${ISSUER}/i/${page.uid}/request`, { headers: { 'sec-fetch-site': 'cross-site' } })
  assert.equal(read.status, 403)
  assert.equal(await reasonOf({ 'content-type': 'application/json; charset=utf-8' }), undefined)
})

test('an interaction goes on in the browser that began it', async () => {
  const [mine, theirs] = [await stranger(), await stranger()]
  const elsewhere = await arrive(house.visitor(), mine.checks, new URL(`${ISSUER}/i/${mine.uid}`))
  const other = await arrive(theirs.browser, mine.checks, new URL(`${ISSUER}/i/${mine.uid}`))
  for (const page of [elsewhere, other])
    for (const act of ['sign-in', 'consent', 'refuse']) assert.equal((await page.post(act, ada.accessToken)).reason, 'INTERACTION_INVALID')
  assert.equal((await elsewhere.browser.visit(`${ISSUER}/i/${mine.uid}/request`)).status, 404)
  assert.equal((await mine.post('sign-in', ada.accessToken)).status, 200)
})

test('only the living token of a session signs in', async () => {
  const page = await stranger()
  const reasonOf = async (token: string | undefined) => (await page.post('sign-in', token)).reason
  const before = await signIn()
  const raised = await raise(before, ['pwd', 'otp'])
  const ended = await signIn()
  await acts.sessions.end('default', ended.session?.id ?? '')
  assert.equal(await reasonOf(undefined), 'CREDENTIALS_MISSING')
  for (const token of ['x', before.accessToken, ended.accessToken, before.refreshToken])
    assert.equal(await reasonOf(token), 'ACCESS_TOKEN_INVALID')
  assert.equal(await reasonOf(raised.accessToken), undefined)
})

test('a sign-in that waits for its second factor becomes no code, the whole one does', async () => {
  const { deps } = house.opened
  const user = await somebody(house.opened)
  const { session } = await signSomebodyIn(deps, user)
  const owner = { tenant, userId: user.id, sessionId: session?.id ?? '', strength: Strength.ONE_FACTOR }
  const { secret } = await beginTotp(deps, owner)
  await confirmTotp(deps, owner, codeOf(secret, 0, deps.now()))
  const half = await coreSignIn(deps, { tenant, email: user.email, password: rightPassword, userAgent: 'a test', source: '192.0.2.7' })
  assert.equal(half.case, 'nextStep')
  const { continuation } = half.value as NextStep
  const page = await stranger()
  assert.equal((await page.post('sign-in', continuation)).reason, 'ACCESS_TOKEN_INVALID')
  assert.match(
    (await page.follow({ status: 0, location: `${ISSUER}/auth/${page.uid}`, reason: undefined, metadata: undefined })).pathname,
    /^\/oidc\/i\//,
  )
  const proof = { case: 'totpCode', value: codeOf(secret, 1, deps.now()) } as const
  const place = { userAgent: 'a test', source: '192.0.2.7' }
  const whole = wholeOf(await continueSignIn(deps, { tenant, continuation, proof, place, trustDevice: false }))
  assert.equal((await finished(await stranger(), whole))?.acr, 'aal2')
})

test('a sign-in that was asked for anew is one', async () => {
  const signed = await raise(await signIn(), ['pwd'], new Date(Date.now() - 600_000))
  const page = await pageOf(browserOf(house, acts, signed, 1), app, { prompt: 'login' })
  assert.deepEqual((await page.post('sign-in', signed.accessToken)).metadata, { need: 'login' })
  const again = await raise(signed, ['pwd'])
  page.browser.cookies.set('__Host-gatehouse-oidc', acts.sessions.cookieOf('default', again.session?.id ?? '', 2))
  await finished(page, again)
})

for (const asked of [{ prompt: 'login' }, { max_age: '0' }] as Record<string, string>[]) {
  test(`a sign-in of the second in which the client asks by ${JSON.stringify(asked)} is not one that came after it`, async () => {
    const signed = await signIn()
    const page = await pageOf(browserOf(house, acts, signed), app, asked)
    const { iat } = (await acts.records.find(tenant, 'Interaction', page.uid)) ?? {}
    const before = await raise(signed, ['pwd'], new Date(Number(iat) * 1000))
    assert.equal((await page.post('sign-in', before.accessToken)).reason, 'INTERACTION_NEEDS')
    const again = await raise(before, ['pwd'])
    page.browser.cookies.set('__Host-gatehouse-oidc', acts.sessions.cookieOf('default', again.session?.id ?? '', 2))
    await finished(page, again)
  })
}

test('a sign-in is no older than the client takes', async () => {
  const signed = await raise(await signIn(), ['pwd'], new Date(Date.now() - 600_000))
  const page = await pageOf(browserOf(house, acts, signed, 1), app, { max_age: '60' })
  assert.deepEqual((await page.post('sign-in', signed.accessToken)).metadata, { need: 'max_age' })
  await finished(await pageOf(house.visitor(), app, { max_age: '900' }), signed)
})

const strengths = [
  { acr: 'aal1', amr: ['pwd'], weaker: undefined, name: 'one_factor' },
  { acr: 'aal2', amr: ['pwd', 'otp'], weaker: ['pwd'], name: 'two_factors' },
  { acr: 'phr', amr: ['pop', 'user'], weaker: ['pwd', 'otp'], name: 'phishing_resistant' },
]
for (const { acr, amr, weaker, name } of strengths) {
  test(`${acr} takes a sign-in of ${name} and says so`, async () => {
    let signed = await signIn()
    if (weaker !== undefined) {
      signed = await raise(signed, weaker)
      const { metadata } = await (await stranger({ acr_values: acr })).post('sign-in', signed.accessToken)
      assert.deepEqual(metadata, { need: 'strength', strength: name })
    }
    signed = await raise(signed, amr)
    assert.equal((await finished(await stranger({ acr_values: acr }), signed))?.acr, acr)
    const essential = JSON.stringify({ id_token: { acr: { essential: true, value: acr } } })
    assert.equal((await finished(await stranger({ claims: essential }), signed))?.acr, acr)
  })
}

test('what nobody reaches is refused in the words of the protocol', async () => {
  const page = await stranger({ claims: JSON.stringify({ id_token: { acr: { essential: true, value: 'urn:unknown' } } }) })
  assert.deepEqual((await page.post('sign-in', ada.accessToken)).metadata, { need: 'strength', strength: 'out_of_reach' })
  const answer = await page.post('refuse', undefined, { error: 'unmet_authentication_requirements' })
  assert.equal(sentToClient(await page.follow(answer)).searchParams.get('error'), 'unmet_authentication_requirements')
  const other = await stranger()
  assert.equal((await other.post('refuse', undefined, { error: 'unmet_authentication_requirements' })).reason, 'INVALID_REQUEST')
  assert.equal(sentToClient(await other.follow(await other.post('refuse', undefined))).searchParams.get('error'), 'access_denied')
})

test('a client that means somebody gets nobody else', async () => {
  const other = await signIn()
  const known = await codeFor(browserOf(house, acts, ada), app)
  const { id_token = '' } = await relying.authorizationCodeGrant(app, known.callback, known.checks)
  const sub = { id_token: { sub: { value: ada.user?.id } } }
  for (const more of [{ id_token_hint: id_token }, { claims: JSON.stringify(sub) }]) {
    const page = await pageOf(browserOf(house, acts, other), app, more)
    assert.equal((await page.request()).personId, ada.user?.id)
    assert.deepEqual((await page.post('sign-in', other.accessToken)).metadata, { need: 'other_person' })
    page.browser.cookies.set('__Host-gatehouse-oidc', acts.sessions.cookieOf('default', ada.session?.id ?? '', 0))
    await finished(page, ada)
  }
})

test('a raised session comes back with its new cookie, and the old one is a stranger’s', async () => {
  const before = await signIn()
  const page = await pageOf(browserOf(house, acts, before), app, { acr_values: 'aal2' })
  const old = page.browser.cookies.get('__Host-gatehouse-oidc') ?? ''
  const raised = await raise(before, ['pwd', 'otp'])
  page.browser.cookies.set('__Host-gatehouse-oidc', acts.sessions.cookieOf('default', raised.session?.id ?? '', 1))
  await finished(page, raised)
  const thief = house.visitor()
  thief.cookies.set('__Host-gatehouse-oidc', old)
  assert.equal((await codeFor(thief, app, { prompt: 'none' })).callback.searchParams.get('error'), 'login_required')
  assert.notEqual((await codeFor(page.browser, app, { prompt: 'none' })).callback.searchParams.get('code'), null)
})

test('to sign in to a program is a use of the session, written once a minute; what the program does later is none', async () => {
  const signed = await signIn()
  const usedAt = async () => (await acts.sessions.findById('default', signed.session?.id ?? ''))?.lastUseTime.getTime() ?? 0
  const browser = browserOf(house, acts, signed)
  const begun = await usedAt()
  await codeFor(browser, app)
  assert.equal(await usedAt(), begun)
  await sql`update sessions set last_use_time = last_use_time - interval '90 s' where id = ${signed.session?.id}`.execute(
    house.opened.deps.db,
  )
  const { callback, checks } = await codeFor(browser, app)
  const used = await usedAt()
  assert.ok(used >= begun)
  await sql`update sessions set last_use_time = last_use_time - interval '90 s' where id = ${signed.session?.id}`.execute(
    house.opened.deps.db,
  )
  const tokens = await relying.authorizationCodeGrant(app, callback, checks)
  await relying.refreshTokenGrant(app, tokens.refresh_token ?? '')
  assert.equal(await usedAt(), used - 90_000)
})

test('whoever was suspended since is nobody to sign in with', async () => {
  const gone = await signIn()
  const page = await stranger()
  house.opened.people.of('default', gone.user?.id ?? '').state = User_State.SUSPENDED
  assert.deepEqual((await page.post('sign-in', gone.accessToken)).metadata, { need: 'other_person' })
  assert.equal((await page.post('sign-in', ada.accessToken)).status, 200)
})
