import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as relying from 'openid-client'
import { type ActsInMemory, actsInMemory, clientOf } from './oidc-acts-in-memory.ts'
import { ISSUER, type OidcHouse, openOidcHouse } from './oidc-house.ts'

const CALLBACK = 'https://rp.example/callback'

let house: OidcHouse
let acts: ActsInMemory
let app: relying.Configuration
before(async () => {
  acts = actsInMemory()
  house = await openOidcHouse(() => acts)
  acts.clientRows.set('app', clientOf('app', { gatehouse_first_party: true }))
  app = await house.client('app', relying.ClientSecretBasic('secret of app'))
})
after(() => house[Symbol.asyncDispose]())

async function tokensOf(scope: string, more: Record<string, string> = {}) {
  const row = acts.openSession()
  const browser = house.visitor()
  browser.cookies.set('__Host-gatehouse-oidc', acts.sessions.cookieOf('default', row.id, row.generation))
  const pkceCodeVerifier = relying.randomPKCECodeVerifier()
  const url = relying.buildAuthorizationUrl(app, {
    redirect_uri: CALLBACK,
    scope,
    code_challenge: await relying.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...more,
  })
  const answer = await browser.visit(String(url))
  const tokens = await relying.authorizationCodeGrant(app, new URL(answer.headers.get('location') ?? ''), {
    pkceCodeVerifier,
    idTokenExpected: true,
  })
  return { row, browser, tokens, refresh: tokens.refresh_token ?? '' }
}

const refreshed = (token: string) => relying.refreshTokenGrant(app, token)

test('a client refreshes without offline_access for as long as the session lives', async () => {
  const { row, refresh } = await tokensOf('openid')
  const next = await refreshed(refresh)
  assert.notEqual(next.refresh_token, refresh)
  assert.equal(next.claims()?.sub, row.userId)
  acts.sessionRows.delete(row.id)
  await assert.rejects(refreshed(next.refresh_token ?? ''), { error: 'invalid_grant' })
})

test('what was allowed in so many words outlives the session', async () => {
  const { row, refresh } = await tokensOf('openid offline_access', { prompt: 'consent' })
  acts.sessionRows.delete(row.id)
  assert.ok((await refreshed(refresh)).access_token)
})

test('of fifty refreshes at once all get the same successor', async () => {
  const { refresh } = await tokensOf('openid')
  const answers = await Promise.all(Array.from({ length: 50 }, () => refreshed(refresh)))
  assert.equal(new Set(answers.map((each) => each.refresh_token)).size, 1)
  assert.match(answers[0]?.refresh_token ?? '', /^gor_[\w-]{43}$/)
})

test('offline_access that nobody was asked about is left out', async () => {
  const { row, refresh } = await tokensOf('openid offline_access')
  acts.sessionRows.delete(row.id)
  await assert.rejects(refreshed(refresh), { error: 'invalid_grant' })
})

test('a refresh token that comes again after its successor was used ends the grant', async () => {
  const { refresh } = await tokensOf('openid')
  const next = await refreshed(refresh)
  const last = await refreshed(next.refresh_token ?? '')
  await assert.rejects(refreshed(refresh), { error: 'invalid_grant' })
  assert.ok(acts.calls.includes('grants.end token_reused'))
  await assert.rejects(refreshed(last.refresh_token ?? ''), { error: 'invalid_grant' })
})

test('who may not sign in any more refreshes nothing', async () => {
  const { refresh } = await tokensOf('openid offline_access')
  const { answer } = acts
  acts.answer = () => undefined
  await assert.rejects(refreshed(refresh), { error: 'invalid_grant' })
  acts.answer = answer
})

test('an access token tells its session and grant, and one of an ended session opens nothing', async () => {
  const { row, tokens } = await tokensOf('openid')
  await relying.fetchUserInfo(app, tokens.access_token, row.userId)
  acts.sessionRows.delete(row.id)
  await assert.rejects(relying.fetchUserInfo(app, tokens.access_token, row.userId))
})

test('a client gives a token back, and only its own', async () => {
  const { row, tokens, refresh } = await tokensOf('openid')
  acts.clientRows.set('other', clientOf('other'))
  const other = await house.client('other', relying.ClientSecretBasic('secret of other'))
  await relying.tokenRevocation(other, tokens.access_token).catch(() => undefined)
  await relying.fetchUserInfo(app, tokens.access_token, row.userId)
  await relying.tokenRevocation(app, tokens.access_token)
  await assert.rejects(relying.fetchUserInfo(app, tokens.access_token, row.userId))
  const next = await refreshed(refresh)
  await relying.tokenRevocation(app, next.refresh_token ?? '')
  await assert.rejects(refreshed(next.refresh_token ?? ''), { error: 'invalid_grant' })
})

test('to sign out asks first, then ends the session and everything that hangs on it', async () => {
  const { row, browser, tokens, refresh } = await tokensOf('openid')
  const headers = { accept: 'text/html' }
  const asked = await browser.visit(`${ISSUER}/session/end?id_token_hint=${tokens.id_token}`, { headers })
  const page = await asked.text()
  assert.equal(asked.status, 200)
  assert.ok(acts.sessionRows.has(row.id), 'a link signs nobody out')
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(page)?.[1] ?? ''
  const post = (value: string) =>
    browser.visit(`${ISSUER}/session/end/confirm`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
      body: String(new URLSearchParams({ xsrf: value, logout: 'yes' })),
    })
  assert.equal((await post('forged')).status, 400)
  assert.ok(acts.sessionRows.has(row.id))
  browser.cookies.set('__Host-gatehouse-refresh', 'x')
  assert.equal((await post(xsrf)).status, 303)
  assert.deepEqual([...browser.cookies.keys()], [])
  assert.equal(acts.sessionRows.has(row.id), false)
  await assert.rejects(refreshed(refresh), { error: 'invalid_grant' })
  assert.deepEqual(house.faults, [])
})
