import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ClientAuthMethod, ClientKind } from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import type { SignedInResult } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { sql } from 'kysely'
import * as relying from 'openid-client'
import { addResource } from '../src/core/oidc/clients/resources.ts'
import { createOidcActs } from '../src/core/oidc/oidc-acts.ts'
import type { OidcActs } from '../src/core/oidc/oidc-parts.ts'
import { browserOf, type InteractionPage, openSessionOf, pageOf } from './interaction-page.ts'
import { type OidcHouse, openOidcHouse } from './oidc-house.ts'
import { someClient, tenant } from './oidc-scene.ts'
import { CALLBACK, codeFor } from './relying-party.ts'

let house: OidcHouse
let acts: OidcActs
let ada: SignedInResult
let bob: SignedInResult
before(async () => {
  house = await openOidcHouse(createOidcActs)
  acts = createOidcActs(house.opened.deps)
  ;[ada, bob] = [await signIn(), await signIn()]
  const resource = { tenant, resource: 'urn:orders', audience: 'invoices', scopes: ['read', 'write'], lifetimeSeconds: 600 }
  await addResource(house.opened.deps, resource)
})
after(() => house[Symbol.asyncDispose]())

interface App {
  readonly clientId: string
  readonly client: relying.Configuration
}

async function app(given: Parameters<typeof someClient>[1] = {}): Promise<App> {
  const { clientId, secret } = await someClient(house.opened.deps, { redirectUris: [CALLBACK], ...given })
  return { clientId, client: await house.client(clientId, relying.ClientSecretBasic(secret)) }
}

const signIn = (known?: SignedInResult) => openSessionOf(house.opened, known)
const adaAt = (client: relying.Configuration, more: Record<string, string> = {}) => pageOf(browserOf(house, acts, ada), client, more)

/** Answers the page and comes to the client with tokens. */
async function allow(page: InteractionPage, client: relying.Configuration, { accessToken }: SignedInResult, ticked: object) {
  const answer = await page.post('consent', accessToken, ticked)
  assert.equal(answer.reason, undefined, JSON.stringify(answer))
  return await relying.authorizationCodeGrant(client, await page.follow(answer), page.checks)
}

/** Whether the browser comes back with a code without a page between. */
async function passes(signed: SignedInResult, client: relying.Configuration, more: Record<string, string> = {}): Promise<boolean> {
  const { callback } = await codeFor(browserOf(house, acts, signed), client, { prompt: 'none', ...more })
  return callback.searchParams.get('code') !== null
}

test('a client of somebody else is asked about once, in whatever session', async () => {
  const { client, clientId } = await app()
  assert.equal(await passes(ada, client), false)
  const page = await adaAt(client)
  const shown = await page.request()
  assert.deepEqual([shown.prompt, shown.reasons, shown.personId], ['consent', ['op_scopes_missing'], ada.user?.id])
  assert.deepEqual(shown.missing, { scopes: ['openid', 'email'], claims: [], resources: {} })
  const tokens = await allow(page, client, ada, { scopes: ['openid', 'email'] })
  assert.equal(tokens.scope, 'openid email')
  assert.equal(await passes(ada, client), true)
  const again = await signIn(ada)
  assert.equal(await passes(again, client), true)
  assert.equal(await passes(again, client, { scope: 'openid email profile' }), false)
  const entries = await sql<{ details: { client: string; scopes: string } }>`
    select details from audit_entries where kind = 'grant_give' and session_id = ${ada.session?.id} and details->>'client' = ${clientId}`.execute(
    house.opened.deps.db,
  )
  assert.deepEqual(
    entries.rows.map(({ details }) => details.scopes),
    ['openid email'],
  )
  const { rows } = await sql<{ n: number }>`
    select count(*)::int n from outbox where type = 'gatehouse.auth.v1.GrantChanged' and key = (
      select id::text from oidc_grants where client_id = ${clientId} and session_id = ${ada.session?.id})`.execute(house.opened.deps.db)
  assert.equal(rows[0]?.n, 1)
})

test('nobody is asked about a client of the house', async () => {
  const { client } = await app({ firstParty: true })
  assert.equal(await passes(ada, client), true)
  assert.notEqual((await codeFor(browserOf(house, acts, ada), client, { prompt: 'consent' })).callback.searchParams.get('code'), null)
})

test('a client gets what was ticked and no more, and the rest is not asked for again in that session', async () => {
  const { client } = await app()
  const page = await adaAt(client, { scope: 'openid email profile' })
  const tokens = await allow(page, client, ada, { scopes: ['profile'] })
  assert.deepEqual(tokens.scope?.split(' ').sort(), ['openid', 'profile'])
  const info = await relying.fetchUserInfo(client, tokens.access_token, ada.user?.id ?? '')
  assert.deepEqual(['name' in info, 'email' in info], [true, false])
  assert.equal(await passes(ada, client, { scope: 'openid email profile' }), true)
})

