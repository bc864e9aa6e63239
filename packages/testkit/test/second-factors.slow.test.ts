import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { startBrowser } from '@gatehouse/testkit'
import type { Browser, Page } from 'playwright-core'
import { codeOf } from '../../../services/auth/test/totp-code.ts'
import { type House, openHouse, until } from './house.ts'
import { findNoBarriers, openPage, picture, runsOverNowhere } from './pages.ts'
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

const open = async () => await openPage(browser, `${house.local.origin}/sign-in`, await withoutAutofill(browser))
const card = (page: Page, name: string) => page.getByRole('region', { name, exact: true })
const codesOn = (page: Page) => page.locator('li code').allTextContents()

async function givePassword(page: Page, { email, password }: Person): Promise<void> {
  await page.getByLabel('E-mail address').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
}

async function signOut(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
}

async function openAccount(page: Page): Promise<void> {
  await page.getByRole('heading', { name: /^Hello/ }).waitFor()
  await page.getByRole('link', { name: 'Account' }).click()
  await card(page, 'Recovery codes').waitFor()
}

/** Signs in over the wire with a password and a recovery code. */
async function useUp({ email, password }: Person, recoveryCode: string): Promise<void> {
  const { body } = await house.call('SessionService/SignIn', { email, password })
  const proof = { recoveryCode }
  const { status } = await house.call('SessionService/ContinueSignIn', { continuation: body.nextStep?.continuation, proof })
  assert.equal(status, 200)
}

