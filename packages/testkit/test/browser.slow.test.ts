import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startBrowser } from '@gatehouse/testkit'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { codeOf } from '../../../services/auth/test/totp-code.ts'
import { codeIn, type House, openHouse, tokenIn, until } from './house.ts'
import { findNoBarriers, openPage, picture, runsOverNowhere } from './pages.ts'

let house: House
let browser: Browser
before(async () => {
  ;[house, browser] = await Promise.all([openHouse(), startBrowser()])
})
after(async () => {
  await browser?.close()
  await house?.[Symbol.asyncDispose]()
})

const password = 'correct horse battery staple!'
const open = (path: string, context?: BrowserContext) => openPage(browser, `${house.local.origin}${path}`, context)

async function signUp(page: Page, name: string, email: string): Promise<void> {
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('E-mail address').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Create account' }).click()
}

test('a stranger signs up, proves the mailbox by the code, edits the profile, sees the inbox fill and signs out', async () => {
  const { page, complaints, context } = await open('/')
  await findNoBarriers(page)
  await picture(page, 'sign-up')

  await page.getByRole('button', { name: 'Create account' }).click()
  await page.getByText('Please look at the marked fields.').waitFor()
  assert.ok((await page.locator('[aria-invalid=true]').count()) >= 2)
  await picture(page, 'sign-up-refused')

  await signUp(page, 'Ada Lovelace', 'ada@example.com')
  await page.getByRole('heading', { name: 'Check your mail' }).waitFor()
  await findNoBarriers(page)
  const mail = await house.mailTo('ada@example.com')
  await page.getByLabel('Code').fill('000000')
  await page.getByRole('button', { name: 'Confirm' }).click()
  await page.getByText('This code or link is wrong').waitFor()
  await picture(page, 'code-wrong')
  await page.getByLabel('Code').fill(codeIn(mail))
  await page.getByRole('button', { name: 'Confirm' }).click()

  await page.getByRole('heading', { name: 'Hello, Ada Lovelace' }).waitFor()
  await findNoBarriers(page)
  await page.getByLabel('Name').fill('Ada King')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByRole('heading', { name: 'Hello, Ada King' }).waitFor()
  await picture(page, 'profile')

  await page.getByRole('link', { name: 'Inbox' }).click()
  await page
    .getByText(/Welcome/)
    .first()
    .waitFor()
  const before = await page.locator('.list li').count()
  await house.call('SessionService/SignIn', { email: 'ada@example.com', password })
  await until('the inbox to fill by itself', async () => ((await page.locator('.list li').count()) > before ? true : undefined))
  await findNoBarriers(page)
  await picture(page, 'inbox')
  await page.getByRole('button', { name: 'Mark all as read' }).click()
  await page.getByText('Nothing unread.').waitFor()

  await page.getByRole('link', { name: 'Sessions' }).click()
  await page.getByText('this browser').waitFor()
  assert.equal(await page.locator('.list li').count(), 2)
  assert.equal(await page.getByText(/^From /).count(), 0, 'the loopback is no place')
  await findNoBarriers(page)
  await picture(page, 'sessions')
  await page.getByRole('button', { name: /^End/ }).click()
  await until('the other session to be gone', async () => ((await page.locator('.list li').count()) === 1 ? true : undefined))

  await page.getByRole('link', { name: 'Account' }).click()
  await page.getByRole('heading', { name: 'Delete your account' }).waitFor()
  await findNoBarriers(page)
  await picture(page, 'account')

  await page.reload()
  await page.getByRole('heading', { name: 'Delete your account' }).waitFor()
  const stored = (await page.evaluate('JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])')) as string
  assert.doesNotMatch(stored, /ey[\w-]+\.|ghr_|ada@/, 'no script can reach a token or an address')
  const ours = async () => (await context.cookies()).filter(({ name }) => name.startsWith('__Host-'))
  // Other programs send the browser here, and it has to be known then.
  const sameSiteOf = (name: string) => (name === '__Host-gatehouse-oidc' ? 'Lax' : 'Strict')
  for (const { name, httpOnly, secure, sameSite, path } of await ours())
    assert.deepEqual([httpOnly, secure, sameSite, path], [true, true, sameSiteOf(name), '/'])
  assert.equal((await ours()).length, 3)

  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  assert.deepEqual(
    (await ours()).map(({ name }) => name),
    ['__Host-gatehouse-device'],
    'the session is forgotten; that the device is known is not',
  )
  await page.getByLabel('E-mail address').fill('ada@example.com')
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Hello, Ada King' }).waitFor()
  assert.deepEqual(complaints, [])
  await context.close()
})

