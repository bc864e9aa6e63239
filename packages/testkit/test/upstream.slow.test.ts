import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startBrowser } from '@gatehouse/testkit'
import type { Browser, Page } from 'playwright-core'
import { type House, openHouse, until } from './house.ts'
import { operate } from './operate.ts'
import { findNoBarriers, openPage, picture, runsOverNowhere } from './pages.ts'
import { startApp } from './relying-app.ts'
import { withoutAutofill } from './virtual-authenticator.ts'

let house: House
let browser: Browser
/** Two tenants of one house, at two origins: one is the provider, by OpenID Connect, of the other one's people. */
let there: string
let here: string
before(async () => {
  ;[house, browser] = await Promise.all([openHouse({ extra: { auth: { OIDC_EGRESS_ALLOW: 'idp.localhost' } } }), startBrowser()])
  here = house.local.origin
  there = `http://idp.localhost:${house.local.ports.origin}`
  await done('tenants create', 'idp', '--origin', there)
  const client = {
    name: 'Acme',
    kind: 'CLIENT_KIND_WEB',
    firstParty: true,
    redirectUris: [`${here}/connections/callback/head`],
    grantTypes: ['CLIENT_GRANT_TYPE_AUTHORIZATION_CODE'],
    authMethod: 'CLIENT_AUTH_METHOD_CLIENT_SECRET_BASIC',
  }
  const secret = (await done('clients create', 'acme', JSON.stringify(client), '--tenant', 'idp')).trim()
  const head = {
    name: 'Head office',
    clientId: 'acme',
    domains: ['head.example'],
    jit: 'CONNECTION_JIT_ON',
    trustedEmail: true,
    scopes: ['profile'],
  }
  await done('connections create', 'head', JSON.stringify(head), '--issuer', `${there}/oidc`, {
    CONNECTION_SECRET: secret,
  })
})
after(async () => {
  await browser?.close()
  await house?.[Symbol.asyncDispose]()
})

async function done(command: string, ...words: (string | Record<string, string>)[]): Promise<string> {
  const { out, failure } = await operate(house.local, 'auth', command, ...words)
  assert.equal(failure, undefined, `${command}: ${failure}`)
  return out
}

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()
const hello = (page: Page, name: string) => page.getByRole('heading', { name: `Hello, ${name}`, level: 1 }).waitFor()

async function givePassword(page: Page, { email, password }: { email: string; password: string }): Promise<void> {
  await page.getByLabel('E-mail address').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await press(page, 'Sign in')
}

async function looksGood(page: Page, name: string): Promise<void> {
  await findNoBarriers(page)
  await runsOverNowhere(page)
  await picture(page, name)
}

/** A browser whose person is signed in at the provider. */
async function signedInThere(person: { email: string; password: string }, name: string) {
  const opened = await openPage(browser, `${there}/sign-in`, await withoutAutofill(browser))
  await givePassword(opened.page, person)
  await hello(opened.page, name)
  return opened
}

test('people of one Gatehouse come into another by a button, and into no account that has their address', async () => {
  const ada = await house.person('ada@head.example', '--name', 'Ada Lovelace', '--tenant', 'idp')
  const { page, complaints, context } = await signedInThere(ada, 'Ada Lovelace')
  await page.goto(`${here}/sign-in`)
  await page.getByRole('button', { name: 'Continue with Head office' }).waitFor()
  await looksGood(page, 'connections-sign-in')
  await press(page, 'Continue with Head office')
  await hello(page, 'Ada Lovelace')
  assert.equal(page.url(), `${here}/profile`)
  await page.goto(`${here}/account`)
  const section = page.getByRole('region', { name: 'Sign-in elsewhere' })
  await section.getByText('ada@head.example').waitFor()
  await looksGood(page, 'connections-account')
  await context.close()

  const bob = await house.person('bob@head.example', '--name', 'Bob', '--tenant', 'idp')
  await house.person('bob@head.example', '--name', 'Bob here')
  const other = await signedInThere(bob, 'Bob')
  await other.page.goto(`${here}/sign-in`)
  await press(other.page, 'Continue with Head office')
  await other.page.getByRole('alert').getByText('Nobody here is connected to that.').waitFor()
  await looksGood(other.page, 'connections-not-linked')
  assert.deepEqual([...complaints, ...other.complaints], [])
  await other.context.close()
})

test('somebody connects who they are there, comes in by it, and disconnects it', async () => {
  const carl = await house.person('carl@head.example', '--name', 'Carl', '--tenant', 'idp')
  const own = await house.person('carl@acme.example', '--name', 'Carl here')
  const { page, complaints, context } = await signedInThere(carl, 'Carl')
  await page.goto(`${here}/sign-in`)
  await givePassword(page, own)
  await hello(page, 'Carl here')
  await page.goto(`${here}/account`)
  const section = page.getByRole('region', { name: 'Sign-in elsewhere' })
  await section.getByRole('button', { name: 'Connect Head office' }).click()
  await section.getByText('carl@head.example').waitFor()
  await press(page, 'Sign out')
  await page.getByRole('button', { name: 'Continue with Head office' }).click()
  await hello(page, 'Carl here')
  await page.goto(`${here}/account`)
  await section.getByRole('button', { name: 'Disconnect Head office' }).click()
  await section.getByRole('button', { name: 'Connect Head office' }).waitFor()
  assert.deepEqual(complaints, [])
  await context.close()
})

test('on the way to an app people come in by their company, and go on to the app', async () => {
  const eve = await house.person('eve@head.example', '--name', 'Eve', '--tenant', 'idp')
  await using wiki = await startApp(house, 'Wiki', { firstParty: true })
  const { page, complaints, context } = await signedInThere(eve, 'Eve')
  await page.goto(await wiki.begin())
  await page.getByRole('heading', { name: 'Sign in to go on to Wiki', level: 1 }).waitFor()
  await press(page, 'Continue with Head office')
  await page.getByRole('heading', { name: 'Welcome to Wiki', level: 1 }).waitFor()
  const { claims } = wiki.last()
  assert.deepEqual([claims?.email, claims?.amr, claims?.acr], [undefined, ['fed'], 'aal1'])
  assert.deepEqual(complaints, [])
  await context.close()
})

test('where a company signs its people in, their address alone leads there, and their password nowhere', async () => {
  const dora = await house.person('dora@head.example', '--name', 'Dora', '--tenant', 'idp')
  await done('connections update', 'head', '{"enforce": true, "hidden": true}')
  const { page, complaints, context } = await signedInThere(dora, 'Dora')
  await until('the change is known', async () => {
    const answer = await house.call(
      '/gatehouse.auth.v1.ConnectionService/ListSignInConnections',
      { email: 'x@head.example' },
      { origin: here },
    )
    return (answer.body as { ofDomain?: { required?: boolean } }).ofDomain?.required
  })
  await page.goto(`${here}/sign-in`)
  await page.getByLabel('E-mail address').fill('dora@head.example')
  await page.getByLabel('Password', { exact: true }).focus()
  await page.getByText('Your organisation signs you in.').waitFor()
  await looksGood(page, 'connections-required')
  await page.getByLabel('Password', { exact: true }).fill('whatever it may have been')
  await press(page, 'Sign in')
  await hello(page, 'Dora')
  assert.deepEqual(complaints, [])
  await context.close()
})
