import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ErrorReason } from '@gatehouse/contracts/gatehouse/options/v1/error_reason_pb'
import { commonRefusal } from '@gatehouse/rpc'
import * as relying from 'openid-client'
import { type ActsInMemory, actsInMemory, clientOf, type SessionRow } from './oidc-acts-in-memory.ts'
import { ISSUER, type OidcHouse, openOidcHouse } from './oidc-house.ts'
import type { Visitor } from './page-visitor.ts'
import { ask, CALLBACK, codeFor, sentTo } from './relying-party.ts'

const APP = relying.ClientSecretBasic('secret of app')

let house: OidcHouse
let acts: ActsInMemory
before(async () => {
  acts = actsInMemory()
  house = await openOidcHouse(() => acts)
  acts.clientRows.set('app', clientOf('app', { gatehouse_first_party: true }))
  acts.clientRows.set('other', clientOf('other', { gatehouse_first_party: true }))
  acts.clientRows.set('foreign', clientOf('foreign'))
  acts.clientRows.set('told', clientOf('told', { gatehouse_first_party: true, gatehouse_claims_in_id_token: true }))
})
after(() => house[Symbol.asyncDispose]())

/** A browser in which somebody is signed in. */
function signedIn(changes: Partial<SessionRow> = {}): { browser: Visitor; row: SessionRow } {
  const row = acts.openSession(changes)
  const browser = house.visitor()
  browser.cookies.set('__Host-gatehouse-oidc', acts.sessions.cookieOf('default', row.id, row.generation))
  return { browser, row }
}

test('somebody who is signed in gets a code without a page, and its tokens are what a certified client accepts', async () => {
  const { browser, row } = signedIn({ amr: ['pwd', 'otp'] })
  const app = await house.client('app', APP)
  const { callback, checks } = await codeFor(browser, app)
  assert.equal(callback.searchParams.get('iss'), ISSUER)
  const tokens = await relying.authorizationCodeGrant(app, callback, checks)
  const claims = tokens.claims()
  assert.deepEqual([claims?.sub, claims?.acr, claims?.amr], [row.userId, 'aal2', ['pwd', 'otp']])
  assert.equal(claims?.auth_time, Math.floor(row.authTime.getTime() / 1000))
  assert.match(tokens.access_token, /^goa_/)
  assert.match(tokens.refresh_token ?? '', /^gor_/)
  const about = await relying.fetchUserInfo(app, tokens.access_token, row.userId)
  assert.deepEqual(about, { sub: row.userId, email: 'ada@example.com', email_verified: true })
  assert.deepEqual(house.faults, [])
})

test('the ID token says what the scopes say where the client is set so, after a refresh too, and else who signed in', async () => {
  const { browser } = signedIn()
  const told = await house.client('told', relying.ClientSecretBasic('secret of told'))
  const { callback, checks } = await codeFor(browser, told)
  const tokens = await relying.authorizationCodeGrant(told, callback, checks)
  const again = await relying.refreshTokenGrant(told, tokens.refresh_token ?? '')
  for (const claims of [tokens.claims(), again.claims()])
    assert.deepEqual([claims?.email, claims?.email_verified, claims?.name], ['ada@example.com', true, undefined])
  const app = await house.client('app', APP)
  const others = await codeFor(browser, app)
  assert.equal((await relying.authorizationCodeGrant(app, others.callback, others.checks)).claims()?.email, undefined)
})

test('a code is good for the client and the address that it was made for, and with its verifier', async () => {
  const { browser } = signedIn()
  const app = await house.client('app', APP)
  const other = await house.client('other', relying.ClientSecretBasic('secret of other'))
  const { callback, checks } = await codeFor(browser, app)
  await assert.rejects(relying.authorizationCodeGrant(other, callback, checks), { error: 'invalid_grant' })
  await assert.rejects(relying.authorizationCodeGrant(app, callback, { ...checks, pkceCodeVerifier: relying.randomPKCECodeVerifier() }), {
    error: 'invalid_grant',
  })
  const form = { grant_type: 'authorization_code', code: callback.searchParams.get('code') ?? '', redirect_uri: CALLBACK }
  assert.equal((await token(form)).error, 'invalid_grant', 'no verifier')
  const elsewhere = { ...form, redirect_uri: `${CALLBACK}2`, code_verifier: checks.pkceCodeVerifier }
  assert.equal((await token(elsewhere)).error, 'invalid_grant', 'another address')
  await relying.authorizationCodeGrant(app, callback, checks)
})

