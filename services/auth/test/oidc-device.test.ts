import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as relying from 'openid-client'
import { type ActsInMemory, actsInMemory, clientOf } from './oidc-acts-in-memory.ts'
import { ISSUER, type OidcHouse, openOidcHouse } from './oidc-house.ts'
import type { Visitor } from './page-visitor.ts'

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'

let house: OidcHouse
let acts: ActsInMemory
let tv: relying.Configuration
before(async () => {
  acts = actsInMemory()
  house = await openOidcHouse(() => acts)
  acts.clientRows.set(
    'tv',
    clientOf('tv', {
      gatehouse_first_party: true,
      grant_types: [DEVICE_GRANT, 'refresh_token'],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'none',
    }),
  )
  tv = await house.client('tv', relying.None())
})
after(() => house[Symbol.asyncDispose]())

function signedIn(): { browser: Visitor; userId: string } {
  const row = acts.openSession()
  const browser = house.visitor()
  browser.cookies.set('__Host-gatehouse-oidc', acts.sessions.cookieOf('default', row.id, row.generation))
  return { browser, userId: row.userId }
}

const html = { accept: 'text/html' }

async function post(browser: Visitor, form: Record<string, string>): Promise<Response> {
  const page = await (await browser.visit(`${ISSUER}/device`, { headers: html })).text()
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(page)?.[1] ?? ''
  const headers = { ...html, 'content-type': 'application/x-www-form-urlencoded' }
  return await browser.visit(`${ISSUER}/device`, { method: 'POST', headers, body: String(new URLSearchParams({ xsrf, ...form })) })
}

async function poll(deviceCode: string): Promise<Record<string, unknown>> {
  const body = String(new URLSearchParams({ grant_type: DEVICE_GRANT, device_code: deviceCode, client_id: 'tv' }))
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  return (await (await house.visitor().visit(`${ISSUER}/token`, { method: 'POST', headers, body })).json()) as Record<string, unknown>
}

test('a device shows a code, somebody who is signed in confirms it, and the device has its tokens once', async () => {
  const begun = await relying.initiateDeviceAuthorization(tv, { scope: 'openid' })
  assert.match(begun.user_code, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/)
  assert.deepEqual([begun.interval, begun.expires_in], [5, 600])
  assert.equal((await poll(begun.device_code)).error, 'authorization_pending')
  const { browser } = signedIn()
  const asked = await (await post(browser, { user_code: begun.user_code })).text()
  assert.match(asked, /Go on only if you began this yourself/)
  const done = await post(browser, { user_code: begun.user_code, confirm: 'yes' })
  assert.match(await done.text(), /go back to your device/)
  const tokens = await Promise.all(Array.from({ length: 20 }, () => poll(begun.device_code)))
  assert.equal(tokens.filter((answer) => 'access_token' in answer).length, 1)
})

test('a device that asks too often is told to slow down', async () => {
  const begun = await relying.initiateDeviceAuthorization(tv, { scope: 'openid' })
  acts.patient = false
  const answer = await poll(begun.device_code)
  acts.patient = true
  assert.equal(answer.error, 'slow_down')
})

test('who refuses gives the device nothing', async () => {
  const begun = await relying.initiateDeviceAuthorization(tv, { scope: 'openid' })
  const { browser } = signedIn()
  await post(browser, { user_code: begun.user_code, abort: 'yes' })
  assert.equal((await poll(begun.device_code)).error, 'access_denied')
})

test('codes are guessed ten times, and then not at all', async () => {
  const { browser } = signedIn()
  const statuses: number[] = []
  for (let round = 0; round < 10; round++) statuses.push((await post(browser, { user_code: 'BBBB-BBBB' })).status)
  assert.equal(statuses.at(-1), 429)
  assert.deepEqual(house.faults, [])
})
