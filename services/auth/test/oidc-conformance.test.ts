import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, test } from 'node:test'
import { decodeJwt, SignJWT } from 'jose'
import * as relying from 'openid-client'
import { type ActsInMemory, actsInMemory, clientOf } from './oidc-acts-in-memory.ts'
import { ISSUER, type OidcHouse, openOidcHouse } from './oidc-house.ts'
import type { Visitor } from './page-visitor.ts'
import { ask, CALLBACK, codeFor, sentTo } from './relying-party.ts'

const SIGNED_OUT = 'https://rp.example/signed-out'
const HTML = { accept: 'text/html' }
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

let house: OidcHouse
let acts: ActsInMemory
let app: relying.Configuration
before(async () => {
  acts = actsInMemory()
  house = await openOidcHouse(() => acts)
  const own = { gatehouse_first_party: true, post_logout_redirect_uris: [SIGNED_OUT] }
  acts.clientRows.set('app', clientOf('app', own))
  acts.clientRows.set('posts', clientOf('posts', { ...own, token_endpoint_auth_method: 'client_secret_post' }))
  acts.clientRows.set('suite', clientOf('suite', { ...own, gatehouse_conformance: true }))
  app = await house.client('app', relying.ClientSecretBasic('secret of app'))
})
after(() => house[Symbol.asyncDispose]())

function signedIn(): { browser: Visitor; userId: string; sessionId: string } {
  const row = acts.openSession({ authTime: new Date(Date.now() - 60_000) })
  const browser = house.visitor()
  browser.cookies.set('__Host-gatehouse-oidc', acts.sessions.cookieOf('default', row.id, row.generation))
  return { browser, userId: row.userId, sessionId: row.id }
}

async function tokensOf(more: Record<string, string> = {}, { browser } = signedIn()) {
  const { callback, checks } = await codeFor(browser, app, more)
  return await relying.authorizationCodeGrant(app, callback, checks)
}

const userinfo = async (headers: Record<string, string>, body?: string) => {
  const answer = await house.visitor().visit(`${ISSUER}/userinfo`, { method: body === undefined ? 'GET' : 'POST', headers, body })
  return (await answer.json()) as Record<string, unknown>
}

test('userinfo answers a GET, a POST with a header and a POST with a form alike, and no token in an address', async () => {
  const { access_token: token } = await tokensOf()
  const bearer = { authorization: `Bearer ${token}` }
  const about = await userinfo(bearer)
  assert.equal(about.email, 'ada@example.com')
  assert.deepEqual(await userinfo(bearer, ''), about)
  assert.deepEqual(await userinfo(FORM, `access_token=${token}`), about)
  assert.equal((await house.visitor().visit(`${ISSUER}/userinfo?access_token=${token}`)).status, 400)
})

test('each scope gives its claims at userinfo, and those of none stay out', async () => {
  const claimsOf = async (scope: string) => {
    const tokens = await tokensOf({ scope })
    assert.deepEqual(
      Object.keys(decodeJwt(tokens.id_token ?? '')).filter((name) => /name|email/.test(name)),
      [],
      'not in the ID token',
    )
    return Object.keys(await userinfo({ authorization: `Bearer ${tokens.access_token}` })).sort()
  }
  assert.deepEqual(await claimsOf('openid'), ['sub'])
  assert.deepEqual(await claimsOf('openid profile'), ['name', 'sub'])
  assert.deepEqual(await claimsOf('openid email'), ['email', 'email_verified', 'sub'])
  const all = ['email', 'email_verified', 'name', 'sub']
  assert.deepEqual(await claimsOf('openid profile email address phone'), all, 'address and phone are not offered, and are passed over')
  assert.deepEqual(await claimsOf('email profile openid'), all, 'in whatever order')
  const { scopes_supported: offered } = app.serverMetadata()
  assert.deepEqual(offered, ['openid', 'offline_access', 'profile', 'email', 'groups'])
})

test('a claim that is asked for by its name comes from where it was asked', async () => {
  const { id_token: id = '', access_token: token } = await tokensOf({
    scope: 'openid',
    claims: JSON.stringify({ userinfo: { name: { essential: true } } }),
  })
  assert.equal(decodeJwt(id).name, undefined)
  assert.deepEqual(Object.keys(await userinfo({ authorization: `Bearer ${token}` })).sort(), ['name', 'sub'])
})

test('no nonce, and what nobody knows or everybody may leave aside, keep nobody out', async () => {
  const { browser, userId } = signedIn()
  const { url, checks } = await ask(app)
  url.searchParams.delete('nonce')
  const callback = sentTo(await browser.visit(String(url)))
  const { pkceCodeVerifier, expectedState } = checks
  const tokens = await relying.authorizationCodeGrant(app, callback, { pkceCodeVerifier, expectedState, idTokenExpected: true })
  assert.equal(tokens.claims()?.nonce, undefined)
  for (const more of [
    { extra: 'foobar' },
    { display: 'page' },
    { display: 'popup' },
    { ui_locales: 'se' },
    { claims_locales: 'se' },
    { login_hint: 'buffy@example.com' },
    { acr_values: '1 2' },
  ] as Record<string, string>[])
    assert.equal((await tokensOf(more, signedInAs(browser))).claims()?.sub, userId, JSON.stringify(more))

  function signedInAs(same: Visitor) {
    return { browser: same, userId, sessionId: '' }
  }
})