test('an authenticator app is set up, recovery codes are made anew, one signs in, few are warned of, and the app goes', async () => {
  const person = await house.person('app@example.com')
  const { page, complaints, context } = await open()
  const [app, recovery] = [card(page, 'Authenticator app'), card(page, 'Recovery codes')]
  await givePassword(page, person)
  await openAccount(page)
  assert.equal(await page.title(), 'Account · Gatehouse')
  await recovery.getByText('Add one of them, and you get your codes.').waitFor()
  await findNoBarriers(page)

  await app.getByRole('button', { name: 'Set up' }).click()
  await app.getByAltText('QR code of the secret').waitFor()
  const secret = (await app.locator('code').textContent()) ?? ''
  assert.match(secret, /^[A-Z2-7]{32}$/)
  assert.match((await app.getByRole('link', { name: 'Open it there.' }).getAttribute('href')) ?? '', /^otpauth:\/\/totp\//)
  await findNoBarriers(page)
  await runsOverNowhere(page)
  await page.emulateMedia({ colorScheme: 'dark' })
  await findNoBarriers(page)
  await picture(page, 'account-app-setup-at-night')
  await page.emulateMedia({ colorScheme: null })
  await picture(page, 'account-app-setup')
  await app.getByLabel('Code of the app').fill('12ab')
  await app.getByRole('button', { name: 'Confirm' }).click()
  await app.getByText('Please type its six digits.').waitFor()
  const wrong = codeOf(secret) === '000000' ? '000001' : '000000'
  await app.getByLabel('Code of the app').fill(wrong)
  await app.getByLabel('Code of the app').press('Enter')
  await app.getByText('This is not the code.').waitFor()
  await app.getByLabel('Code of the app').fill(codeOf(secret).replace(/^.../, '$& '))
  await app.getByLabel('Code of the app').press('Enter')
  await app.getByText(/^Set up on /).waitFor()
  await recovery.getByText('Keep these recovery codes.').waitFor()
  const first = await codesOn(page)
  assert.equal(first.length, 10)
  assert.equal(await page.evaluate('document.activeElement?.textContent?.startsWith("Keep these recovery codes.")'), true)
  await findNoBarriers(page)
  await runsOverNowhere(page)
  await picture(page, 'account-recovery-codes')
  await recovery.getByRole('button', { name: 'I have kept them' }).click()
  assert.equal((await codesOn(page)).length, 0)
  await recovery.getByText('You have 10 codes left.').waitFor()

  // The app counts, and this session has not shown it.
  await recovery.getByRole('button', { name: 'Make new ones' }).click()
  await recovery.getByText('the old ones sign nobody in any more').waitFor()
  await page.keyboard.press('Escape')
  const opener = recovery.getByRole('button', { name: 'Make new ones' })
  assert.equal(await opener.evaluate((button) => button === document.activeElement), true)
  await opener.press('Enter')
  await findNoBarriers(page)
  await recovery.getByRole('button', { name: 'Make new codes' }).click()
  const dialog = page.getByRole('dialog', { name: 'Please confirm that it is you' })
  // Each code counts once: this one is of the step after that which confirmed.
  await dialog.getByLabel('Code of your authenticator app').fill(codeOf(secret, 1))
  await dialog.getByRole('button', { name: 'Go on' }).click()
  await dialog.getByLabel('Your password', { exact: true }).fill(person.password)
  assert.equal(await dialog.getByRole('button', { name: /^Use / }).count(), 0, 'no recovery code is used up beside the app')
  await dialog.getByRole('button', { name: 'Go on' }).click()
  await recovery.getByText('Keep these recovery codes.').waitFor()
  const codes = await codesOn(page)
  assert.equal(codes.length, 10)
  assert.deepEqual(
    codes.filter((code) => first.includes(code)),
    [],
  )

  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await recovery.getByRole('button', { name: 'Copy' }).click()
  await recovery.getByText('Copied.').waitFor()
  assert.equal(await page.evaluate('navigator.clipboard.readText()'), codes.join('\n'))
  const downloading = page.waitForEvent('download')
  await recovery.getByRole('link', { name: 'Download' }).click()
  const download = await downloading
  assert.equal(download.suggestedFilename(), 'recovery-codes.txt')
  const sheet = await readFile(await download.path(), 'utf8')
  assert.ok(codes.every((code) => sheet.includes(code)) && !sheet.includes(person.email))
  await page.evaluate('globalThis.printed = 0; globalThis.print = () => { printed++ }')
  await recovery.getByRole('button', { name: 'Print' }).click()
  assert.equal(await page.evaluate('printed'), 1)
  await page.emulateMedia({ media: 'print' })
  assert.equal(await page.getByRole('button').count(), 0, 'the codes are printed alone')
  assert.equal(await page.getByRole('heading').count(), 0)
  assert.equal(await page.locator('li code:visible').count(), 10)
  await picture(page, 'recovery-codes-in-print')
  await page.emulateMedia({ media: null })
  await recovery.getByRole('button', { name: 'I have kept them' }).click()

  await signOut(page)
  await givePassword(page, person)
  await page.getByRole('button', { name: 'Use a recovery code' }).click()
  await page.getByLabel('Recovery code').fill(first[0] ?? '')
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.getByText('This is not right, or was used before.').waitFor()
  await page.getByLabel('Recovery code').fill(codes[0] ?? '')
  await page.getByRole('button', { name: 'Go on' }).click()
  await openAccount(page)
  await recovery.getByText('You have 9 codes left.').waitFor()
  assert.equal(await recovery.getByText('These are few.').count(), 0)
  for (const code of codes.slice(1, 7)) await useUp(person, code)
  await page.reload()
  await recovery.getByText('You have 3 codes left.').waitFor()
  await recovery.getByText('These are few.').waitFor()
  await findNoBarriers(page)
  await picture(page, 'account-few-codes')

  await app.getByRole('button', { name: 'Remove the app' }).click()
  await app.getByText('Your password alone is enough to sign in then').waitFor()
  await findNoBarriers(page)
  await runsOverNowhere(page)
  await page.emulateMedia({ colorScheme: 'dark' })
  await findNoBarriers(page)
  await picture(page, 'account-remove-app-at-night')
  await page.emulateMedia({ colorScheme: null })
  await picture(page, 'account-remove-app')
  await app.getByRole('button', { name: 'Cancel' }).click()
  await app.getByRole('button', { name: 'Remove the app' }).click()
  await app.getByRole('button', { name: 'Remove it' }).click()
  await app.getByText('Removed.').waitFor()
  await app.getByRole('button', { name: 'Set up' }).waitFor()
  await recovery.getByText('Add one of them, and you get your codes.').waitFor()
  await signOut(page)
  await givePassword(page, person)
  await page.getByRole('heading', { name: /^Hello/ }).waitFor()
  assert.deepEqual(complaints, [])
  await context.close()
})

test('a passkey says whether it is on one device or synced, and takes the recovery codes with it', async () => {
  const person = await house.person('synced@example.com')
  const { page, complaints, context } = await open()
  const cdp = await authenticatorsOf(page)
  const device = await plugIn(cdp)
  const [passkeys, recovery] = [card(page, 'Passkeys'), card(page, 'Recovery codes')]
  await givePassword(page, person)
  await openAccount(page)
  await page.getByLabel('Name of the new passkey').fill('Key in the drawer')
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await passkeys.getByText('on one device', { exact: true }).waitFor()
  await recovery.getByText('You have 10 codes left.').waitFor()

  const synced = await plugIn(cdp, 'usb', { synced: true })
  await page.getByLabel('Name of the new passkey').fill('Phone')
  await page.getByRole('button', { name: 'Add a passkey' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Use my passkey' }).click()
  // The step-up takes the first; the new one is made where there is none yet.
  await passkeys.getByText('synced', { exact: true }).waitFor()
  assert.deepEqual([(await device.passkeys()).length, (await synced.passkeys()).length], [1, 1])
  await findNoBarriers(page)
  await runsOverNowhere(page)
  await picture(page, 'account-passkeys-synced')

  await page.getByRole('button', { name: 'Remove Phone' }).click()
  await until('the phone to be gone', async () => ((await passkeys.locator('.list li').count()) === 1 ? true : undefined))
  await page.getByRole('button', { name: 'Remove Key in the drawer' }).click()
  await recovery.getByText('Add one of them, and you get your codes.').waitFor()
  assert.deepEqual(complaints, [])
  await context.close()
})
