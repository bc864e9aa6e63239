import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startBrowser } from '@gatehouse/testkit'
import pg from 'pg'
import type { Browser, Page } from 'playwright-core'
import { type House, openHouse, until } from './house.ts'
import { findNoBarriers, openPage, picture } from './pages.ts'
import { authenticatorsOf, plugIn, withoutAutofill } from './virtual-authenticator.ts'

let house: House
let browser: Browser
before(async () => {
  ;[house, browser] = await Promise.all([openHouse(), startBrowser()])
})
after(async () => {
  await browser?.close()
  await house?.[Symbol.asyncDispose]()
})

type Person = Awaited<ReturnType<House['person']>>

async function signIn(page: Page, { email, password }: Person): Promise<void> {
  await page.getByLabel('E-mail address').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

async function signOut(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
}

const welcome = (page: Page) => page.getByRole('heading', { name: /^Hello/ }).waitFor()
const rows = (page: Page) => page.locator('section', { hasText: 'Passkeys' }).locator('.list li')
const hasRows = (page: Page, count: number) =>
  until(`${count} passkeys`, async () => ((await rows(page).count()) === count ? true : undefined))

test('a passkey is added, signs in with no address typed, is asked for after the password, and goes', async () => {
  const person = await house.person('passkeys@example.com')
  const { page, complaints, context } = await openPage(browser, `${house.local.origin}/sign-in`, await withoutAutofill(browser))
  const cdp = await authenticatorsOf(page)
  const laptop = await plugIn(cdp)
  await findNoBarriers(page)
  await picture(page, 'sign-in-with-passkey')
  await signIn(page, person)
  await welcome(page)

  await page.getByRole('link', { name: 'Account' }).click()
  await page.getByLabel('Name of the new passkey').fill('My laptop')
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await hasRows(page, 1)
  await rows(page).locator('strong', { hasText: 'My laptop' }).waitFor()
  await findNoBarriers(page)
  await picture(page, 'account-with-passkey')

  await signOut(page)
  await page.getByRole('button', { name: 'Use a passkey' }).click()
  await welcome(page)
  const [used] = await laptop.passkeys()
  assert.ok((used?.signCount ?? 0) > 0)

  await signOut(page)
  await signIn(page, person)
  await page.getByRole('heading', { name: 'One thing more' }).waitFor()
  await findNoBarriers(page)
  await picture(page, 'next-step')
  await laptop.verify(false)
  await page.getByRole('button', { name: 'Use my passkey' }).click()
  await page.getByText('No passkey was used.').waitFor()
  await laptop.verify(true)
  await page.getByRole('button', { name: 'Use my passkey' }).click()
  await welcome(page)

  await page.getByRole('link', { name: 'Account' }).click()
  await hasRows(page, 1)
  await page.getByRole('button', { name: 'Rename My laptop' }).click()
  await page.getByLabel('Name', { exact: true }).fill('Old laptop')
  await page.getByRole('button', { name: 'Save the name' }).click()
  await rows(page).locator('strong', { hasText: 'Old laptop' }).waitFor()
  await page.getByRole('button', { name: 'Remove Old laptop' }).click()
  await hasRows(page, 0)

  await signOut(page)
  await page.getByRole('button', { name: 'Use a passkey' }).click()
  await page.getByText('This passkey cannot be used here.').waitFor()
  await signIn(page, person)
  await welcome(page)
  assert.deepEqual(complaints, [])
  await context.close()
})

test('a session that has not shown the passkey is raised before it adds another, and goes on by itself', async () => {
  const person = await house.person('step-up@example.com')
  const { page, complaints, context } = await openPage(browser, `${house.local.origin}/sign-in`, await withoutAutofill(browser))
  const cdp = await authenticatorsOf(page)
  const laptop = await plugIn(cdp)
  await signIn(page, person)
  await welcome(page)
  await page.getByRole('link', { name: 'Account' }).click()
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await hasRows(page, 1)

  await page.getByRole('button', { name: 'Add a passkey' }).click()
  const dialog = page.getByRole('dialog', { name: 'Please confirm that it is you' })
  await dialog.getByRole('button', { name: 'Use my passkey' }).waitFor()
  await findNoBarriers(page)
  await picture(page, 'step-up')
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await page.getByText('Please confirm that it is you.').waitFor()
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await dialog.getByRole('button', { name: 'Use my passkey' }).click()
  // The laptop has one, and says so; the key in the drawer has none.
  await page.getByText('This device has a passkey for you already.').waitFor()
  assert.equal(await dialog.count(), 0)

  const drawer = await plugIn(cdp, 'usb')
  await laptop.unplug()
  await page.getByLabel('Name of the new passkey').fill('Key in the drawer')
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await hasRows(page, 2)
  assert.equal((await drawer.passkeys()).length, 1)
  await picture(page, 'two-passkeys')
  const { body } = await house.call('SessionService/ListSessions', {}, { token: person.accessToken })
  assert.ok(JSON.stringify(body).includes('STRENGTH_PHISHING_RESISTANT'), 'the session is as strong as what it showed')
  assert.deepEqual(complaints, [])
  await context.close()
})

test('a copy of a passkey that counts less is refused and told; a passkey of another place is none here', async () => {
  const person = await house.person('cloned@example.com')
  const { page, context } = await openPage(browser, `${house.local.origin}/sign-in`, await withoutAutofill(browser))
  const cdp = await authenticatorsOf(page)
  const device = await plugIn(cdp)
  await signIn(page, person)
  await welcome(page)
  await page.getByRole('link', { name: 'Account' }).click()
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await hasRows(page, 1)
  const copy = await device.passkeys()
  for (let n = 0; n < 2; n++) {
    await signOut(page)
    await page.getByRole('button', { name: 'Use a passkey' }).click()
    await welcome(page)
  }
  const genuine = await device.passkeys()
  await signOut(page)
  await device.replace(copy)
  await page.getByRole('button', { name: 'Use a passkey' }).click()
  await page.getByText('This passkey cannot be used here.').waitFor()
  await picture(page, 'passkey-refused')

  const database = new pg.Client({ connectionString: Object.assign(new URL(house.local.postgresUrl), { pathname: '/gatehouse' }).href })
  await database.connect()
  const { rows: told } = await database.query(`select type from gatehouse_auth.outbox where key = $1 order by version`, [person.userId])
  await database.end()
  assert.deepEqual(
    told.map(({ type }) => type),
    ['gatehouse.auth.v1.FactorsChanged', 'gatehouse.auth.v1.PasskeyCloned'],
  )
  await device.replace(genuine)
  await page.getByRole('button', { name: 'Use a passkey' }).click()
  await welcome(page)
  await context.close()
})

test('a passkey is offered under the address field; what is typed there meanwhile stays, and the password signs in all the same', async () => {
  const person = await house.person('autofill@example.com')
  const { page, complaints, context } = await openPage(browser, `${house.local.origin}/sign-in`)
  const cdp = await authenticatorsOf(page)
  const laptop = await plugIn(cdp)
  await signIn(page, person)
  await welcome(page)
  await page.getByRole('link', { name: 'Account' }).click()
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await hasRows(page, 1)

  // The offer begins late, while somebody types.
  const begun = Promise.withResolvers<void>()
  const goOn = Promise.withResolvers<void>()
  await laptop.touch(false)
  await page.route('**/*PasskeyService/BeginPasskeySignIn', async (route) => {
    begun.resolve()
    await goOn.promise
    await route.continue()
  })
  await signOut(page)
  const address = page.getByLabel('E-mail address')
  assert.equal(await address.getAttribute('autocomplete'), 'username webauthn')
  await begun.promise
  await address.fill('autofill@exam')
  const answered = page.waitForResponse('**/*PasskeyService/BeginPasskeySignIn')
  goOn.resolve()
  await answered
  await address.press('End')
  await address.pressSequentially('ple.com')
  assert.equal(await address.inputValue(), person.email)
  await page.getByLabel('Password', { exact: true }).fill(person.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('heading', { name: 'One thing more' }).waitFor()
  await page.getByRole('button', { name: 'Begin again' }).click()

  // Picked from the list: nothing is typed, no button is pressed.
  await laptop.touch(true)
  await page.reload()
  await welcome(page)
  assert.deepEqual(complaints, [])
  await context.close()
})

test('the button asks for a passkey while one is offered, and a passkey that is refused says so', async () => {
  const person = await house.person('both-ways@example.com')
  const { page, context } = await openPage(browser, `${house.local.origin}/sign-in`)
  const laptop = await plugIn(await authenticatorsOf(page))
  await signIn(page, person)
  await welcome(page)
  await page.getByRole('link', { name: 'Account' }).click()
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await hasRows(page, 1)
  await laptop.touch(false)
  await signOut(page)
  await page.getByRole('button', { name: 'Use a passkey' }).click()
  await page.getByText('One moment').waitFor()
  await laptop.touch(true)
  await page.reload()
  await welcome(page)
  await page.getByRole('link', { name: 'Account' }).click()
  await laptop.touch(false)
  await page.getByRole('button', { name: /^Remove/ }).click()
  await hasRows(page, 0)
  await laptop.touch(true)
  await signOut(page)
  await page.getByText('This passkey cannot be used here.').waitFor()
  await context.close()
})

test('whoever must have a second factor adds a passkey in the middle of the sign-in', async () => {
  const origin = `http://keys.localhost:${house.local.ports.origin}`
  await house.local.gatehouse('auth', 'tenants', 'create', 'keys', '--origin', origin)
  const person = await house.person('keys@example.com', '--tenant', 'keys')
  const policy = '{"secondFactor": {"requiredFor": "REQUIRED_FOR_EVERYBODY"}}'
  await house.local.gatehouse('auth', 'policy', 'set', policy, '--tenant', 'keys')
  const { page, complaints, context } = await openPage(browser, `${house.local.origin}/sign-in`, await withoutAutofill(browser))
  const laptop = await plugIn(await authenticatorsOf(page))
  await until('the tenant to be served', async () => ((await page.goto(`${origin}/sign-in`))?.status() === 200 ? true : undefined))
  await signIn(page, person)
  await page.getByRole('button', { name: 'Set up an authenticator app' }).waitFor()
  await findNoBarriers(page)
  await picture(page, 'add-passkey-or-app')
  await laptop.verify(false)
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await page.getByText('No passkey was used.').waitFor()
  await laptop.verify(true)
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await page.getByRole('heading', { name: 'You are signed in' }).waitFor()
  assert.equal(await page.locator('li code').count(), 10)
  await findNoBarriers(page)
  await picture(page, 'passkey-and-recovery-codes')
  await page.getByRole('button', { name: 'I have kept them' }).click()
  await welcome(page)
  await signOut(page)
  await page.getByRole('button', { name: 'Use a passkey' }).click()
  await welcome(page)
  assert.deepEqual(complaints, [])
  await context.close()
})

test('a browser is trusted, then forgotten', async () => {
  await house.local.gatehouse('auth', 'policy', 'set', '{"trustedDeviceDays": 7}')
  const person = await house.person('trusting@example.com')
  const { page, complaints, context } = await openPage(browser, `${house.local.origin}/sign-in`, await withoutAutofill(browser))
  const laptop = await plugIn(await authenticatorsOf(page))
  await signIn(page, person)
  await welcome(page)
  await page.getByRole('link', { name: 'Account' }).click()
  await page.getByText('You do not trust this browser').waitFor()
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await hasRows(page, 1)

  await signOut(page)
  await signIn(page, person)
  await page.getByLabel('Trust this browser').check()
  await findNoBarriers(page)
  await picture(page, 'trust-this-browser')
  await page.getByRole('button', { name: 'Use my passkey' }).click()
  await welcome(page)
  const held = (await context.cookies()).find(({ name }) => name === '__Host-gatehouse-trust')
  assert.deepEqual([held?.httpOnly, held?.secure, held?.sameSite, held?.path], [true, true, 'Strict', '/'])

  await signOut(page)
  await signIn(page, person)
  await welcome(page)
  await page.getByRole('link', { name: 'Account' }).click()
  await page.getByText('You trust this browser').waitFor()
  await findNoBarriers(page)
  await picture(page, 'account-trusted')
  // Its session has shown the password alone: what matters asks for the rest.
  await page.getByRole('button', { name: /^Remove/ }).click()
  const dialog = page.getByRole('dialog', { name: 'Please confirm that it is you' })
  await dialog.getByRole('button', { name: 'Use my passkey' }).waitFor()
  assert.equal(await dialog.getByLabel('Trust this browser').count(), 0)
  await dialog.getByRole('button', { name: 'Cancel' }).click()

  await page.getByRole('button', { name: 'Forget all trusted devices' }).click()
  await page.getByText('You do not trust this browser').waitFor()
  await signOut(page)
  await signIn(page, person)
  await page.getByRole('heading', { name: 'One thing more' }).waitFor()
  assert.equal((await laptop.passkeys()).length, 1)
  assert.deepEqual(complaints, [])
  await context.close()
})