test('a link that is opened in another browser asks for the password; used up, it says so', async () => {
  const asking = await open('/sign-up')
  await signUp(asking.page, 'Grace Hopper', 'grace@example.com')
  await asking.page.getByRole('heading', { name: 'Check your mail' }).waitFor()
  const token = tokenIn(await house.mailTo('grace@example.com'))

  const elsewhere = await open(`/verify#token=${token}`)
  await elsewhere.page.getByRole('button', { name: 'Confirm my address' }).click()
  assert.equal(new URL(elsewhere.page.url()).hash, '', 'the token leaves the address bar')
  await elsewhere.page.getByLabel('Password', { exact: true }).fill('not what was chosen')
  await elsewhere.page.getByRole('button', { name: 'Confirm my address' }).click()
  await elsewhere.page.getByText('This is not the password that was chosen at sign-up.').waitFor()
  await picture(elsewhere.page, 'link-elsewhere')
  await elsewhere.page.getByLabel('Password', { exact: true }).fill(password)
  await elsewhere.page.getByRole('button', { name: 'Confirm my address' }).click()
  await elsewhere.page.getByRole('heading', { name: 'Hello, Grace Hopper' }).waitFor()
  await elsewhere.context.close()

  const late = await open(`/verify#token=${token}`, asking.context)
  await late.page.getByRole('button', { name: 'Confirm my address' }).click()
  await late.page.getByLabel('Password', { exact: true }).fill(password)
  await late.page.getByRole('button', { name: 'Confirm my address' }).click()
  await late.page.getByRole('heading', { name: 'This link no longer works' }).waitFor()
  await findNoBarriers(late.page)
  await picture(late.page, 'link-used')
  await asking.context.close()
})

test('signing out in one tab signs out in all of them', async () => {
  const person = await house.person('tabs@example.com')
  const one = await open('/sign-in')
  await one.page.getByLabel('E-mail address').fill(person.email)
  await one.page.getByLabel('Password', { exact: true }).fill(person.password)
  await one.page.getByRole('button', { name: 'Sign in' }).click()
  await one.page.getByRole('heading', { name: /^Hello/ }).waitFor()
  const two = await open('/inbox', one.context)
  await two.page.getByRole('heading', { name: 'Inbox' }).waitFor()
  await one.page.getByRole('button', { name: 'Sign out' }).click()
  await two.page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await one.context.close()
})

test('a session that is ended elsewhere leaves the page by itself', async () => {
  const person = await house.person('ended@example.com')
  const { page, context } = await open('/sign-in')
  await page.getByLabel('E-mail address').fill(person.email)
  await page.getByLabel('Password', { exact: true }).fill(person.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: /^Hello/ }).waitFor()
  await page.getByRole('link', { name: 'Inbox' }).click()
  await page.locator('.list li').first().waitFor()
  const { body } = await house.call('SessionService/ListSessions', {}, { token: person.accessToken })
  for (const { id } of (body.sessions as unknown as { id: string }[]).filter((session) => session.id !== person.sessionId)) {
    assert.equal((await house.call('SessionService/RevokeSession', { sessionId: id }, { token: person.accessToken })).status, 200)
  }
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await context.close()
})

test('another site cannot make the browser’s cookie act, nor read an answer', async () => {
  const person = await house.person('attacked@example.com')
  const { page, context } = await open('/sign-in')
  await page.getByLabel('E-mail address').fill(person.email)
  await page.getByLabel('Password', { exact: true }).fill(person.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: /^Hello/ }).waitFor()

  const evil = await context.newPage()
  // Same site, another origin: SameSite alone would let the cookie through.
  await evil.goto(`http://evil.localhost:${house.local.ports.origin}/sign-in`)
  const target = `${house.local.origin}/gatehouse.auth.v1.SessionService/SignOut`
  for (const type of ['application/json', 'text/plain']) {
    const outcome = await evil.evaluate(
      ([url, contentType]) =>
        fetch(url ?? '', { method: 'POST', body: '{}', credentials: 'include', headers: { 'content-type': contentType ?? '' } }).then(
          (response) => `read ${response.status}`,
          () => 'not read',
        ),
      [target, type],
    )
    assert.equal(outcome, 'not read')
  }
  await page.reload()
  await page.getByRole('heading', { name: /^Hello/ }).waitFor()
  await context.close()
})

