import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { create, fromJsonString } from '@bufbuild/protobuf'
import {
  ClientAuthMethod,
  ClientGrantType,
  ClientKind,
  ClientOptionsSchema,
  ClientResponseMode,
  ClientSettingsSchema,
} from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import { exportJWK, SignJWT } from 'jose'
import * as relying from 'openid-client'
import { createClient } from '../src/core/oidc/clients/create-client.ts'
import { createOidcActs } from '../src/core/oidc/oidc-acts.ts'
import type { OidcActs } from '../src/core/oidc/oidc-parts.ts'
import { athOf, newProofKey, proofOf, type Said } from './dpop-proofs.ts'
import { ISSUER, type OidcHouse, OTHER_ORIGIN, openOidcHouse } from './oidc-house.ts'
import { settingsOf } from './oidc-scene.ts'
import type { Visitor } from './page-visitor.ts'
import { ask, CALLBACK, codeFor, push, sentTo } from './relying-party.ts'
import { signSomebodyIn, somebody } from './sign-somebody-in.ts'
import { forOrders, type MadeClient, openTokenScene, type TokenScene } from './token-scene.ts'

let house: OidcHouse
let acts: OidcActs
let scene: TokenScene
let app: MadeClient
let other: MadeClient
before(async () => {
  house = await openOidcHouse(createOidcActs, { conformance: true })
  acts = createOidcActs(house.opened.deps)
  scene = await openTokenScene(house)
  app = await scene.client()
  other = await scene.client()
})
after(() => house[Symbol.asyncDispose]())

/** A browser in which somebody is signed in. */
async function signedIn(): Promise<Visitor> {
  const { session } = await signSomebodyIn(house.opened.deps, await somebody(house.opened))
  const browser = house.visitor()
  browser.cookies.set('__Host-gatehouse-oidc', acts.sessions.cookieOf('default', session?.id ?? '', 0))
  return browser
}

