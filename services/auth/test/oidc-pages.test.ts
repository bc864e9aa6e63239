import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import {
  ClientAuthMethod,
  ClientGrantType,
  ClientOptionsSchema,
  ClientResponseMode,
} from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import type { SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import * as relying from 'openid-client'
import { createOidcActs } from '../src/core/oidc/oidc-acts.ts'
import type { OidcActs } from '../src/core/oidc/oidc-parts.ts'
import { type ConsolePage, consolePage } from '../src/oidc/console-page.ts'
import { consolePages } from '../src/oidc/pages.ts'
import { arrive, browserOf, openSessionOf } from './interaction-page.ts'
import { ISSUER, type OidcHouse, openOidcHouse } from './oidc-house.ts'
import { someClient } from './oidc-scene.ts'
import type { Visitor } from './page-visitor.ts'
import { ask, CALLBACK, codeFor, sentTo } from './relying-party.ts'

const NAME = 'An </script><script>app & "more"'
const LOGGED_OUT = 'https://elsewhere.example/bye'
const html = { accept: 'text/html' }

let folder: string
let page: ConsolePage
let house: OidcHouse
let acts: OidcActs
let app: relying.Configuration
let appId: string
const warnings: string[] = []
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'console-'))
  page = consolePage(folder, { warn: (fields: object, message?: string) => void warnings.push(`${message} ${JSON.stringify(fields)}`) })
  house = await openOidcHouse(createOidcActs, { pages: consolePages(page) })
  acts = createOidcActs(house.opened.deps)
  const { clientId, secret } = await someClient(house.opened.deps, {
    name: NAME,
    firstParty: true,
    redirectUris: [CALLBACK],
    postLogoutRedirectUris: [LOGGED_OUT],
    options: create(ClientOptionsSchema, { responseModes: [ClientResponseMode.QUERY, ClientResponseMode.FORM_POST] }),
  })
  appId = clientId
  app = await house.client(clientId, relying.ClientSecretBasic(secret))
})
after(async () => {
  await house[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

const build = (text = '') => writeFile(join(folder, 'index.html'), `<!doctype html><html><head>${text}</head><body></body></html>`)

async function signedIn(): Promise<{ browser: Visitor; signed: SignedInResult }> {
  const signed = await openSessionOf(house.opened)
  return { browser: browserOf(house, acts, signed), signed }
}

/** The data in a page. */
async function dataIn(answer: Response): Promise<Record<string, unknown>> {
  const [, json = ''] = /<script type="application\/json" id="gatehouse-oidc">([^<]*)<\/script><\/head>/.exec(await answer.text()) ?? []
  return JSON.parse(json) as Record<string, unknown>
}

const send = (browser: Visitor, url: unknown, form: Record<string, string>) =>
  browser.visit(String(url), {
    method: 'POST',
    headers: { ...html, 'content-type': 'application/x-www-form-urlencoded' },
    body: String(new URLSearchParams(form)),
  })

const formActionOf = (answer: Response) => /form-action ([^;]+)/.exec(answer.headers.get('content-security-policy') ?? '')?.[1]

test('without a built console the pages are plain, and the log says so once; one that is built later is shown', async () => {
  const { browser } = await signedIn()
  const plain = await browser.visit(`${ISSUER}/session/end`, { headers: html })
  assert.match(await plain.text(), /<form id="op.logoutForm"/)
  await page.read()
  assert.match(warnings.join('\n'), /^OIDC_PAGES has no built console[^\n]*index\.html[^\n]*$/)
  await build('<title>one</title>')
  assert.match((await page.read()) ?? '', /<title>one</)
  assert.equal((await dataIn(await browser.visit(`${ISSUER}/session/end`, { headers: html }))).page, 'logout')
})

test('to sign out is asked for, and the form may leave for where the client wants the person to end', async () => {
  await build()
  const { browser, signed } = await signedIn()
  const asked = `${ISSUER}/session/end?client_id=${appId}&post_logout_redirect_uri=${LOGGED_OUT}&state=x`
  const answer = await browser.visit(asked, { headers: html })
  assert.equal(formActionOf(answer), "'self' https://elsewhere.example")
  const { xsrf, ...rest } = await dataIn(answer)
  assert.deepEqual(rest, { page: 'logout', action: `${ISSUER}/session/end/confirm`, client: { id: appId, name: NAME } })
  assert.equal((await send(browser, rest.action, { xsrf: 'forged', logout: 'yes' })).status, 400)
  assert.notEqual(await acts.sessions.findById('default', signed.session?.id ?? ''), undefined)
  const done = await send(browser, rest.action, { xsrf: String(xsrf), logout: 'yes' })
  assert.equal(String(sentTo(done)), `${LOGGED_OUT}?state=x`)
  assert.equal(await acts.sessions.findById('default', signed.session?.id ?? ''), undefined)
  assert.equal(browser.cookies.has('__Host-gatehouse-oidc'), false)
})

test('without a place to go to, the page says that the person is signed out, and its form leaves for nowhere', async () => {
  await build()
  const { browser } = await signedIn()
  const answer = await browser.visit(`${ISSUER}/session/end`, { headers: html })
  assert.equal(formActionOf(answer), "'self'")
  const { xsrf, action, client } = await dataIn(answer)
  assert.equal(client, null)
  const next = sentTo(await send(browser, action, { xsrf: String(xsrf), logout: 'yes' }))
  assert.deepEqual(await dataIn(await browser.visit(String(next), { headers: html })), { page: 'signed-out', client: null })
})

test('an answer by form_post leaves for its client alone', async () => {
  const { browser } = await signedIn()
  const { url } = await ask(app, { response_mode: 'form_post' })
  assert.equal(formActionOf(await browser.visit(String(url))), "'self' https://rp.example")
  const refused = await ask(app, { response_mode: 'form_post', prompt: 'none' })
  assert.equal(formActionOf(await house.visitor().visit(String(refused.url))), "'self' https://rp.example")
})

test('an error that belongs to no client is a page, and what stands in it ends no element', async () => {
  await build()
  const answer = await house.visitor().visit(`${ISSUER}/auth?client_id=%3C/script%3E`, { headers: html })
  assert.equal(answer.status, 400)
  const { page: shown, problem } = await dataIn(answer)
  assert.deepEqual([shown, (problem as { error: string }).error], ['error', 'invalid_client'])
})

test('somebody who is not signed in connects a device: code, sign-in, done', async () => {
  await build()
  const { clientId } = await someClient(house.opened.deps, {
    name: NAME,
    firstParty: true,
    authMethod: ClientAuthMethod.NONE,
    redirectUris: [],
    grantTypes: [ClientGrantType.DEVICE_CODE],
  })
  const device = await house.client(clientId, relying.None())
  const begun = await relying.initiateDeviceAuthorization(device, { scope: 'openid' })
  const { signed } = await signedIn()
  const browser = house.visitor()
  const typed = await dataIn(await browser.visit(`${ISSUER}/device`, { headers: html }))
  const { xsrf, ...empty } = typed
  assert.deepEqual(empty, { page: 'device', action: `${ISSUER}/device`, userCode: null, problem: null })
  const wrong = await dataIn(await send(browser, empty.action, { xsrf: String(xsrf), user_code: 'BBBB-BBBB' }))
  assert.deepEqual([wrong.page, wrong.userCode, wrong.problem], ['device', 'BBBB-BBBB', 'unknown'])
  const shown = await dataIn(await send(browser, empty.action, { xsrf: String(wrong.xsrf), user_code: begun.user_code }))
  const { xsrf: again, ...confirm } = shown
  const client = { id: clientId, name: NAME }
  assert.deepEqual(confirm, { page: 'device-confirm', action: `${ISSUER}/device`, client, userCode: begun.user_code })
  const sent = sentTo(await send(browser, confirm.action, { xsrf: String(again), user_code: begun.user_code, confirm: 'yes' }))
  const interaction = await arrive(browser, (await ask(app)).checks, sent)
  assert.deepEqual((await interaction.request()).client, { ...client, uri: null, firstParty: true })
  const { location } = await interaction.post('sign-in', signed.accessToken)
  assert.equal(location, `${ISSUER}/device/${interaction.uid}`)
  assert.deepEqual(await dataIn(await browser.visit(location, { headers: html })), { page: 'device-done', client })
  const tokens = await relying.pollDeviceAuthorizationGrant(device, { ...begun, interval: 0 })
  assert.equal(tokens.claims()?.sub, signed.user?.id)
})

test('whoever refuses a device on the sign-in page is told so, and the device too', async () => {
  await build()
  const { clientId } = await someClient(house.opened.deps, {
    authMethod: ClientAuthMethod.NONE,
    redirectUris: [],
    grantTypes: [ClientGrantType.DEVICE_CODE],
  })
  const device = await house.client(clientId, relying.None())
  const begun = await relying.initiateDeviceAuthorization(device, { scope: 'openid' })
  const { browser } = await signedIn()
  const { action, xsrf } = await dataIn(await browser.visit(`${ISSUER}/device`, { headers: html }))
  const form = { xsrf: String(xsrf), user_code: begun.user_code, confirm: 'yes' }
  const interaction = await arrive(browser, (await ask(app)).checks, sentTo(await send(browser, action, form)))
  assert.equal((await interaction.request()).prompt, 'consent')
  const { location } = await interaction.post('refuse', undefined)
  const told = await dataIn(await browser.visit(location, { headers: html }))
  assert.deepEqual([told.page, told.problem], ['device', 'refused'])
  await assert.rejects(relying.pollDeviceAuthorizationGrant(device, { ...begun, interval: 0 }), { error: 'access_denied' })
  assert.notEqual((await codeFor(browser, app)).callback.searchParams.get('code'), null)
})