test('a link that is mailed signs in where it was asked for, by a click, and elsewhere says so', async () => {
  const person = await house.person('by-mail@example.com')
  const asking = await open('/sign-in')
  await asking.page.getByRole('link', { name: 'Send me a link' }).click()
  await asking.page.getByLabel('E-mail address').fill(person.email)
  await findNoBarriers(asking.page)
  await asking.page.getByRole('button', { name: 'Send the mail' }).click()
  await asking.page.getByRole('heading', { name: 'Check your mail' }).waitFor()
  await findNoBarriers(asking.page)
  await picture(asking.page, 'sign-in-by-mail')
  const path = `/sign-in-link#token=${tokenIn(await house.mailTo(person.email))}`

  const elsewhere = await open(path)
  await elsewhere.page.getByRole('heading', { name: 'Open it where you asked for it' }).waitFor()
  assert.equal(new URL(elsewhere.page.url()).hash, '', 'the token leaves the address bar')
  await findNoBarriers(elsewhere.page)
  await picture(elsewhere.page, 'sign-in-link-elsewhere')
  await elsewhere.context.close()

  const here = await open(path, asking.context)
  await here.page.getByText('One click, and you are signed in.').waitFor()
  await here.page.getByRole('button', { name: 'Sign in' }).click()
  await here.page.getByRole('heading', { name: /^Hello/ }).waitFor()
  assert.deepEqual([...asking.complaints, ...elsewhere.complaints, ...here.complaints], [])
  await asking.context.close()
})

test('whoever must have a second factor adds an app in the middle of the sign-in', async () => {
  const origin = `http://strict.localhost:${house.local.ports.origin}`
  await house.local.gatehouse('auth', 'tenants', 'create', 'strict', '--origin', origin)
  const person = await house.person('strict@example.com', '--tenant', 'strict')
  const policy = '{"secondFactor": {"requiredFor": "REQUIRED_FOR_EVERYBODY"}}'
  await house.local.gatehouse('auth', 'policy', 'set', policy, '--tenant', 'strict')
  const { page, complaints, context } = await open('/sign-in')
  await until('the tenant to be served', async () => ((await page.goto(`${origin}/sign-in`))?.status() === 200 ? true : undefined))
  await page.getByLabel('E-mail address').fill(person.email)
  await page.getByLabel('Password', { exact: true }).fill(person.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: 'Set up an authenticator app' }).click()
  const secret = (await page.locator('code').textContent()) ?? ''
  await findNoBarriers(page)
  await picture(page, 'add-second-factor')
  await page.getByLabel('Code of the app').fill(codeOf(secret))
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'You are signed in' }).waitFor()
  assert.equal(await page.locator('li code').count(), 10)
  await findNoBarriers(page)
  await runsOverNowhere(page)
  await picture(page, 'recovery-codes')
  await page.getByRole('button', { name: 'I have kept them' }).click()
  await page.getByRole('heading', { name: /^Hello/ }).waitFor()
  assert.deepEqual(complaints, [])
  await context.close()
})