test('whoever is signed in stays who they are: with prompt=none, a hint, and a limit of age that is not reached', async () => {
  const somebody = signedIn()
  const first = (await tokensOf({}, somebody)).claims()
  const { id_token: hint = '' } = await tokensOf({}, somebody)
  for (const more of [{ prompt: 'none' }, { prompt: 'none', id_token_hint: hint }, { max_age: '10000' }] as Record<string, string>[]) {
    const again = (await tokensOf(more, somebody)).claims()
    assert.deepEqual([again?.sub, again?.auth_time], [first?.sub, first?.auth_time], JSON.stringify(more))
  }
  const { id_token: other = '' } = await tokensOf()
  const { callback } = await codeFor(somebody.browser, app, { prompt: 'none', id_token_hint: other })
  assert.equal(callback.searchParams.get('error'), 'login_required', 'of somebody else')
})

test('a request names its answer', async () => {
  const { browser } = signedIn()
  const { url } = await ask(app)
  const without = new URL(url)
  without.searchParams.delete('response_type')
  assert.equal(sentTo(await browser.visit(String(without))).searchParams.get('error'), 'invalid_request')
  assert.equal(sentTo(await browser.visit(String(url))).searchParams.get('error'), null)
})

test('a form that is posted to the authorization endpoint is asked what a link is', async () => {
  const { browser } = signedIn()
  const { url, checks } = await ask(app, { prompt: 'none' })
  // What another site posts comes without the browser's cookie, and is sent on before anybody looks at one.
  const sentOn = await house.visitor().visit(`${ISSUER}/auth?prompt=login`, posted(url))
  assert.deepEqual([sentOn.status, sentTo(sentOn).href], [303, url.href])
  assert.deepEqual(sentOn.headers.getSetCookie(), [])
  const callback = sentTo(await browser.visit(sentTo(sentOn).href))
  assert.equal((await relying.authorizationCodeGrant(app, callback, checks)).token_type, 'bearer')
  const twice = await browser.visit(`${ISSUER}/auth`, { ...posted(url), body: `${url.searchParams}&prompt=none` })
  assert.equal(sentTo(await browser.visit(sentTo(twice).href)).searchParams.get('error'), 'invalid_request')
})

test('what is posted there and is no form, or no address could hold, is not taken', async () => {
  const { url } = await ask(app)
  const json = await house
    .visitor()
    .visit(`${ISSUER}/auth`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })
  assert.ok(json.status === 404 || json.status === 405, String(json.status))
  const long = await house.visitor().visit(`${ISSUER}/auth`, { ...posted(url), body: `${url.searchParams}&claims=${'a'.repeat(8192)}` })
  assert.match(await long.text(), /REQUEST_TOO_LARGE/)
  assert.equal((await house.visitor().visit(`${ISSUER}/auth`, posted(url))).status, 303)
})

function posted(url: URL) {
  return { method: 'POST', headers: FORM, body: url.searchParams.toString() }
}

test('a client that is registered to send its secret in the form gets its tokens so', async () => {
  const posts = await house.client('posts', relying.ClientSecretPost('secret of posts'))
  const { callback, checks } = await codeFor(signedIn().browser, posts)
  assert.equal((await relying.authorizationCodeGrant(posts, callback, checks)).token_type, 'bearer')
})

