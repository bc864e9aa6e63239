import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ClientGrantType } from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import { sql } from 'kysely'
import * as relying from 'openid-client'
import { createOidcActs } from '../src/core/oidc/oidc-acts.ts'
import type { OidcActs } from '../src/core/oidc/oidc-parts.ts'
import { ISSUER, type OidcHouse, openOidcHouse } from './oidc-house.ts'
import { someClient } from './oidc-scene.ts'
import { type Visitor, visitorAt } from './page-visitor.ts'
import { CALLBACK, codeFor } from './relying-party.ts'
import { signSomebodyIn, somebody } from './sign-somebody-in.ts'

let house: OidcHouse
let acts: OidcActs
let app: relying.Configuration
let authorization: string
let ports: readonly [number, number]
/** Everything that must be in no column. */
const secrets: string[] = []

before(async () => {
  house = await openOidcHouse(createOidcActs)
  acts = createOidcActs(house.opened.deps)
  ports = [house.port, (await house.replica()).port]
  const made = await someClient(house.opened.deps, {
    firstParty: true,
    redirectUris: [CALLBACK],
    grantTypes: [ClientGrantType.AUTHORIZATION_CODE, ClientGrantType.REFRESH_TOKEN, ClientGrantType.CLIENT_CREDENTIALS],
  })
  secrets.push(made.secret)
  authorization = `Basic ${btoa(`${made.clientId}:${made.secret}`)}`
  app = await house.client(made.clientId, relying.ClientSecretBasic(made.secret))
})
after(() => house[Symbol.asyncDispose]())

async function signedIn(): Promise<{ browser: Visitor; userId: string; sessionId: string }> {
  const { deps } = house.opened
  const user = await somebody(house.opened)
  const sessionId = (await signSomebodyIn(deps, user)).session?.id ?? ''
  const browser = house.visitor()
  const cookie = acts.sessions.cookieOf('default', sessionId, 0)
  secrets.push(cookie)
  browser.cookies.set('__Host-gatehouse-oidc', cookie)
  return { browser, userId: user.id, sessionId }
}

/** What the token endpoint of a replica answers. */
async function token(form: Record<string, string>, turn: number): Promise<Record<string, unknown>> {
  const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' }
  const answer = await visitorAt(ports[turn % 2] ?? 0).visit(`${ISSUER}/token`, {
    method: 'POST',
    headers,
    body: String(new URLSearchParams(form)),
  })
  const body = (await answer.json()) as Record<string, unknown>
  for (const name of ['access_token', 'refresh_token', 'id_token']) if (typeof body[name] === 'string') secrets.push(body[name])
  return body
}

async function codeForm(browser: Visitor, more: Record<string, string> = {}): Promise<Record<string, string>> {
  const { callback, checks } = await codeFor(browser, app, more)
  const code = callback.searchParams.get('code') ?? ''
  assert.notEqual(code, '', String(callback))
  secrets.push(code)
  return { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, code_verifier: checks.pkceCodeVerifier }
}

const fifty = (act: (turn: number) => Promise<Record<string, unknown>>) => Promise.all(Array.from({ length: 50 }, (_, turn) => act(turn)))

test('a program has its token, from either replica', async () => {
  for (const turn of [0, 1]) assert.match(String((await token({ grant_type: 'client_credentials' }, turn)).access_token), /^goa_/)
})

test('a code gives tokens that a certified client accepts, and tells who it is of', async () => {
  const { browser, userId } = await signedIn()
  const { callback, checks } = await codeFor(browser, app)
  const tokens = await relying.authorizationCodeGrant(app, callback, checks)
  assert.equal(tokens.claims()?.sub, userId)
  const about = await relying.fetchUserInfo(app, tokens.access_token, userId)
  assert.deepEqual([about.sub, about.email_verified], [userId, false])
})

test('of fifty at once, over two replicas, one redeems a code', async () => {
  const { browser } = await signedIn()
  const form = await codeForm(browser)
  const answers = await fifty((turn) => token(form, turn))
  assert.equal(answers.filter((answer) => 'access_token' in answer).length, 1)
  assert.deepEqual(new Set(answers.map(({ error }) => error)), new Set([undefined, 'invalid_grant']))
})

