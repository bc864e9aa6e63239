import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startBrowser } from '@gatehouse/testkit'
import * as relying from 'openid-client'
import type { Browser, Page } from 'playwright-core'
import { codeIn, type House, openHouse, until } from './house.ts'
import { operate } from './operate.ts'
import { findNoBarriers, openPage, picture, runsOverNowhere } from './pages.ts'
import { type RelyingApp, register, startApp } from './relying-app.ts'
import { authenticatorsOf, plugIn, withoutAutofill } from './virtual-authenticator.ts'

let house: House
let browser: Browser
let grafana: RelyingApp
let wiki: RelyingApp
const stack = new AsyncDisposableStack()
before(async () => {
  ;[house, browser] = await Promise.all([openHouse(), startBrowser()])
  stack.use(house)
  stack.defer(() => browser.close())
  grafana = stack.use(
    await startApp(house, 'Grafana', { options: { responseModes: ['CLIENT_RESPONSE_MODE_QUERY', 'CLIENT_RESPONSE_MODE_FORM_POST'] } }),
  )
  wiki = stack.use(await startApp(house, 'Wiki', { firstParty: true }))
})
after(() => stack.disposeAsync())

type Person = Awaited<ReturnType<House['person']>>

const heading = (page: Page, name: string | RegExp) => page.getByRole('heading', { name, level: 1 }).waitFor()
const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()

/** The page as it is, on a phone and on a desk. */
async function looksGood(page: Page, name: string): Promise<void> {
  await findNoBarriers(page)
  await runsOverNowhere(page)
  await picture(page, name)
}

/** Where colours say something. */
async function looksGoodAtNight(page: Page, name: string): Promise<void> {
  await page.emulateMedia({ colorScheme: 'dark' })
  await findNoBarriers(page)
  await picture(page, `${name}-at-night`)
  await page.emulateMedia({ colorScheme: null })
}

async function givePassword(page: Page, { email, password }: Person): Promise<void> {
  await page.getByLabel('E-mail address').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await press(page, 'Sign in')
}

/** Claims know whole seconds: two sign-ins of one are told apart by nobody who reads them. */
const aSecondAfter = (seconds: number) =>
  until('a second in which nobody signed in', () => (Date.now() / 1000 > seconds + 1 ? true : undefined))

