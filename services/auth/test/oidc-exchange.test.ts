import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ClientGrantType, ClientKind } from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import { decodeJwt } from 'jose'
import { sql } from 'kysely'
import * as relying from 'openid-client'
import { addResource } from '../src/core/oidc/clients/resources.ts'
import { createOidcActs } from '../src/core/oidc/oidc-acts.ts'
import type { OidcActs } from '../src/core/oidc/oidc-parts.ts'
import { type OidcHouse, openOidcHouse } from './oidc-house.ts'
import { someClient } from './oidc-scene.ts'
import { CALLBACK, codeFor } from './relying-party.ts'
import { signSomebodyIn, somebody } from './sign-somebody-in.ts'

const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

let house: OidcHouse
let acts: OidcActs
let app: relying.Configuration
/** Serves orders, and calls stock for whoever called it. */
let orders: relying.Configuration
let ordersId: string
let stock: relying.Configuration
let stockId: string

before(async () => {
  house = await openOidcHouse(createOidcActs)
  const { deps } = house.opened
  acts = createOidcActs(deps)
  for (const [name, scopes] of [
    ['sales', ['read', 'write']],
    ['stock', ['read', 'count']],
  ] as const)
    await addResource(deps, { tenant: 'default', resource: `urn:${name}`, audience: name, scopes, lifetimeSeconds: 600 })
  const made = await someClient(deps, {
    firstParty: true,
    redirectUris: [CALLBACK],
    resources: ['urn:sales', 'urn:stock'],
    grantTypes: [ClientGrantType.AUTHORIZATION_CODE],
  })
  app = await house.client(made.clientId, relying.ClientSecretBasic(made.secret))
  ;[orders, ordersId] = await service(['sales'], ['urn:stock', 'urn:sales'])
  ;[stock, stockId] = await service(['stock'], ['urn:stock'])
})
after(() => house[Symbol.asyncDispose]())

/** A service that is called with tokens of `introspects`. */
async function service(introspects: string[], resources: string[]): Promise<[relying.Configuration, string]> {
  const { clientId, secret } = await someClient(house.opened.deps, {
    kind: ClientKind.SERVICE,
    redirectUris: [],
    grantTypes: [ClientGrantType.CLIENT_CREDENTIALS, ClientGrantType.TOKEN_EXCHANGE],
    introspects,
    resources,
  })
  return [await house.client(clientId, relying.ClientSecretBasic(secret)), clientId]
}

interface OfPerson {
  readonly token: string
  readonly userId: string
  readonly sessionId: string
}

/** Somebody's token for a resource, as the app gets it. */
async function tokenFor(resource = 'urn:sales', scope = 'openid read write', dpop?: relying.DPoPHandle): Promise<OfPerson> {
  const user = await somebody(house.opened)
  const sessionId = (await signSomebodyIn(house.opened.deps, user)).session?.id ?? ''
  const browser = house.visitor()
  browser.cookies.set('__Host-gatehouse-oidc', acts.sessions.cookieOf('default', sessionId, 0))
  const { callback, checks } = await codeFor(browser, app, { resource, scope })
  const tokens = await relying.authorizationCodeGrant(app, callback, checks, { resource }, dpop ? { DPoP: dpop } : {})
  return { token: tokens.access_token, userId: user.id, sessionId }
}

function exchange(by: relying.Configuration, token: string, more: Record<string, string> = {}, options: relying.DPoPOptions = {}) {
  const form = { subject_token: token, subject_token_type: ACCESS_TOKEN, resource: 'urn:stock', ...more }
  return relying.genericGrantRequest(by, GRANT, form, options)
}

const invalid = { error: 'invalid_request' }

test('a service gets a token for the next one, which says for whom it acts, and is as good as the first and no better', async () => {
  const { token, userId, sessionId } = await tokenFor()
  const answer = await exchange(orders, token)
  const [before, after] = [decodeJwt(token), decodeJwt(answer.access_token)]
  assert.deepEqual([after.sub, after.aud, after.scope, after.client_id], [userId, 'stock', 'read', ordersId])
  assert.deepEqual(after.act, { sub: ordersId })
  assert.deepEqual(
    [after.sid, after.gid, after.tid, after.acr, after.auth_time],
    [sessionId, before.gid, 'default', before.acr, before.auth_time],
  )
  assert.ok((after.exp ?? 0) <= (before.exp ?? 0))
  assert.deepEqual([answer.issued_token_type, answer.refresh_token, answer.id_token], [ACCESS_TOKEN, undefined, undefined])
  const { rows } = await sql<{ details: Record<string, string> }>`
    select details::jsonb as details from audit_entries where kind = 'token_exchange' and subject_id = ${userId}`.execute(
    house.opened.deps.db,
  )
  assert.deepEqual([rows.length, rows[0]?.details.client, rows[0]?.details.audience], [1, ordersId, 'stock'])
})