async function token(form: Record<string, string>): Promise<Record<string, unknown>> {
  const headers = { authorization: `Basic ${btoa('app:secret of app')}`, 'content-type': 'application/x-www-form-urlencoded' }
  return (await (
    await house.visitor().visit(`${ISSUER}/token`, { method: 'POST', headers, body: String(new URLSearchParams(form)) })
  ).json()) as Record<string, unknown>
}

test('no request without PKCE, and none with a method but S256', async () => {
  const { browser } = signedIn()
  const app = await house.client('app', APP)
  const { url } = await ask(app)
  for (const change of [
    { code_challenge_method: 'plain' },
    { code_challenge: '' },
    { code_challenge: 'short' },
    { code_challenge_method: '' },
  ]) {
    const changed = new URL(url)
    for (const [name, value] of Object.entries(change))
      value === '' ? changed.searchParams.delete(name) : changed.searchParams.set(name, value)
    const callback = sentTo(await browser.visit(String(changed)))
    assert.equal(callback.searchParams.get('error'), 'invalid_request', JSON.stringify(change))
    assert.equal(callback.searchParams.get('state'), url.searchParams.get('state'))
    assert.equal(callback.searchParams.get('iss'), ISSUER)
  }
})

const MUTATED = [
  'https://rp.example/callback/',
  'https://rp.example/callback?x=1',
  'https://rp.example/callback#',
  'https://rp.example/callback#x',
  'https://rp.example/Callback',
  'https://rp.example/callbac',
  'https://rp.example/callback%20',
  'https://rp.example/callback%2f',
  'https://rp.example/./callback',
  'https://rp.example//callback',
  'https://rp.example/x/../callback',
  'https://rp.example:443/callback',
  'https://rp.example:8443/callback',
  'https://RP.example/callback',
  'https://rp.example./callback',
  'https://rp.example.evil.example/callback',
  'https://evil.example/rp.example/callback',
  'https://evil.example#@rp.example/callback',
  'https://rp.example@evil.example/callback',
  'https://user@rp.example/callback',
  'https://rp.example\\@evil.example/callback',
  'https://rp.example%2eevil.example/callback',
  'http://rp.example/callback',
  '//rp.example/callback',
  '/callback',
  'rp.example/callback',
  'https:/rp.example/callback',
  'https:rp.example/callback',
  ' https://rp.example/callback',
  'https://rp.example/callback ',
  'https://rp.example/callback\t',
  'https://rp.example/callback\u0000',
  'javascript:alert(1)',
  'data:text/html,x',
  'https://*/callback',
  'https://rp.example/*',
  'https://rp.exаmple/callback',
  'https://127.0.0.1/callback',
  'http://localhost/callback',
  '',
]

test('no address but the registered one is sent anything', async () => {
  const { browser } = signedIn()
  const app = await house.client('app', APP)
  const { url } = await ask(app)
  for (const uri of MUTATED) {
    const changed = new URL(url)
    changed.searchParams.set('redirect_uri', uri)
    const answer = await browser.visit(String(changed), { headers: { accept: 'text/html' } })
    assert.deepEqual([answer.status, answer.headers.get('location')], [400, null], uri)
  }
  const twice = await browser.visit(`${url}&redirect_uri=https%3A%2F%2Fevil.example`)
  assert.deepEqual([twice.status, twice.headers.get('location')], [400, null])
})

