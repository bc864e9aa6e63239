import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ClientGrantType } from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import * as relying from 'openid-client'
import type { Deps } from '../src/core/deps.ts'
import { createKeyRing } from '../src/core/keys/key-ring.ts'
import { createClient } from '../src/core/oidc/clients/create-client.ts'
import { addResource } from '../src/core/oidc/clients/resources.ts'
import { createHashPool } from '../src/core/passwords/hash-pool.ts'
import { insertCredential } from '../src/store/credentials.ts'
import { type Browser, openBrowser } from './browser.ts'
import { ISSUER } from './oidc-house.ts'
import { settingsOf } from './oidc-scene.ts'
import { openStory, type Story } from './open-story.ts'
import { type Visitor, visitorAt } from './page-visitor.ts'
import { CALLBACK, codeFor } from './relying-party.ts'
import { rightPassword } from './sign-somebody-in.ts'

const COOKIE = '__Host-gatehouse-oidc'

let story: Story
let app: relying.Configuration
before(async () => {
  story = await openStory()
  const { db } = story
  const keys = createKeyRing({ db, now: Date.now, encryptionKey: Buffer.alloc(32, 8) })
  const deps: Pick<Deps, 'db' | 'keys' | 'now' | 'committed' | 'audiences'> = { db, keys, now: Date.now, committed() {}, audiences: [] }
  const resource = { tenant: 'default', resource: 'urn:orders', audience: 'orders', scopes: ['read'], lifetimeSeconds: 600 }
  await addResource(deps, resource)
  const settings = settingsOf({
    firstParty: true,
    redirectUris: [CALLBACK],
    grantTypes: [ClientGrantType.AUTHORIZATION_CODE, ClientGrantType.REFRESH_TOKEN, ClientGrantType.CLIENT_CREDENTIALS],
    resources: ['urn:orders'],
  })
  const { secret } = await createClient(deps, { tenant: 'default', clientId: 'app', settings })
  const { visit } = visitorAt(story.app.ports.web)
  app = await relying.discovery(new URL(ISSUER), 'app', undefined, relying.ClientSecretBasic(secret), {
    [relying.customFetch]: (url: string, { method, headers, body }: relying.CustomFetchOptions) =>
      visit(url, { method, headers, body: body === undefined || body === null ? undefined : String(body) }),
    execute: [relying.allowInsecureRequests],
  })
})
after(() => story[Symbol.asyncDispose]())

async function signedIn(email: string): Promise<{ page: Browser; browser: Visitor; accessToken: string; userId: string }> {
  const person = story.people.add('default', { email })
  const passwordHash = await createHashPool().hash(rightPassword)
  await insertCredential(story.db, { tenant: 'default', userId: person.id, passwordHash, time: new Date() })
  const page = openBrowser(story.app.ports.web)
  const { body, cookies } = await page.call('SessionService/SignIn', { email, password: rightPassword, useCookie: true })
  assert.match(cookies.find((each) => each.startsWith(COOKIE)) ?? '', /; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
  const { accessToken } = body.signedIn as { accessToken: string }
  const browser = visitorAt(story.app.ports.web)
  browser.cookies.set(COOKIE, page.oidc.slice(COOKIE.length + 1))
  return { page, browser, accessToken, userId: person.id }
}

test('a running auth service gives a program its token', async () => {
  const opaque = await relying.clientCredentialsGrant(app)
  assert.match(opaque.access_token, /^goa_/)
  const jwt = await relying.clientCredentialsGrant(app, { resource: 'urn:orders', scope: 'read' })
  assert.equal(jwt.access_token.split('.').length, 3)
})

test('it signs people in to other programs, for as long as their session lives', async () => {
  const { page, browser, accessToken, userId } = await signedIn('story@example.com')
  const { callback, checks } = await codeFor(browser, app, { prompt: 'none' })
  const tokens = await relying.authorizationCodeGrant(app, callback, checks)
  assert.equal(tokens.claims()?.sub, userId)
  await relying.fetchUserInfo(app, tokens.access_token, userId)
  const next = await relying.refreshTokenGrant(app, tokens.refresh_token ?? '')
  const session = JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString()) as { sid: string }
  const ended = await page.call('SessionService/RevokeSession', { sessionId: session.sid }, { authorization: `Bearer ${accessToken}` })
  assert.equal(ended.status, 200, JSON.stringify(ended.body))
  await assert.rejects(relying.refreshTokenGrant(app, next.refresh_token ?? ''), { error: 'invalid_grant' })
  await assert.rejects(relying.fetchUserInfo(app, next.access_token, userId))
  assert.equal((await codeFor(browser, app, { prompt: 'none' })).callback.searchParams.get('error'), 'login_required')
})

test('a refresh has the browser keep what it is known by, a sign-out has it forget that', async () => {
  const { page } = await signedIn('kept@example.com')
  const before = page.oidc
  page.oidc = ''
  await page.call('SessionService/RefreshSession')
  assert.equal(page.oidc, before)
  const program = await page.call('SessionService/SignIn', { email: 'kept@example.com', password: rightPassword })
  assert.deepEqual([program.status, program.cookies], [200, []])
  await page.call('SessionService/SignOut')
  assert.deepEqual([page.oidc, page.cookie], ['', ''])
})

test('none of its tokens opens a door of ours', async () => {
  const { browser, page } = await signedIn('doors@example.com')
  const { callback, checks } = await codeFor(browser, app)
  const tokens = await relying.authorizationCodeGrant(app, callback, checks)
  const jwt = await relying.clientCredentialsGrant(app, { resource: 'urn:orders', scope: 'read' })
  for (const token of [tokens.access_token, tokens.id_token ?? '', tokens.refresh_token ?? '', jwt.access_token]) {
    const answer = await page.call('SessionService/ListSessions', {}, { authorization: `Bearer ${token}` })
    assert.deepEqual([answer.status, answer.reason], [401, 'ACCESS_TOKEN_INVALID'], token.slice(0, 6))
  }
})