test('whoever acts for somebody who acts is told with both, and a circle ends', async () => {
  const { token } = await tokenFor()
  const first = await exchange(orders, token)
  const second = await exchange(stock, first.access_token)
  assert.deepEqual(decodeJwt(second.access_token).act, { sub: stockId, act: { sub: ordersId } })
  let last = second.access_token
  for (let times = 3; times <= 5; times++) last = (await exchange(stock, last)).access_token
  await assert.rejects(exchange(stock, last), invalid)
})

test('a scope that the first token or the resource does not have is refused, a smaller one is given', async () => {
  const { token } = await tokenFor('urn:sales', 'openid read')
  assert.equal((await exchange(orders, token, { scope: 'read' })).scope, 'read')
  for (const scope of ['count', 'write', 'read write', 'openid'])
    await assert.rejects(exchange(orders, token, { scope }), { error: 'invalid_scope' }, scope)
  const { token: other } = await tokenFor('urn:sales', 'openid write')
  await assert.rejects(exchange(orders, other), { error: 'invalid_scope' })
})

test('a token of another audience, an opaque one, a refresh token, an ID token and nonsense are taken from nobody', async () => {
  const { token } = await tokenFor('urn:stock', 'openid read')
  await assert.rejects(exchange(orders, token), invalid)
  assert.ok(await exchange(stock, token))
  const own = await relying.clientCredentialsGrant(orders, { resource: 'urn:sales', scope: 'read' })
  for (const text of [own.access_token, (await relying.clientCredentialsGrant(orders)).access_token, 'goa_x', 'a.b.c', `${token}x`])
    await assert.rejects(exchange(orders, text), invalid, text)
})

test('other types, an actor, an audience, two resources, none and one of somebody else are refused', async () => {
  const { token } = await tokenFor()
  const type = 'urn:ietf:params:oauth:token-type:'
  for (const more of [
    { subject_token_type: `${type}id_token` },
    { requested_token_type: `${type}refresh_token` },
    { actor_token: token, actor_token_type: ACCESS_TOKEN },
  ])
    await assert.rejects(exchange(orders, token, more), invalid, JSON.stringify(more))
  for (const more of [{ audience: 'stock' }, { resource: 'urn:nobody' }, { resource: '' }])
    await assert.rejects(exchange(orders, token, more as Record<string, string>), { error: 'invalid_target' }, JSON.stringify(more))
  assert.ok(await exchange(orders, token, { requested_token_type: ACCESS_TOKEN }))
  await assert.rejects(exchange(app, token), { error: 'invalid_request' })
})

test('a token whose session or grant has ended is exchanged no more, and what it was exchanged for has ended with it', async () => {
  const ended = await tokenFor()
  const { access_token: given } = await exchange(orders, ended.token)
  const look = async (token: string) => (await relying.tokenIntrospection(stock, token)).active
  assert.equal(await look(given), true)
  await acts.sessions.end('default', ended.sessionId)
  await assert.rejects(exchange(orders, ended.token), invalid)
  assert.equal(await look(given), false)

  const revoked = await tokenFor()
  const { access_token: other } = await exchange(orders, revoked.token)
  await acts.grants.end('default', { ids: [String(decodeJwt(revoked.token).gid)] }, 'revoked')
  await assert.rejects(exchange(orders, revoked.token), invalid)
  assert.equal(await look(other), false)
})

test('a token that is bound to a key is exchanged with a proof of that key only', async () => {
  const dpop = relying.getDPoPHandle(app, await relying.randomDPoPKeyPair('ES256'))
  const { token } = await tokenFor('urn:sales', 'openid read', dpop)
  await assert.rejects(exchange(orders, token), invalid)
  const another = relying.getDPoPHandle(orders, await relying.randomDPoPKeyPair('ES256'))
  await assert.rejects(exchange(orders, token, {}, { DPoP: another }), invalid)
  const bound = await exchange(orders, token, {}, { DPoP: dpop })
  assert.equal(bound.token_type, 'dpop')
  assert.ok((decodeJwt(bound.access_token).cnf as { jkt?: string } | undefined)?.jkt)
})

test('nothing of it was a fault of ours', () => assert.deepEqual(house.faults, []))