test('a mail asks whether a sign-in was theirs, and one click locks the account down', async () => {
  const { email, password: known } = await house.person('watched@example.com')
  const signIn = async ({ page }: { page: Page }) => {
    await page.getByLabel('E-mail address').fill(email)
    await page.getByLabel('Password', { exact: true }).fill(known)
    await page.getByRole('button', { name: 'Sign in' }).click()
  }
  const thief = await open('/sign-in')
  await signIn(thief)
  await thief.page.getByRole('heading', { name: /^Hello/ }).waitFor()
  const mail = await house.mailTo(email, ({ subject }) => subject === 'New sign-in to your account')
  assert.match(mail.text, /on a device that we do not know/)
  assert.match(mail.text, /Device: Chrome on Linux/)
  const letter = await open('/dev/mailbox')
  await letter.page.setContent(mail.html)
  await picture(letter.page, 'new-sign-in-mail')
  await letter.context.close()

  const path = `/lock-down#token=${tokenIn(mail)}`
  const owner = await open(path)
  await owner.page.getByRole('heading', { name: 'Was this not you?' }).waitFor()
  assert.equal(new URL(owner.page.url()).hash, '', 'the token leaves the address bar')
  await findNoBarriers(owner.page)
  await picture(owner.page, 'lock-down')
  // Whoever only opens the link, as scanners do, has done nothing.
  await thief.page.reload()
  await thief.page.getByRole('heading', { name: /^Hello/ }).waitFor()

  await owner.page.getByRole('button', { name: 'Lock my account' }).click()
  await owner.page.getByRole('heading', { name: 'Your account is locked' }).waitFor()
  await owner.page.getByText('No passkey, authenticator app or recovery codes were added since').waitFor()
  await findNoBarriers(owner.page)
  await picture(owner.page, 'locked-down')
  await thief.page.reload()
  await thief.page.getByRole('heading', { name: 'Sign in' }).waitFor()
  await signIn(thief)
  await thief.page.getByText('No password is taken here at the moment.').waitFor()
  assert.equal(await thief.page.getByText('You can try again').count(), 0, 'waiting does not help')

  const again = await open(path)
  await again.page.getByRole('button', { name: 'Lock my account' }).click()
  await again.page.getByRole('heading', { name: 'This link no longer works' }).waitFor()
  await again.context.close()

  const reset = await house.mailTo(email, ({ text }) => text.includes('/reset#token='))
  await owner.page.goto(`${house.local.origin}/reset#token=${tokenIn(reset)}`)
  await owner.page.getByLabel('New password', { exact: true }).fill('another long enough phrase')
  await owner.page.getByRole('button', { name: 'Set password' }).click()
  await owner.page.getByRole('heading', { name: /^Hello/ }).waitFor()
  assert.deepEqual([...thief.complaints, ...owner.complaints], [])
  await Promise.all([thief.context.close(), owner.context.close()])
})

test('a lock-down shows what somebody else has added meanwhile, and whom it keeps out an administrator lets in', async () => {
  const { email, password, userId } = await house.person('robbed@example.com')
  const { body: thief } = await house.call('SessionService/SignIn', { email, password })
  const as = { token: thief.signedIn?.accessToken }
  const { body: app } = await house.call('FactorService/BeginTotp', {}, as)
  assert.equal((await house.call('FactorService/ConfirmTotp', { code: codeOf(app.secret ?? '') }, as)).status, 200)

  const mail = await house.mailTo(email, ({ subject }) => subject === 'New sign-in to your account')
  const { page, context, complaints } = await open(`/lock-down#token=${tokenIn(mail)}`)
  await page.getByRole('button', { name: 'Lock my account' }).click()
  await page.getByRole('heading', { name: 'Your account is locked' }).waitFor()
  const added = await page.getByRole('listitem').allTextContents()
  assert.deepEqual(added.map((each) => each.replace(/ \(.*\d:\d.*\)$/, '')).sort(), ['an authenticator app', 'recovery codes'])
  await page.getByText('remove it as soon as you are back in').waitFor()
  await page.getByText('your administrator can take it away').waitFor()
  await findNoBarriers(page)
  await picture(page, 'locked-down-with-added')

  const reset = await house.mailTo(email, ({ text }) => text.includes('/reset#token='))
  const addedSince = new Date(Date.now() - 3_600_000).toISOString()
  const { status, body } = await house.call('/api/factors:removeOfUser', { userId, addedSince }, { token: await house.adminToken() })
  assert.deepEqual([status, body.removedFactors?.length], [200, 2])
  await page.goto(`${house.local.origin}/reset#token=${tokenIn(reset)}`)
  await page.getByLabel('New password', { exact: true }).fill('another long enough phrase')
  await page.getByRole('button', { name: 'Set password' }).click()
  await page.getByRole('heading', { name: /^Hello/ }).waitFor()
  assert.deepEqual(complaints, [])
  await context.close()
})

test('the mailbox page shows mails without running what is in them', async () => {
  const { page, context, complaints } = await open('/dev/mailbox')
  await page.locator('li button').first().waitFor()
  await picture(page, 'mailbox')
  assert.equal(await page.locator('iframe').getAttribute('sandbox'), 'allow-popups allow-popups-to-escape-sandbox')
  assert.deepEqual(complaints, [])
  await context.close()
})

test('a page that does not exist says so, and 127.0.0.1 leads to the name that cookies and passkeys belong to', async () => {
  const { page, context } = await open('/no-such-page')
  await page.getByRole('heading', { name: 'There is no such page' }).waitFor()
  await page.goto(`http://127.0.0.1:${house.local.ports.origin}/sign-in`)
  assert.equal(new URL(page.url()).hostname, 'localhost')
  await context.close()
})