test('a code that comes again ends what the first gave', async () => {
  const { browser } = await signedIn()
  const form = await codeForm(browser)
  const first = await token(form, 0)
  assert.equal((await token(form, 1)).error, 'invalid_grant')
  assert.equal((await token({ grant_type: 'refresh_token', refresh_token: String(first.refresh_token) }, 0)).error, 'invalid_grant')
})

test('of fifty refreshes at once, over two replicas, all get the same successor', async () => {
  const { browser } = await signedIn()
  const { refresh_token: refresh } = await token(await codeForm(browser), 0)
  const answers = await fifty((turn) => token({ grant_type: 'refresh_token', refresh_token: String(refresh) }, turn))
  assert.equal(new Set(answers.map((answer) => answer.refresh_token)).size, 1)
  const next = await token({ grant_type: 'refresh_token', refresh_token: String(answers[0]?.refresh_token) }, 1)
  assert.match(String(next.refresh_token), /^gor_/)
  assert.equal((await token({ grant_type: 'refresh_token', refresh_token: String(refresh) }, 0)).error, 'invalid_grant')
  assert.equal(
    (await token({ grant_type: 'refresh_token', refresh_token: String(next.refresh_token) }, 1)).error,
    'invalid_grant',
    'the grant has ended',
  )
})

test('an ended session takes its tokens along, and what was allowed beyond it stays', async () => {
  const { browser, sessionId } = await signedIn()
  const bound = await token(await codeForm(browser), 0)
  const other = await signedIn()
  const offline = await token(await codeForm(other.browser, { scope: 'openid offline_access', prompt: 'consent' }), 0)
  for (const id of [sessionId, other.sessionId]) await acts.sessions.end('default', id)
  assert.equal((await token({ grant_type: 'refresh_token', refresh_token: String(bound.refresh_token) }, 1)).error, 'invalid_grant')
  assert.match(
    String((await token({ grant_type: 'refresh_token', refresh_token: String(offline.refresh_token) }, 1)).access_token),
    /^goa_/,
  )
})

test('two tabs at once lose nothing', async () => {
  const { browser } = await signedIn()
  const forms = await Promise.all([codeForm(browser), codeForm(browser), codeForm(browser)])
  for (const form of forms) assert.match(String((await token(form, 1)).access_token), /^goa_/)
})

test('a stranger’s cookie writes nothing', async () => {
  const { db } = house.opened.deps
  const count = async () =>
    (
      await db
        .selectFrom('oidc_records')
        .select((eb) => eb.fn.countAll<string>().as('n'))
        .executeTakeFirst()
    )?.n
  const before = await count()
  const stranger = house.visitor()
  stranger.cookies.set('__Host-gatehouse-oidc', 'x'.repeat(43))
  assert.equal((await codeFor(stranger, app, { prompt: 'none' })).callback.searchParams.get('error'), 'login_required')
  assert.equal(await count(), before)
})

test('nothing that opens anything is in any column', async () => {
  const { db } = house.opened.deps
  const { rows } = await sql<{ table_name: string }>`
    select table_name from information_schema.tables where table_schema = current_schema() and table_type = 'BASE TABLE'`.execute(db)
  assert.ok(rows.length > 20)
  const dump: string[] = []
  for (const { table_name: name } of rows) {
    const all = await sql<{ row: string }>`select to_jsonb(t)::text as row from ${sql.table(name)} t`.execute(db)
    dump.push(...all.rows.map(({ row }) => row))
  }
  const text = dump.join('\n')
  assert.ok(secrets.length > 20)
  for (const secret of secrets) {
    assert.equal(text.includes(secret), false, `${secret.slice(0, 8)}…`)
    assert.equal(text.includes(Buffer.from(secret).toString('hex')), false, `${secret.slice(0, 8)}… in bytes`)
  }
  assert.deepEqual(house.faults, [])
})