/** What the token endpoint answers, in short. */
async function errorOf(form: Record<string, string>, client?: MadeClient): Promise<unknown> {
  const answer = await scene.post('/token', form, client)
  return ((await answer.json()) as { error?: string }).error
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const basic = ({ id, secret }: MadeClient) => ({ authorization: `Basic ${btoa(`${id}:${secret}`)}` })

const LOOPBACK = 'http://127.0.0.1:1455/callback'
const ELSEWHERE = [
  'http://127.0.0.1.evil.example:1455/callback',
  'http://127.0.0.1@evil.example/callback',
  'http://127.0.0.1:1455@evil.example/callback',
  'http://user@127.0.0.1:1455/callback',
  'http://localhost:1455/callback',
  'http://localhost.evil.example:1455/callback',
  'http://127.0.0.2:1455/callback',
  'http://127.1:1455/callback',
  'http://2130706433:1455/callback',
  'http://0x7f000001:1455/callback',
  'http://0.0.0.0:1455/callback',
  'http://[::1]:1455/callback',
  'http://[::ffff:127.0.0.1]:1455/callback',
  'https://127.0.0.1:1455/callback',
  'http://127.0.0.1:1455/callback/',
  'http://127.0.0.1:1455/callback?x=1',
  'http://127.0.0.1:1455/callback#x',
  'http://127.0.0.1:1455/other',
  'http://127.0.0.1:1455/callback/../other',
  'http://127.0.0.1:1455//callback',
  'http://127.0.0.1:1455/Callback',
  'http://127.0.0.1:99999/callback',
  'http://127.0.0.1:/callback?',
  'http://127.0.0.1:1455\\@evil.example/callback',
  'com.example.app:/other',
  'com.example.app://callback',
  'com.example.application:/callback',
  'com.example:/callback',
  'example:/callback',
  'myapp://callback',
  'intent://127.0.0.1/callback',
]

test('a native app answers at any port of its own machine, and at no other address that looks like it', async () => {
  const native = await scene.client({
    kind: ClientKind.NATIVE,
    authMethod: ClientAuthMethod.NONE,
    grantTypes: [ClientGrantType.AUTHORIZATION_CODE],
    redirectUris: ['http://127.0.0.1/callback', 'com.example.app:/callback'],
  })
  const browser = await signedIn()
  const visit = async (uri: string) => {
    const { url } = await ask(native.relying, { redirect_uri: uri })
    return await browser.visit(String(url), { headers: { accept: 'text/html' } })
  }
  for (const uri of [LOOPBACK, 'http://127.0.0.1/callback', 'http://127.0.0.1:65535/callback', 'com.example.app:/callback'])
    assert.match((await visit(uri)).headers.get('location') ?? '', /\/oidc\/i\/[\w-]{43}$/, uri)
  for (const uri of ELSEWHERE) {
    const answer = await visit(uri)
    assert.deepEqual([answer.status, answer.headers.get('location')], [400, null], uri)
  }
  const { url } = await ask(app.relying, { redirect_uri: CALLBACK.replace('example/', 'example:1455/') })
  assert.equal((await browser.visit(String(url))).status, 400, 'a program on a server has one port')
})

test('a verifier is the one that was hashed, in the letters that it may have, and none is shown where none was promised', async () => {
  const browser = await signedIn()
  const redeem = async (client: MadeClient, callback: URL, verifier?: string) => {
    const form = { grant_type: 'authorization_code', code: callback.searchParams.get('code') ?? '', redirect_uri: CALLBACK }
    return await errorOf(verifier === undefined ? form : { ...form, code_verifier: verifier }, client)
  }
  for (const verifier of ['x'.repeat(42), 'x'.repeat(129), `${'x'.repeat(42)}!`, `${'x'.repeat(42)} `, `${'x'.repeat(42)}é`]) {
    const challenge = await relying.calculatePKCECodeChallenge(verifier)
    const { callback } = await codeFor(browser, app.relying, { code_challenge: challenge })
    assert.match(String(await redeem(app, callback, verifier)), /^invalid_(grant|request)$/, verifier)
  }
  for (const length of [43, 128]) {
    const verifier = `${'-._~'}${'x'.repeat(length - 4)}`
    const challenge = await relying.calculatePKCECodeChallenge(verifier)
    const { callback } = await codeFor(browser, app.relying, { code_challenge: challenge })
    assert.equal(await redeem(app, callback, challenge), 'invalid_grant', 'the challenge itself is no verifier')
    assert.equal(await redeem(app, callback, verifier), undefined)
  }
})

test('a client of the conformance suite leaves PKCE out where that is switched on; nobody else does, and it cannot be half', async () => {
  const profile = new URL('../../../deploy/conformance/', import.meta.url)
  const settings = fromJsonString(ClientSettingsSchema, await readFile(new URL('clients/suite.json', profile), 'utf8'))
  const { deps } = house.opened
  const made = await createClient(deps, { tenant: 'default', clientId: 'suite', settings }, { conformance: true })
  const suite = { id: 'suite', secret: made.secret, relying: await house.client('suite', relying.ClientSecretBasic(made.secret)) }
  const browser = await signedIn()
  const [redirect_uri = ''] = settings.redirectUris
  const codeWithout = async (client: MadeClient) => {
    const { url } = await ask(client.relying, client === suite ? { redirect_uri } : {})
    for (const name of ['code_challenge', 'code_challenge_method']) url.searchParams.delete(name)
    return sentTo(await browser.visit(String(url))).searchParams
  }
  const redeem = async (more: Record<string, string>) => {
    const code = (await codeWithout(suite)).get('code') ?? ''
    return await errorOf({ grant_type: 'authorization_code', code, redirect_uri, ...more }, suite)
  }
  assert.equal(await redeem({}), undefined)
  assert.equal(await redeem({ code_verifier: 'x'.repeat(43) }), 'invalid_grant', 'a verifier of nothing')
  assert.equal((await codeWithout(app)).get('error'), 'invalid_request')
  const plan = JSON.parse(await readFile(new URL('plan.json', profile), 'utf8')) as Record<string, { readonly client_id: string }>
  assert.deepEqual(
    [plan.client?.client_id, plan.client2?.client_id, plan.client_secret_post?.client_id].sort(),
    (await readdir(new URL('clients/', profile))).map((file) => file.replace('.json', '')).sort(),
  )
})

test('what is good for one client is good for no other, and each kind of token is none of the others', async () => {
  const { browser, access, refresh, id } = await scene.tokensOf(app)
  const { callback, checks } = await codeFor(browser, app.relying)
  const code = callback.searchParams.get('code') ?? ''
  const redeem = { grant_type: 'authorization_code', redirect_uri: CALLBACK, code_verifier: checks.pkceCodeVerifier }
  assert.equal(await errorOf({ grant_type: 'refresh_token', refresh_token: refresh }, other), 'invalid_grant')
  assert.equal(await errorOf({ ...redeem, code }, other), 'invalid_grant')
  for (const wrong of [access, id, code, `${refresh}x`, refresh.slice(0, -1), refresh.toUpperCase()])
    assert.equal(await errorOf({ grant_type: 'refresh_token', refresh_token: wrong }, app), 'invalid_grant')
  for (const wrong of [access, refresh, id]) assert.equal(await errorOf({ ...redeem, code: wrong }, app), 'invalid_grant')
  const signed = (await scene.tokensOf(app, forOrders)).access
  for (const wrong of [refresh, id, code, signed])
    assert.equal(await userinfo({ authorization: `Bearer ${wrong}` }), 401, wrong.slice(0, 12))
  for (const refused of ['password', 'implicit', 'urn:ietf:params:oauth:grant-type:jwt-bearer'])
    assert.match(
      String(await errorOf({ grant_type: refused, username: 'x', password: 'x' }, app)),
      /unsupported_grant_type|invalid_request/,
    )
  assert.equal(await userinfo({ authorization: `Bearer ${access}` }), 200)
  assert.equal(await errorOf({ ...redeem, code }, app), undefined)
  assert.equal(await errorOf({ grant_type: 'refresh_token', refresh_token: refresh }, app), undefined)
})

const userinfo = async (headers: Record<string, string>, origin = ISSUER): Promise<number> =>
  (await house.visitor().visit(`${origin}/userinfo`, { headers })).status

test('nothing of one tenant is anything at another, though a client there has the same name', async () => {
  const settings = settingsOf({ kind: ClientKind.BROWSER, authMethod: ClientAuthMethod.NONE, redirectUris: [CALLBACK], firstParty: true })
  for (const tenant of ['default', 'other']) await createClient(house.opened.deps, { tenant, clientId: 'twin', settings })
  const twin = { id: 'twin', secret: '', relying: await house.client('twin', relying.None()) }
  const { browser, access, refresh } = await scene.tokensOf(twin)
  const { callback, checks } = await codeFor(browser, twin.relying)
  const redeem = {
    grant_type: 'authorization_code',
    code: callback.searchParams.get('code') ?? '',
    redirect_uri: CALLBACK,
    code_verifier: checks.pkceCodeVerifier,
  }
  const there = `${OTHER_ORIGIN}/oidc`
  for (const form of [redeem, { grant_type: 'refresh_token', refresh_token: refresh }]) {
    const body = `${new URLSearchParams(form)}&client_id=twin`
    const answer = await house.visitor().visit(`${there}/token`, { method: 'POST', headers: FORM, body })
    assert.equal(((await answer.json()) as { error: string }).error, 'invalid_grant')
  }
  assert.equal(await userinfo({ authorization: `Bearer ${access}` }, there), 401)
  const url = new URL(String((await ask(twin.relying)).url).replace(ISSUER, there))
  assert.match((await browser.visit(String(url))).headers.get('location') ?? '', /^http:\/\/other\.localhost:8080\/oidc\/i\//, 'a stranger')
  assert.equal(await userinfo({ authorization: `Bearer ${access}` }), 200)
  assert.equal(await errorOf(redeem, twin), undefined)
})

test('a proof is of one key, one request, one token and one moment: with any of it changed it proves nothing', async () => {
  const key = newProofKey()
  const [url, method] = [`${ISSUER}/userinfo`, 'GET']
  const { browser } = await scene.tokensOf(app)
  const { callback, checks } = await codeFor(browser, app.relying)
  const form = {
    grant_type: 'authorization_code',
    code: callback.searchParams.get('code') ?? '',
    redirect_uri: CALLBACK,
    code_verifier: checks.pkceCodeVerifier,
  }
  const dpop = await proofOf(key, { method: 'POST', url: `${ISSUER}/token` })
  const headers = { ...FORM, ...basic(app), dpop }
  const answer = await house.visitor().visit(`${ISSUER}/token`, { method: 'POST', headers, body: String(new URLSearchParams(form)) })
  const { access_token: token } = (await answer.json()) as { access_token: string }
  const shown = async (said: Said = {}, by = key) =>
    await userinfo({ authorization: `DPoP ${token}`, dpop: await proofOf(by, { method, url, token }, said) })

  const now = Math.floor(Date.now() / 1000)
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const secret = randomBytes(32)
  const wrong: Readonly<Record<string, Said>> = {
    'typ of another token': { header: { typ: 'JWT' } },
    'no typ': { header: { typ: undefined } },
    'a shared secret': { header: { alg: 'HS256', jwk: { kty: 'oct', k: secret.toString('base64url') } }, signer: secret },
    'RSA of PKCS 1': { header: { alg: 'RS256', jwk: await exportJWK(rsa.publicKey) }, signer: rsa.privateKey },
    'a private key in the open': { header: { jwk: await exportJWK(key.privateKey) } },
    'no key': { header: { jwk: undefined } },
    'another key than the signature’s': { signer: newProofKey().privateKey },
    'another method': { claims: { htm: 'POST' } },
    'a method in other letters': { claims: { htm: 'get' } },
    'no method': { claims: { htm: undefined } },
    'another address': { claims: { htu: `${ISSUER}/token` } },
    'another host': { claims: { htu: 'http://evil.example/oidc/userinfo' } },
    'another tenant': { claims: { htu: `${OTHER_ORIGIN}/oidc/userinfo` } },
    'another scheme': { claims: { htu: url.replace('http:', 'https:') } },
    'no address': { claims: { htu: undefined } },
    'an address that is none': { claims: { htu: 'userinfo' } },
    'an hour ago': { claims: { iat: now - 3600 } },
    'in an hour': { claims: { iat: now + 3600 } },
    'no time': { claims: { iat: undefined } },
    'a nonce of nobody': { claims: { nonce: 'x' } },
    'no id': { claims: { jti: undefined } },
    'an empty id': { claims: { jti: '' } },
    'no token': { claims: { ath: undefined } },
    'another token': { claims: { ath: athOf(`${token}x`) } },
  }
  for (const [name, said] of Object.entries(wrong)) assert.notEqual(await shown(said), 200, name)
  assert.equal(await shown({}, newProofKey()), 401, 'somebody else’s key')
  const once = { claims: { jti: 'once' } }
  assert.deepEqual([await shown(once), await shown(once)], [200, 401])
  const proof = await proofOf(key, { method, url, token })
  const [head, body] = proof.split('.')
  assert.notEqual(await userinfo({ authorization: `DPoP ${token}`, dpop: `${head}.${body}.` }), 200, 'no signature')
  assert.notEqual(await userinfo({ authorization: `DPoP ${token}` }), 200, 'no proof')
  assert.notEqual(await userinfo({ authorization: `Bearer ${token}`, dpop: proof }), 200, 'as a bearer')
  const { access } = await scene.tokensOf(app)
  const unbound = await proofOf(key, { method, url, token: access })
  assert.notEqual(await userinfo({ authorization: `DPoP ${access}`, dpop: unbound }), 200, 'of a token that is bound to nothing')
  assert.equal(await shown({ claims: { htu: `${url}?x=1#y` } }), 200, 'query and fragment are no part of it (RFC 9449, 4.3)')
})

test('an assertion is its client’s own, for this issuer, and for now', async () => {
  const key = newProofKey()
  const keys = { keys: [{ ...(await exportJWK(key.publicKey)), kid: 'k', alg: 'ES256', use: 'sig' }] }
  const keyed = await scene.client({ authMethod: ClientAuthMethod.PRIVATE_KEY_JWT, jwksJson: JSON.stringify(keys) })
  const now = Math.floor(Date.now() / 1000)
  const shown = async (claims: Record<string, unknown>, signer = key.privateKey) => {
    const good = { iss: keyed.id, sub: keyed.id, aud: ISSUER, iat: now, exp: now + 60, jti: randomBytes(8).toString('hex') }
    const said = Object.fromEntries(Object.entries({ ...good, ...claims }).filter(([, value]) => value !== undefined))
    const assertion = await new SignJWT(said).setProtectedHeader({ alg: 'ES256', kid: 'k' }).sign(signer)
    return await errorOf({
      grant_type: 'client_credentials',
      client_id: keyed.id,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    })
  }
  for (const claims of [
    { iss: app.id },
    { sub: app.id },
    { iss: app.id, sub: app.id },
    { aud: 'https://evil.example' },
    { aud: `${OTHER_ORIGIN}/oidc` },
    { aud: undefined },
    { exp: now - 60 },
    { exp: undefined },
    { nbf: now + 600 },
    { jti: undefined },
    { sub: undefined },
  ])
    assert.match(String(await shown(claims)), /^invalid_(client|request)$/, JSON.stringify(claims))
  assert.equal(await shown({}, newProofKey().privateKey), 'invalid_client', 'another key')
  assert.equal(await shown({}), undefined)
})

test('a request is what stands in it: objects, addresses of objects, other answers and other pages’ scripts are refused', async () => {
  const browser = await signedIn()
  const object = `${btoa('{"alg":"none"}')}.${btoa(`{"client_id":"${app.id}","redirect_uri":"${CALLBACK}"}`)}.`.replaceAll('=', '')
  const refused: readonly Record<string, string>[] = [
    { request: object },
    { request_uri: 'https://rp.example/request.jwt' },
    { request_uri: 'http://127.0.0.1:9/request.jwt' },
    { request_uri: 'urn:ietf:params:oauth:request_uri:unknown' },
    ...['token', 'id_token', 'id_token token', 'code token', 'code id_token', 'code id_token token', 'none', 'CODE', ''].map((type) => ({
      response_type: type,
    })),
    ...['fragment.jwt', 'jwt', 'web_message', 'x'].map((mode) => ({ response_mode: mode })),
  ]
  for (const more of refused) {
    const { url } = await ask(app.relying, more)
    const answer = await browser.visit(String(url), { headers: { accept: 'text/html', origin: 'https://rp.example' } })
    const to = answer.headers.get('location') ?? ''
    assert.ok(answer.status === 400 || answer.status === 303, `${answer.status} ${JSON.stringify(more)}`)
    assert.doesNotMatch(to, /[?&#](code|access_token|id_token)=/, JSON.stringify(more))
    if (to !== '') assert.match(to, /^https:\/\/rp\.example\/callback[?#].*error=/, JSON.stringify(more))
    assert.equal(answer.headers.get('access-control-allow-origin'), null)
  }
  const challenge = { code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' }
  const pushed = { client_id: app.id, redirect_uri: CALLBACK, response_type: 'code', scope: 'openid', ...challenge }
  for (const more of [{ request: object }, { request_uri: 'urn:ietf:params:oauth:request_uri:x' }, { redirect_uri: `${CALLBACK}/x` }])
    assert.equal((await scene.post('/request', { ...pushed, ...more }, app)).status, 400, JSON.stringify(more))
  assert.equal((await scene.post('/request', pushed, app)).status, 201)
  const { url } = await push(app.relying)
  assert.match((await browser.visit(String(url))).headers.get('location') ?? '', /\?code=/)
})

test('an answer travels as its client was registered for, and by the query where nothing was said', async () => {
  const both = await scene.client({
    options: create(ClientOptionsSchema, { responseModes: [ClientResponseMode.QUERY, ClientResponseMode.FORM_POST] }),
  })
  const browser = await signedIn()
  const visit = async (client: MadeClient, mode: string) =>
    await browser.visit(String((await ask(client.relying, { response_mode: mode })).url), { headers: { accept: 'text/html' } })
  assert.match(await (await visit(both, 'form_post')).text(), /name="code"/)
  for (const client of [app, both]) assert.match((await visit(client, 'query')).headers.get('location') ?? '', /\?code=/)
  for (const [client, mode] of [
    [app, 'form_post'],
    [app, 'fragment'],
    [both, 'fragment'],
  ] as const) {
    const answer = await visit(client, mode)
    assert.doesNotMatch(`${answer.headers.get('location')} ${await answer.text()}`, /[?#]code=|name="code"/, mode)
  }
})

test('whatever sends a browser on does so by 303, so that nothing that was posted goes along', async () => {
  const browser = await signedIn()
  const { url } = await ask(app.relying)
  const failing = `${url}&prompt=none&max_age=0`
  const statuses = [(await browser.visit(String(url))).status, (await browser.visit(failing)).status]
  statuses.push((await house.visitor().visit(String(url))).status)
  const page = await (await browser.visit(`${ISSUER}/session/end`, { headers: { accept: 'text/html' } })).text()
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(page)?.[1] ?? ''
  const body = String(new URLSearchParams({ xsrf, logout: 'yes' }))
  const posted = await browser.visit(`${ISSUER}/session/end/confirm`, { method: 'POST', headers: { ...FORM, accept: 'text/html' }, body })
  statuses.push(posted.status)
  assert.deepEqual(statuses, [303, 303, 303, 303])
  assert.deepEqual(house.faults, [])
})