test('whoever is asked on purpose may think better of it', async () => {
  const { client } = await app()
  await allow(await adaAt(client), client, ada, {})
  const page = await adaAt(client, { prompt: 'consent' })
  const shown = await page.request()
  assert.deepEqual([shown.reasons, shown.missing.scopes], [['consent_prompt'], ['email']])
  const tokens = await allow(page, client, ada, { scopes: ['email'] })
  assert.deepEqual(tokens.scope?.split(' ').sort(), ['email', 'openid'])
})

test('the scopes of a resource are asked for by its name', async () => {
  const { client } = await app({ resources: ['urn:orders'] })
  const page = await adaAt(client, { scope: 'openid read write', resource: 'urn:orders' })
  assert.deepEqual((await page.request()).missing, { scopes: ['openid'], claims: [], resources: { 'urn:orders': ['read', 'write'] } })
  const answer = await page.post('consent', ada.accessToken, { resources: { 'urn:orders': ['read'] } })
  const callback = await page.follow(answer)
  const tokens = await relying.authorizationCodeGrant(client, callback, page.checks, { resource: 'urn:orders' })
  const claims = JSON.parse(Buffer.from(tokens.access_token.split('.')[1] ?? '', 'base64url').toString()) as { aud: string; scope: string }
  assert.deepEqual([claims.aud, claims.scope], ['invoices', 'read'])
})

test('nothing is given that was not asked for', async () => {
  const { client } = await app()
  const page = await adaAt(client)
  const reasonOf = async (body: object) => (await page.post('consent', ada.accessToken, body)).reason
  for (const body of [
    { scopes: ['groups'] },
    { scopes: 'email' },
    { claims: ['email'] },
    { resources: { 'urn:orders': ['read'] } },
    { resources: [1] },
  ])
    assert.equal(await reasonOf(body), 'INVALID_REQUEST', JSON.stringify(body))
  assert.equal(await reasonOf({ scopes: ['email'] }), undefined)
})

test('consent is of whoever was asked, in the session in which they were', async () => {
  const { client } = await app()
  const page = await adaAt(client)
  const answer = await page.post('consent', bob.accessToken, { scopes: ['email'] })
  assert.deepEqual([answer.reason, answer.metadata], ['INTERACTION_NEEDS', { need: 'other_person' }])
  const elsewhere = await signIn(ada)
  assert.equal((await page.post('consent', elsewhere.accessToken)).reason, 'INTERACTION_INVALID')
  assert.equal((await page.post('sign-in', ada.accessToken)).reason, 'INTERACTION_INVALID')
  assert.equal((await page.post('consent', ada.accessToken, {}, { origin: 'https://evil.example' })).reason, 'ORIGIN_NOT_ALLOWED')
  assert.equal((await page.post('consent', ada.accessToken, {}, { 'content-type': 'text/plain' })).reason, 'MALFORMED_REQUEST')
  assert.equal(await passes(ada, client), false)
  await allow(page, client, ada, { scopes: ['email'] })
  assert.equal(await passes(bob, client), false)
})

test('whoever refuses is sent back with that, and is asked again', async () => {
  const { client } = await app()
  const page = await adaAt(client)
  const callback = await page.follow(await page.post('refuse', undefined))
  assert.deepEqual([callback.origin + callback.pathname, callback.searchParams.get('error')], [CALLBACK, 'access_denied'])
  assert.equal((await page.post('consent', ada.accessToken)).reason, 'INTERACTION_INVALID')
  assert.equal((await (await adaAt(client)).request()).prompt, 'consent')
})

test('a program on a machine asks each time, for another could be listening there', async () => {
  const redirect = 'com.example.app:/callback'
  const { clientId } = await someClient(house.opened.deps, {
    kind: ClientKind.NATIVE,
    authMethod: ClientAuthMethod.NONE,
    firstParty: true,
    redirectUris: [redirect, CALLBACK],
  })
  const client = await house.client(clientId, relying.None())
  for (const _ of [1, 2]) {
    const page = await adaAt(client, { redirect_uri: redirect })
    const shown = await page.request()
    assert.deepEqual([shown.reasons, shown.missing.scopes, shown.client.uri], [['native_client_prompt'], [], 'com.example.app:'])
    const callback = await page.follow(await page.post('consent', ada.accessToken))
    assert.equal(callback.protocol, 'com.example.app:')
    assert.notEqual(callback.searchParams.get('code'), null)
  }
  assert.equal(await passes(ada, client, { redirect_uri: redirect }), false)
  assert.equal(await passes(ada, client), true)
})

test('an app of which the access was taken back asks again', async () => {
  const { client, clientId } = await app()
  await allow(await adaAt(client), client, ada, { scopes: ['email'] })
  await acts.grants.end(tenant, { userId: ada.user?.id ?? '', clientId }, 'revoked')
  await sql`delete from oidc_consents where client_id = ${clientId}`.execute(house.opened.deps.db)
  const page = await adaAt(client)
  assert.deepEqual((await page.request()).missing.scopes, ['openid', 'email'])
  await allow(page, client, ada, { scopes: ['email'] })
})