/** The same request by a form of a page of nowhere: what is SameSite=Lax does not come along with it. */
async function post(page: Page, url: string): Promise<void> {
  const { origin, pathname, searchParams } = new URL(url)
  const fields = [...searchParams].map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`)
  await page.goto('about:blank')
  await page.setContent(`<form method="post" action="${origin}${pathname}">${fields.join('')}<button>Go on</button></form>`)
  await press(page, 'Go on')
}

/** In a window of their own, on the way to an app. */
async function openAt(url: string) {
  return await openPage(browser, url, await withoutAutofill(browser))
}

test('somebody signs in to an app, says what it may do, comes to the next one without a word, and takes it back', async () => {
  const person = await house.person('ada@example.com')
  const { page, complaints, context } = await openAt(
    await grafana.begin({ scope: 'openid profile email groups offline_access', prompt: 'consent', login_hint: person.email }),
  )
  await heading(page, 'Sign in to go on to Grafana')
  assert.equal(await page.getByLabel('E-mail address').inputValue(), person.email)
  assert.equal(await page.getByRole('navigation').count(), 0)
  await looksGood(page, 'oidc-sign-in')
  await givePassword(page, person)

  await heading(page, 'Let Grafana in?')
  assert.equal(await page.getByLabel('Know that it is you').isDisabled(), true)
  await page.getByText('Go on for you while you are not here').waitFor()
  await page.getByText(grafana.origin).waitFor()
  await looksGood(page, 'oidc-consent')
  await looksGoodAtNight(page, 'oidc-consent')
  await page.getByLabel('Read which groups you are in').uncheck()
  await press(page, 'Allow')
  await heading(page, 'Welcome to Grafana')
  const { tokens, claims } = grafana.last()
  assert.equal(claims?.sub, person.userId)
  assert.equal(tokens?.scope, 'openid profile email offline_access')
  const about = await relying.fetchUserInfo(grafana.config, tokens?.access_token ?? '', person.userId)
  assert.deepEqual([about.email, about.email_verified, 'groups' in about], [person.email, true, false])

  await page.goto(await wiki.begin())
  await heading(page, 'Welcome to Wiki')
  assert.equal(wiki.last().claims?.sub, person.userId)

  await page.goto(`${house.local.origin}/sessions`)
  const apps = page.getByRole('region', { name: 'Apps' })
  await apps.locator('strong', { hasText: 'Grafana' }).waitFor()
  await apps.getByText('also when signed out').waitFor()
  await looksGood(page, 'oidc-apps')
  await looksGoodAtNight(page, 'oidc-apps')
  await apps.getByRole('button', { name: 'Remove Grafana' }).click()
  await apps.getByText('Grafana may do nothing for you any more.').waitFor()
  await assert.rejects(relying.fetchUserInfo(grafana.config, tokens?.access_token ?? '', person.userId))
  await page.goto(await grafana.begin())
  await heading(page, 'Let Grafana in?')
  await press(page, 'Refuse')
  await heading(page, 'Grafana got access_denied')
  assert.deepEqual(complaints, [])
  await context.close()
})

test('whoever has no account yet makes one on the way, and an old page says so', async () => {
  const begun = await wiki.begin()
  const { page, complaints, context } = await openAt(begun)
  await heading(page, 'Sign in to go on to Wiki')
  const old = page.url()
  await page.getByRole('link', { name: 'Create an account' }).click()
  await page.getByLabel('Name').fill('Grace Hopper')
  await page.getByLabel('E-mail address').fill('grace@example.com')
  await page.getByLabel('Password', { exact: true }).fill('correct horse battery staple!')
  await press(page, 'Create account')
  await page.getByLabel('Code').fill(codeIn(await house.mailTo('grace@example.com')))
  await press(page, 'Confirm')
  await heading(page, 'Welcome to Wiki')
  assert.deepEqual(complaints, [])

  await page.goto(old)
  await heading(page, 'Please begin again')
  await looksGood(page, 'oidc-over')
  await context.close()
})

test('an app asks for more than a password: a passkey is added on the way, and shown; then for a sign-in anew, by a form', async () => {
  const person = await house.person('joan@example.com')
  const { page, complaints, context } = await openAt(await wiki.begin())
  await plugIn(await authenticatorsOf(page))
  await givePassword(page, person)
  await heading(page, 'Welcome to Wiki')
  assert.equal(wiki.last().claims?.acr, 'aal1')

  await page.goto(await wiki.begin({ acr_values: 'phr' }))
  await heading(page, 'One thing more')
  await looksGood(page, 'oidc-add-factor')
  await page.getByLabel('Name of the new passkey').fill('Laptop')
  await press(page, 'Add a passkey')
  await page.getByText('Keep these recovery codes.').waitFor()
  await press(page, 'I have added it: go on')
  await heading(page, 'Confirm that it is you to go on to Wiki')
  await looksGood(page, 'oidc-confirm')
  await press(page, 'Use my passkey')
  await heading(page, 'Welcome to Wiki')
  const { claims } = wiki.last()
  assert.equal(claims?.acr, 'phr')
  const signedInAt = Number(claims?.auth_time)
  await aSecondAfter(signedInAt)

  await page.goto(await grafana.begin({ prompt: 'login', response_mode: 'form_post' }))
  await heading(page, 'Confirm that it is you to go on to Grafana')
  await page.getByText(`You are signed in as ${person.email}. Grafana asks you to sign in anew.`).waitFor()
  await press(page, 'Use my passkey')
  await heading(page, 'Let Grafana in?')
  await press(page, 'Allow')
  await heading(page, 'Welcome to Grafana')
  assert.equal(grafana.last().method, 'POST')
  const anewAt = Number(grafana.last().claims?.auth_time)
  assert.ok(anewAt > signedInAt)

  await page.goto(await wiki.begin({ prompt: 'login' }))
  await press(page, 'Use another account')
  await heading(page, 'Sign in to go on to Wiki')
  await press(page, 'Back to Wiki without signing in')
  await heading(page, 'Wiki got access_denied')
  assert.deepEqual(complaints, [])
  await context.close()
})

test('a sign-out at an app asks, and then it is one everywhere: in this browser, in its other tabs, and at us', async () => {
  const person = await house.person('linus@example.com')
  const { page, complaints, context } = await openAt(await wiki.begin())
  await givePassword(page, person)
  await heading(page, 'Welcome to Wiki')
  const sessions = async () =>
    (await house.call('SessionService/ListSessions', {}, { token: person.accessToken })).body.sessions?.length as number | undefined
  assert.equal(await sessions(), 2)

  await page.goto(wiki.end())
  await heading(page, 'Sign out?')
  await looksGood(page, 'oidc-logout')
  await press(page, 'Only leave Wiki')
  await heading(page, 'You have left Wiki')
  await looksGood(page, 'oidc-left')
  assert.equal(await sessions(), 2)

  const other = await openPage(browser, `${house.local.origin}/profile`, context)
  await heading(other.page, /^Hello/)
  await page.goto(wiki.end({ post_logout_redirect_uri: `${wiki.origin}/left`, state: 'a' }))
  await press(page, 'Sign out everywhere here')
  await heading(page, 'Wiki says goodbye')
  assert.equal(new URL(page.url()).searchParams.get('state'), 'a')
  assert.equal(await sessions(), 1)
  await heading(other.page, 'Sign in')

  await page.goto(await wiki.begin())
  await givePassword(page, person)
  await heading(page, 'Welcome to Wiki')
  await post(page, await wiki.begin({ prompt: 'none' }))
  await heading(page, 'Welcome to Wiki')
  await post(page, wiki.end())
  await press(page, 'Sign out everywhere here')
  await heading(page, 'You are signed out')
  await looksGood(page, 'oidc-signed-out')
  await page.goto(await wiki.begin({ prompt: 'none' }))
  await heading(page, 'Wiki got login_required')
  assert.deepEqual([...complaints, ...other.complaints], [])
  await context.close()
})

test('a device shows a code: it is typed, asked about, and allowed once; or refused', async () => {
  await register(house.local, 'television', {
    name: 'Television',
    kind: 'CLIENT_KIND_NATIVE',
    grantTypes: ['CLIENT_GRANT_TYPE_DEVICE_CODE'],
    authMethod: 'CLIENT_AUTH_METHOD_NONE',
  })
  const television = await relying.discovery(new URL(`${house.local.origin}/oidc`), 'television', undefined, relying.None(), {
    execute: [relying.allowInsecureRequests],
  })
  const person = await house.person('vint@example.com')
  const begun = await relying.initiateDeviceAuthorization(television, { scope: 'openid email' })
  const { page, complaints, context } = await openAt(begun.verification_uri)
  await heading(page, 'Connect a device')
  await looksGood(page, 'oidc-device')
  await page.getByLabel('Code of your device').fill('BBBB-BBBB')
  await press(page, 'Go on')
  await page.getByText('No device shows this code.').waitFor()
  await page.getByLabel('Code of your device').fill(begun.user_code.toLowerCase().replace('-', ' '))
  await press(page, 'Go on')
  await heading(page, 'Connect Television?')
  await page.getByText('Go on only if you began this yourself').waitFor()
  await looksGood(page, 'oidc-device-confirm')
  await looksGoodAtNight(page, 'oidc-device-confirm')
  await press(page, 'Connect it')
  await heading(page, 'Sign in to go on to Television')
  await givePassword(page, person)
  await heading(page, 'Let Television in?')
  await press(page, 'Allow')
  await heading(page, 'Your device is connected')
  await looksGood(page, 'oidc-device-done')
  const tokens = await relying.pollDeviceAuthorizationGrant(television, { ...begun, interval: 1 })
  assert.equal(tokens.claims()?.sub, person.userId)

  const another = await relying.initiateDeviceAuthorization(television, { scope: 'openid email' })
  await page.goto(another.verification_uri_complete ?? '')
  await heading(page, 'Connect Television?')
  await press(page, 'Refuse')
  await page.getByText('You have refused.').waitFor()
  await assert.rejects(relying.pollDeviceAuthorizationGrant(television, { ...another, interval: 1 }), { error: 'access_denied' })
  assert.deepEqual(complaints, [])
  await context.close()
})

test('what cannot be told to an app is told to the person, with what its operator needs', async () => {
  const url = new URL(await grafana.begin())
  url.searchParams.set('redirect_uri', 'https://elsewhere.example/callback')
  const { page, complaints, context } = await openAt(url.href)
  await heading(page, 'That did not work')
  await page.getByText('invalid_redirect_uri').waitFor()
  assert.match((await page.locator('.facts').textContent()) ?? '', /Trace[0-9a-f]{32}$/)
  await looksGood(page, 'oidc-error')
  assert.deepEqual(complaints, [])
  await context.close()
})

test('an administrator makes a client, sees its secret once, changes where it leads, and switches it off; nobody else sees any', async () => {
  const [admin, person] = [await house.person('root@example.com'), await house.person('nobody@example.com')]
  const bound = await operate(house.local, 'auth', 'roles bind', 'administrator', admin.userId)
  assert.equal(bound.failure, undefined)
  const { page, complaints, context } = await openAt(`${house.local.origin}/clients`)
  await heading(page, 'Sign in')
  await givePassword(page, admin)
  await heading(page, 'Apps that sign people in here')
  const form = page.getByRole('region', { name: 'A new app' })
  await form.getByLabel('Name').fill('Reports')
  await form.getByLabel('Client ID').fill('reports')
  await form.getByLabel('Redirect URIs').fill('nonsense')
  await press(page, 'Create it')
  await form.getByText(/redirectUris\[0\]/).waitFor()
  await form.getByLabel('Redirect URIs').fill('https://reports.example.com/callback')
  await press(page, 'Create it')
  await page.getByText('Keep the secret of reports.').waitFor()
  const secret = (await page.locator('.codes code').textContent()) ?? ''
  assert.match(secret, /^gos_[\w-]{43}$/)
  await page.getByRole('navigation').getByRole('link', { name: 'Apps' }).waitFor()
  await looksGood(page, 'oidc-clients')
  await press(page, 'I have kept it')
  assert.equal((await page.content()).includes(secret), false)

  const shown = async () => (await operate(house.local, 'auth', 'clients show', 'reports')).out
  const card = page.getByRole('region', { name: 'Reports', exact: true })
  await card.getByText('Change Reports').click()
  await card.getByLabel('Redirect URIs').fill('https://reports.example.com/callback\nhttps://reports.example.com/back')
  await card.getByLabel('Name', { exact: true }).fill('Reports and figures')
  await card.getByLabel('Groups (groups)').uncheck()
  await looksGood(page, 'oidc-client-change')
  await card.getByRole('button', { name: 'Save' }).click()
  const kept = ['https://reports.example.com/back', 'Reports and figures', 'offline_access']
  await until('the change to be kept', async () => {
    const now = await shown()
    return kept.every((each) => now.includes(each)) && !now.includes('groups') ? true : undefined
  })
  const renamed = page.getByRole('region', { name: 'Reports and figures', exact: true })
  await renamed.getByRole('button', { name: 'Switch it off' }).click()
  await looksGood(page, 'oidc-client-off')
  await renamed.getByRole('button', { name: 'Switch it off' }).click()
  await renamed.getByText(/^switched off/).waitFor()
  assert.deepEqual(complaints, [])
  await context.close()

  const other = await openAt(`${house.local.origin}/clients`)
  await givePassword(other.page, person)
  await other.page.getByText('This page is for administrators.').waitFor()
  await other.page.getByRole('link', { name: 'Profile' }).waitFor()
  assert.equal(await other.page.getByRole('link', { name: 'Apps' }).count(), 0)
  await other.context.close()
})
