import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { acrOf, strengthOf } from '@gatehouse/identity'
import * as relying from 'openid-client'
import { type ActsInMemory, actsInMemory, clientOf, type SessionRow } from './oidc-acts-in-memory.ts'
import { ISSUER, type OidcHouse, openOidcHouse } from './oidc-house.ts'
import type { Visitor } from './page-visitor.ts'
import { ask, codeFor, sentTo } from './relying-party.ts'

let house: OidcHouse
let acts: ActsInMemory
let app: relying.Configuration
before(async () => {
  acts = actsInMemory()
  house = await openOidcHouse(() => acts)
  for (const id of ['app', 'second']) acts.clientRows.set(id, clientOf(id, { gatehouse_first_party: true }))
  acts.clientRows.set('strict', clientOf('strict', { gatehouse_first_party: true, gatehouse_min_strength: 2 }))
  app = await house.client('app', relying.ClientSecretBasic('secret of app'))
})
after(() => house[Symbol.asyncDispose]())

const cookieOf = ({ id, generation }: SessionRow) => acts.sessions.cookieOf('default', id, generation)

function signedIn(changes: Partial<SessionRow> = {}): { browser: Visitor; row: SessionRow } {
  const row = acts.openSession(changes)
  const browser = house.visitor()
  browser.cookies.set('__Host-gatehouse-oidc', cookieOf(row))
  return { browser, row }
}

/** Begins an interaction and answers its id. */
async function interactionOf(browser: Visitor, client: relying.Configuration, more: Record<string, string> = {}) {
  const asked = await ask(client, more)
  const uid =
    sentTo(await browser.visit(String(asked.url)))
      .pathname.split('/')
      .pop() ?? ''
  return { ...asked, uid }
}

/** What the page's JSON does once somebody has signed in. */
async function finish(uid: string, row: SessionRow): Promise<void> {
  const provider = await house.provider()
  const interaction = await provider.Interaction.find(uid)
  assert.ok(interaction)
  const session = { id: row.id, generation: row.generation }
  const login = {
    accountId: row.userId,
    ts: Math.floor(row.authTime.getTime() / 1000),
    amr: [...row.amr],
    acr: acrOf(strengthOf(row.amr)),
    session,
  }
  interaction.result = { login }
  await interaction.save(300)
}

test('a stranger signs in on our page and comes back with a code of the session that was opened there', async () => {
  const browser = house.visitor()
  const { uid, checks } = await interactionOf(browser, app)
  const row = acts.openSession({ amr: ['pwd', 'otp'] })
  await finish(uid, row)
  const callback = sentTo(await browser.visit(`${ISSUER}/auth/${uid}`))
  const tokens = await relying.authorizationCodeGrant(app, callback, checks)
  assert.deepEqual([tokens.claims()?.sub, tokens.claims()?.acr], [row.userId, 'aal2'])
  assert.equal(browser.cookies.get('__Host-gatehouse-oidc'), cookieOf(row))
  assert.notEqual(row.clients.app?.grantId, undefined)
})

test('a half-finished sign-in becomes no code', async () => {
  const browser = house.visitor()
  const { uid } = await interactionOf(browser, app)
  const answer = await browser.visit(`${ISSUER}/auth/${uid}`)
  assert.match(sentTo(answer).pathname, /^\/oidc\/i\//)
})

test('an interaction goes on in the browser that began it, and once', async () => {
  const browser = house.visitor()
  const { uid } = await interactionOf(browser, app)
  await finish(uid, acts.openSession())
  assert.equal((await house.visitor().visit(`${ISSUER}/auth/${uid}`)).status, 400)
  assert.notEqual(sentTo(await browser.visit(`${ISSUER}/auth/${uid}`)).searchParams.get('code'), null)
  assert.equal((await browser.visit(`${ISSUER}/auth/${uid}`)).status, 400)
})

test('one sign-in is good for every client, and two tabs at once lose nothing', async () => {
  const { browser, row } = signedIn()
  const second = await house.client('second', relying.ClientSecretBasic('secret of second'))
  const [one, two] = await Promise.all([codeFor(browser, app), codeFor(browser, second)])
  await relying.authorizationCodeGrant(app, one.callback, one.checks)
  await relying.authorizationCodeGrant(second, two.callback, two.checks)
  assert.deepEqual(Object.keys(row.clients).sort(), ['app', 'second'])
})

test('whoever raises their sign-in for a client comes back with the new cookie, and the one before is refused', async () => {
  const { browser, row } = signedIn()
  const { uid, checks } = await interactionOf(browser, app, { acr_values: 'aal2' })
  const old = cookieOf(row)
  Object.assign(row, { generation: 1, amr: ['pwd', 'otp'] })
  await finish(uid, row)
  assert.equal((await browser.visit(`${ISSUER}/auth/${uid}`)).status, 400)
  browser.cookies.set('__Host-gatehouse-oidc', cookieOf(row))
  const again = await interactionOf(browser, app, { acr_values: 'phr' })
  assert.match(again.uid, /^[\w-]{43}$/)
  browser.cookies.set('__Host-gatehouse-oidc', old)
  assert.equal((await codeFor(browser, app, { prompt: 'none' })).callback.searchParams.get('error'), 'login_required')
  assert.ok(checks)
})

test('a client that wants two factors gets nobody with one', async () => {
  const strict = await house.client('strict', relying.ClientSecretBasic('secret of strict'))
  const weak = await codeFor(signedIn().browser, strict, { prompt: 'none' })
  assert.equal(weak.callback.searchParams.get('error'), 'unmet_authentication_requirements')
  const strong = await codeFor(signedIn({ amr: ['pwd', 'otp'] }).browser, strict, { prompt: 'none' })
  assert.notEqual(strong.callback.searchParams.get('code'), null)
})

test('an acr that is essential and that nobody reaches is said to be so, an unknown one that is wished for is left aside', async () => {
  const { browser } = signedIn()
  const essential = JSON.stringify({ id_token: { acr: { essential: true, values: ['urn:unknown'] } } })
  assert.equal(
    (await codeFor(browser, app, { claims: essential, prompt: 'none' })).callback.searchParams.get('error'),
    'unmet_authentication_requirements',
  )
  assert.notEqual((await codeFor(browser, app, { acr_values: 'urn:unknown' })).callback.searchParams.get('code'), null)
})

test('who signed in long ago, or has to again, is asked again', async () => {
  const { browser } = signedIn({ authTime: new Date(Date.now() - 600_000) })
  assert.match(sentTo(await browser.visit(String((await ask(app, { max_age: '60' })).url))).pathname, /^\/oidc\/i\//)
  assert.notEqual((await codeFor(browser, app, { max_age: '3600' })).callback.searchParams.get('code'), null)
  assert.match(sentTo(await browser.visit(String((await ask(app, { prompt: 'login' })).url))).pathname, /^\/oidc\/i\//)
})

test('whoever may not sign in any more is a stranger, whatever their cookie says', async () => {
  const { browser } = signedIn()
  const { answer } = acts
  acts.answer = () => undefined
  const { callback } = await codeFor(browser, app, { prompt: 'none' })
  acts.answer = answer
  assert.equal(callback.searchParams.get('error'), 'login_required')
})