test('a form takes an answer to the client, an error too, and says what a query would', async () => {
  const fieldsOf = async (more: Record<string, string>) => {
    const { url, checks } = await ask(app, { response_mode: 'form_post', ...more })
    const page = await (await signedIn().browser.visit(String(url), { headers: HTML })).text()
    assert.match(page, /<form method="post" action="https:\/\/rp\.example\/callback"/i)
    const fields = [...page.matchAll(/name="(\w+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value])
    return { checks, fields: Object.fromEntries(fields) as Record<string, string> }
  }
  const { checks, fields } = await fieldsOf({})
  assert.deepEqual([fields.state, fields.iss], [checks.expectedState, ISSUER])
  const body = String(new URLSearchParams(fields))
  const tokens = await relying.authorizationCodeGrant(app, new Request(CALLBACK, { method: 'POST', headers: FORM, body }), checks)
  assert.match(tokens.access_token, /^goa_/)
  const refused = await fieldsOf({ prompt: 'none', max_age: '1' })
  assert.deepEqual([refused.fields.error, refused.fields.iss], ['login_required', ISSUER])
})

test('a client of the conformance suite needs PKCE like everybody where nothing else is switched on', async () => {
  const suite = await house.client('suite', relying.ClientSecretBasic('secret of suite'))
  const { browser } = signedIn()
  const { url } = await ask(suite)
  assert.ok(sentTo(await browser.visit(String(url))).searchParams.get('code'))
  for (const name of ['code_challenge', 'code_challenge_method']) url.searchParams.delete(name)
  assert.equal(sentTo(await browser.visit(String(url))).searchParams.get('error'), 'invalid_request')
})

/** Goes to sign out with these parameters, and says yes where that is asked. */
async function signOut(parametersOf: (idToken: string) => Record<string, string>) {
  const somebody = signedIn()
  const { id_token: id = '' } = await tokensOf({}, somebody)
  const asked = await somebody.browser.visit(`${ISSUER}/session/end?${new URLSearchParams(parametersOf(id))}`, { headers: HTML })
  assert.ok(acts.sessionRows.has(somebody.sessionId), 'to ask ends nothing')
  assert.equal(asked.headers.get('location'), null)
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(await asked.text())?.[1]
  if (xsrf === undefined) return { status: asked.status, location: undefined, ended: false }
  const body = String(new URLSearchParams({ xsrf, logout: 'yes' }))
  const answer = await somebody.browser.visit(`${ISSUER}/session/end/confirm`, { method: 'POST', headers: { ...FORM, ...HTML }, body })
  assert.equal(answer.status, 303)
  return { status: 200, location: answer.headers.get('location') ?? '', ended: !acts.sessionRows.has(somebody.sessionId) }
}

test('a sign-out that a client began comes back to where it said, with its state', async () => {
  assert.equal(app.serverMetadata().end_session_endpoint, `${ISSUER}/session/end`)
  const back = { post_logout_redirect_uri: SIGNED_OUT }
  const whole = await signOut((id) => ({ id_token_hint: id, ...back, state: 'x y' }))
  assert.deepEqual(whole, { status: 200, location: `${SIGNED_OUT}?state=x+y`, ended: true })
  assert.equal((await signOut((id) => ({ id_token_hint: id, ...back }))).location, SIGNED_OUT, 'without a state')
})

test('a sign-out that a client has the browser post is the same', async () => {
  const somebody = signedIn()
  const { id_token = '' } = await tokensOf({}, somebody)
  const url = new URL(`${ISSUER}/session/end?${new URLSearchParams({ id_token_hint: id_token, post_logout_redirect_uri: SIGNED_OUT })}`)
  const sentOn = await house.visitor().visit(`${ISSUER}/session/end`, posted(url))
  assert.deepEqual([sentOn.status, sentTo(sentOn).href], [303, url.href])
  assert.match(await (await somebody.browser.visit(sentTo(sentOn).href, { headers: HTML })).text(), /name="xsrf"/)
  assert.equal(sentTo(await house.visitor().visit(`${ISSUER}/session/end`, { ...posted(url), body: '' })).href, `${ISSUER}/session/end`)
})

test('a sign-out that names no client, or no way back, ends here', async () => {
  const here = { status: 200, location: `${ISSUER}/session/end/success`, ended: true }
  assert.deepEqual(await signOut(() => ({})), here)
  assert.deepEqual(await signOut((id) => ({ id_token_hint: id })), here)
  assert.deepEqual(await signOut(() => ({ state: 'x' })), here)
  assert.deepEqual(await signOut(() => ({ post_logout_redirect_uri: SIGNED_OUT })), here, 'an address without a client')
  assert.deepEqual(await signOut(() => ({ post_logout_redirect_uri: 'https://evil.example/' })), here)
})

test('a sign-out with an address that is not registered, or a hint that is not ours, stops at a page', async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const forged = (claims: object, alg = 'ES256') => new SignJWT({ ...claims }).setProtectedHeader({ alg }).sign(privateKey)
  const strangers = await forged({ iss: ISSUER, sub: 'x', aud: 'app', exp: 9_999_999_999, iat: 1 })
  const unsigned = (id: string) => `${btoa('{"alg":"none"}').replaceAll('=', '')}.${id.split('.')[1]}.`
  const changed = (id: string) => {
    const [head, , signature] = id.split('.')
    return `${head}.${Buffer.from(JSON.stringify({ ...decodeJwt(id), sub: 'somebody-else' })).toString('base64url')}.${signature}`
  }
  const stopped = { status: 400, location: undefined, ended: false }
  const back = { post_logout_redirect_uri: SIGNED_OUT }
  for (const uri of [
    'https://evil.example/',
    `${SIGNED_OUT}/`,
    `${SIGNED_OUT}?foo=bar`,
    `${SIGNED_OUT}#x`,
    CALLBACK,
    'javascript:alert(1)',
  ])
    assert.deepEqual(await signOut((id) => ({ id_token_hint: id, post_logout_redirect_uri: uri })), stopped, uri)
  assert.deepEqual(await signOut(() => ({ id_token_hint: strangers, ...back })), stopped, 'of another key')
  assert.deepEqual(await signOut((id) => ({ id_token_hint: unsigned(id), ...back })), stopped, 'without a signature')
  assert.deepEqual(await signOut((id) => ({ id_token_hint: changed(id), ...back })), stopped, 'of somebody else')
  assert.deepEqual(await signOut(() => ({ id_token_hint: 'nonsense', ...back })), stopped)
  assert.deepEqual(await signOut((id) => ({ id_token_hint: id, client_id: 'posts', ...back })), stopped, 'of another client')
  assert.deepEqual(house.faults, [])
})