test('of fifty at once one redeems a code', async () => {
  const { browser } = signedIn()
  const app = await house.client('app', APP)
  const { callback, checks } = await codeFor(browser, app)
  const form = {
    grant_type: 'authorization_code',
    code: callback.searchParams.get('code') ?? '',
    redirect_uri: CALLBACK,
    code_verifier: checks.pkceCodeVerifier,
  }
  const answers = await Promise.all(Array.from({ length: 50 }, () => token(form)))
  assert.equal(answers.filter((answer) => 'access_token' in answer).length, 1)
  assert.deepEqual(new Set(answers.map(({ error }) => error)), new Set([undefined, 'invalid_grant']))
})

test('while the user service is away a code stays unused', async () => {
  const { browser } = signedIn()
  const app = await house.client('app', APP)
  const { callback, checks } = await codeFor(browser, app)
  const { answer } = acts
  acts.answer = () => {
    throw commonRefusal(ErrorReason.DEPENDENCY_UNAVAILABLE, { dependency: 'user' })
  }
  const form = { grant_type: 'authorization_code', code: callback.searchParams.get('code') ?? '', redirect_uri: CALLBACK }
  const refused = await token({ ...form, code_verifier: checks.pkceCodeVerifier })
  const silent = await codeFor(browser, app, { prompt: 'none' })
  acts.answer = answer
  assert.equal(refused.error, 'temporarily_unavailable')
  assert.equal(silent.callback.searchParams.get('error'), 'temporarily_unavailable')
  await relying.authorizationCodeGrant(app, callback, checks)
})

test('whoever is not signed in, or not to this client, is asked, and prompt=none says so', async () => {
  const app = await house.client('app', APP)
  const { url } = await ask(app)
  const asked = await house.visitor().visit(String(url))
  assert.match(asked.headers.get('location') ?? '', /^http:\/\/localhost:8080\/oidc\/i\/[\w-]{43}$/)
  const silent = await house.visitor().visit(`${url}&prompt=none`)
  assert.equal(sentTo(silent).searchParams.get('error'), 'login_required')
  const { browser } = signedIn()
  const foreign = await house.client('foreign', relying.ClientSecretBasic('secret of foreign'))
  assert.equal((await codeFor(browser, foreign, { prompt: 'none' })).callback.searchParams.get('error'), 'consent_required')
})

test('what somebody allowed before is not asked again', async () => {
  const { browser, row } = signedIn()
  acts.consents.set(`${row.userId} foreign`, { scopes: ['openid', 'email'], claims: [], resources: {} })
  const foreign = await house.client('foreign', relying.ClientSecretBasic('secret of foreign'))
  const { callback, checks } = await codeFor(browser, foreign)
  await relying.authorizationCodeGrant(foreign, callback, checks)
  const more = await codeFor(browser, foreign, { scope: 'openid email groups', prompt: 'none' })
  assert.equal(more.callback.searchParams.get('error'), 'consent_required')
})

test('a sign-in that is too weak for what is asked is no sign-in', async () => {
  const app = await house.client('app', APP)
  const { browser } = signedIn({ amr: ['pwd'] })
  const weak = await codeFor(browser, app, { acr_values: 'aal2', prompt: 'none' })
  assert.notEqual(weak.callback.searchParams.get('error'), null)
  const strong = signedIn({ amr: ['pop', 'user'] })
  const { callback, checks } = await codeFor(strong.browser, app, { acr_values: 'aal2' })
  assert.equal((await relying.authorizationCodeGrant(app, callback, checks)).claims()?.acr, 'aal2')
})

test('an answer by form may leave for the client, and for nobody else', async () => {
  const { browser } = signedIn()
  const app = await house.client('app', APP)
  const { url } = await ask(app, { response_mode: 'form_post' })
  const answer = await browser.visit(String(url), { headers: { accept: 'text/html' } })
  assert.equal(answer.status, 200)
  assert.match(answer.headers.get('content-security-policy') ?? '', /form-action 'self' https:\/\/rp\.example;/)
  assert.match(answer.headers.get('content-security-policy') ?? '', /script-src 'self' 'sha256-/)
})
