import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as relying from 'openid-client'
import { type ActsInMemory, actsInMemory, clientOf } from './oidc-acts-in-memory.ts'
import { ISSUER, type OidcHouse, openOidcHouse } from './oidc-house.ts'
import type { Visitor } from './page-visitor.ts'
import { codeFor, push, sentTo } from './relying-party.ts'

let house: OidcHouse
let acts: ActsInMemory
let app: relying.Configuration
before(async () => {
  acts = actsInMemory()
  house = await openOidcHouse(() => acts)
  for (const id of ['app', 'other']) acts.clientRows.set(id, clientOf(id, { gatehouse_first_party: true }))
  app = await house.client('app', relying.ClientSecretBasic('secret of app'))
})
after(() => house[Symbol.asyncDispose]())

function signedIn(): Visitor {
  const row = acts.openSession()
  const browser = house.visitor()
  browser.cookies.set('__Host-gatehouse-oidc', acts.sessions.cookieOf('default', row.id, row.generation))
  return browser
}

test('a request that was pushed is good once, for its client', async () => {
  const browser = signedIn()
  const { url, checks } = await push(app)
  assert.deepEqual([...url.searchParams.keys()].sort(), ['client_id', 'request_uri'])
  const foreign = new URL(url)
  foreign.searchParams.set('client_id', 'other')
  assert.equal((await browser.visit(String(foreign))).headers.get('location'), null)
  const callback = sentTo(await browser.visit(String(url)))
  await relying.authorizationCodeGrant(app, callback, checks)
  assert.equal((await browser.visit(String(url))).headers.get('location'), null)
})

test('of twenty browsers at once with one pushed request one gets a code', async () => {
  const { url } = await push(app)
  const answers = await Promise.all(Array.from({ length: 20 }, () => signedIn().visit(String(url))))
  assert.equal(answers.filter((answer) => answer.headers.get('location')?.includes('code=')).length, 1)
})

test('what is said beside a pushed request adds nothing to it', async () => {
  const { url, checks } = await push(app, { scope: 'openid' })
  url.searchParams.set('scope', 'openid email')
  const callback = sentTo(await signedIn().visit(String(url)))
  assert.equal((await relying.authorizationCodeGrant(app, callback, checks)).scope, 'openid')
})

test('a token is bound to the key that was proven, and opens nothing without a proof', async () => {
  const browser = signedIn()
  const dpop = relying.getDPoPHandle(app, await relying.randomDPoPKeyPair('ES256'))
  const { callback, checks } = await codeFor(browser, app)
  const tokens = await relying.authorizationCodeGrant(app, callback, checks, {}, { DPoP: dpop })
  assert.equal(tokens.token_type, 'dpop')
  const sub = tokens.claims()?.sub ?? ''
  await relying.fetchUserInfo(app, tokens.access_token, sub, { DPoP: dpop })
  const bearer = await house.visitor().visit(`${ISSUER}/userinfo`, { headers: { authorization: `Bearer ${tokens.access_token}` } })
  assert.equal(bearer.status, 401)
  const stranger = relying.getDPoPHandle(app, await relying.randomDPoPKeyPair('ES256'))
  await assert.rejects(relying.fetchUserInfo(app, tokens.access_token, sub, { DPoP: stranger }))
  const next = await relying.refreshTokenGrant(app, tokens.refresh_token ?? '', {}, { DPoP: dpop })
  assert.equal(next.token_type, 'dpop')
})

test('one proof is good once, whoever else is shown it at the same time', async () => {
  const browser = signedIn()
  const dpop = relying.getDPoPHandle(app, await relying.randomDPoPKeyPair('ES256'))
  const { callback, checks } = await codeFor(browser, app)
  const tokens = await relying.authorizationCodeGrant(app, callback, checks, {}, { DPoP: dpop })
  let proof = ''
  const capturing = await house.client('app', relying.ClientSecretBasic('secret of app'))
  const passOn = capturing[relying.customFetch]
  capturing[relying.customFetch] = async (url, options) => {
    proof = new Headers(options.headers as Record<string, string>).get('dpop') ?? proof
    return await (passOn ?? fetch)(url, options as never)
  }
  await relying.fetchUserInfo(capturing, tokens.access_token, tokens.claims()?.sub ?? '', { DPoP: dpop })
  const again = await house
    .visitor()
    .visit(`${ISSUER}/userinfo`, { headers: { authorization: `DPoP ${tokens.access_token}`, dpop: proof } })
  assert.equal(again.status, 401)
  assert.deepEqual(house.faults, [])
})
