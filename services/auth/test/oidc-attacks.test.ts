import assert from 'node:assert/strict'
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
import { sql } from 'kysely'
import * as relying from 'openid-client'
import { createClient } from '../src/core/oidc/clients/create-client.ts'
import { createOidcActs } from '../src/core/oidc/oidc-acts.ts'
import type { OidcActs } from '../src/core/oidc/oidc-parts.ts'
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

test('a code, and a code of a device, is good for its time', async () => {
  const grantTypes = [ClientGrantType.DEVICE_CODE]
  const tv = await scene.client({ kind: ClientKind.NATIVE, authMethod: ClientAuthMethod.NONE, redirectUris: [], grantTypes })
  const { device_code } = await relying.initiateDeviceAuthorization(tv.relying, { scope: 'openid' })
  const poll = { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code }
  assert.equal(await errorOf(poll, tv), 'authorization_pending')
  const { callback, checks } = await codeFor(await signedIn(), app.relying)
  const { rows } = await sql<{ seconds: string }>`
    update oidc_records
    set expire_time = now() - interval '1 second', payload = jsonb_set(payload::jsonb, '{exp}', '1')::text, poll_time = null
    where kind in ('DeviceCode', 'AuthorizationCode') and consume_time is null
    returning round(extract(epoch from old.expire_time - old.create_time)) as seconds`.execute(house.opened.deps.db)
  assert.deepEqual(new Set(rows.map(({ seconds }) => Number(seconds))), new Set([60, 600]))
  assert.equal(await errorOf(poll, tv), 'expired_token')
  await assert.rejects(relying.authorizationCodeGrant(app.relying, callback, checks), { error: 'invalid_grant' })
})

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
