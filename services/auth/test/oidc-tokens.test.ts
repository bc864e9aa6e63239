import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, test } from 'node:test'
import { ClientAuthMethod, ClientGrantType, ClientKind } from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import { createTokenInspector, followIssuers } from '@gatehouse/identity'
import { DatabaseUnavailable } from '@gatehouse/postgres'
import { startTelemetry } from '@gatehouse/telemetry'
import { decodeJwt, exportJWK, importJWK } from 'jose'
import { sql } from 'kysely'
import * as relying from 'openid-client'
import { disableClient } from '../src/core/oidc/clients/disable-client.ts'
import { createTokenLook } from '../src/core/oidc/introspect-token.ts'
import { createOidcActs } from '../src/core/oidc/oidc-acts.ts'
import type { OidcActs } from '../src/core/oidc/oidc-parts.ts'
import { listIssuers } from '../src/core/tenants/list-issuers.ts'
import { ISSUER, type OidcHouse, OTHER_ORIGIN, openOidcHouse } from './oidc-house.ts'
import { signSomebodyIn, somebody } from './sign-somebody-in.ts'
import { forOrders, type MadeClient, openTokenScene, type TokenScene } from './token-scene.ts'

let house: OidcHouse
let scene: TokenScene
let acts: OidcActs
let away = false
let app: MadeClient
let orders: MadeClient
let gateway: MadeClient
let stranger: MadeClient

before(async () => {
  house = await openOidcHouse((deps) => {
    const real = createOidcActs(deps)
    const known: OidcActs['clients']['known'] = (tenant, id) =>
      away ? Promise.reject(new DatabaseUnavailable('away')) : real.clients.known(tenant, id)
    return { ...real, clients: { ...real.clients, known } }
  })
  acts = createOidcActs(house.opened.deps)
  scene = await openTokenScene(house)
  app = await scene.client()
  orders = await scene.client({ firstParty: false, introspects: ['orders-api'] })
  gateway = await scene.client({ introspects: ['*'] })
  stranger = await scene.client()
})
after(() => house[Symbol.asyncDispose]())

const INACTIVE = '{"active":false}'

/** What a client is told, letter by letter. */
async function told(client: MadeClient, token: string): Promise<string> {
  const answer = await scene.post('/token/introspection', { token }, client)
  assert.equal(answer.status, 200)
  return await answer.text()
}

const isActive = async (client: MadeClient, token: string) => (await scene.introspect(client, token)).active

/** One that has asked for no client yet: what is disabled is disabled there at once, and within a second everywhere. */
async function anotherReplica() {
  const { deps } = house.opened
  const issuers = followIssuers(() => listIssuers(deps))
  await issuers.lookAgain()
  const { clients } = createOidcActs(deps)
  const look = createTokenLook({ deps, clients, inspector: createTokenInspector({ issuers }) })
  return { look, [Symbol.asyncDispose]: () => issuers[Symbol.asyncDispose]() }
}

test('the client and whoever serves the audience are told what a signed token is, and nobody else that it is one', async () => {
  const { access, userId, sessionId } = await scene.tokensOf(app, forOrders)
  const claims = decodeJwt(access)
  for (const client of [app, orders, gateway]) {
    const answer = await scene.introspect(client, access)
    assert.deepEqual(
      [answer.active, answer.iss, answer.sub, answer.aud, answer.client_id, answer.scope, answer.token_type, answer.tid, answer.sid],
      [true, ISSUER, userId, 'orders-api', app.id, 'read', 'Bearer', 'default', sessionId],
    )
    assert.deepEqual([answer.exp, answer.iat, answer.jti, answer.gid], [claims.exp, claims.iat, claims.jti, claims.gid])
    assert.deepEqual([answer.acr, typeof answer.auth_time, answer.username], ['aal1', 'number', undefined])
  }
  assert.equal(await told(stranger, access), INACTIVE)
})

test('what is looked up is told to its client and to our own gateways, and nobody else', async () => {
  const { access, userId, sessionId } = await scene.tokensOf(app)
  assert.match(access, /^goa_/)
  for (const client of [app, gateway]) {
    const answer = await scene.introspect(client, access)
    assert.deepEqual(
      [answer.active, answer.sub, answer.aud, answer.client_id, answer.scope, answer.token_type, answer.sid],
      [true, userId, undefined, app.id, 'openid email', 'Bearer', sessionId],
    )
    assert.deepEqual([answer.iss, answer.jti], [ISSUER, undefined])
  }
  for (const client of [orders, stranger]) assert.equal(await told(client, access), INACTIVE)
  const robot = await scene.ownToken(app)
  const own = await scene.introspect(app, robot)
  assert.deepEqual([own.active, own.sub, own.client_id, own.sid, own.gid], [true, app.id, app.id, undefined, undefined])
  assert.equal(await told(stranger, robot), INACTIVE)
})

test('a refresh token is told to its client alone', async () => {
  const { refresh, userId } = await scene.tokensOf(app)
  const answer = await scene.introspect(app, refresh)
  assert.deepEqual([answer.active, answer.sub, answer.token_type], [true, userId, undefined])
  for (const client of [gateway, orders, stranger]) assert.equal(await told(client, refresh), INACTIVE)
})

test('of anything else everybody is told the same', async () => {
  const { id, access } = await scene.tokensOf(app, forOrders)
  const [header, body, signature = ''] = access.split('.')
  const wrong = `${header}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
  for (const token of [id, wrong, 'goa_x', 'x.y.z', app.secret, 'judged-by-gatehouse', 'x'.repeat(20_000)])
    for (const client of [app, gateway]) assert.equal(await told(client, token), INACTIVE, token.slice(0, 12))
})

test('a token of our own sign-in is told to our own gateways, and no client has its name', async () => {
  const session = await signSomebodyIn(house.opened.deps, await somebody(house.opened))
  const answer = await scene.introspect(gateway, session.accessToken)
  assert.deepEqual([answer.active, answer.aud, answer.permissions, answer.gen], [true, 'gatehouse', undefined, undefined])
  assert.equal(await told(app, session.accessToken), INACTIVE)
  await acts.sessions.end('default', session.session?.id ?? '')
  assert.equal(await told(gateway, session.accessToken), INACTIVE)
})

test('a client that proves itself by a key, in the form, or not at all, is told the same', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256', use: 'sig' }
  const authMethod = ClientAuthMethod.PRIVATE_KEY_JWT
  const keyed = await scene.client({ introspects: ['orders-api'], authMethod, jwksJson: JSON.stringify({ keys: [jwk] }) })
  const key = (await importJWK(await exportJWK(privateKey), 'ES256')) as CryptoKey
  const byKey = await house.client(keyed.id, relying.PrivateKeyJwt({ key, kid: 'k' }))
  const inForm = await scene.client({ introspects: ['orders-api'], authMethod: ClientAuthMethod.CLIENT_SECRET_POST })
  const { access, userId } = await scene.tokensOf(app, forOrders)
  const { access: opaque } = await scene.tokensOf(app)
  for (const client of [byKey, inForm.relying, orders.relying]) {
    const answer = await relying.tokenIntrospection(client, access)
    assert.deepEqual([answer.active, answer.sub, answer.aud], [true, userId, 'orders-api'])
    assert.deepEqual(await relying.tokenIntrospection(client, opaque), { active: false })
  }
  const native = await scene.client({
    kind: ClientKind.NATIVE,
    authMethod: ClientAuthMethod.NONE,
    grantTypes: [ClientGrantType.AUTHORIZATION_CODE],
  })
  const own = await scene.tokensOf(native, forOrders)
  assert.equal(await isActive(native, own.access), true)
  assert.equal(await told(native, access), INACTIVE)
})

test('whoever does not prove itself is told nothing', async () => {
  const token = await scene.ownToken(app, { resource: 'urn:orders', scope: 'read' })
  for (const path of ['/token/introspection', '/token/revocation']) {
    const refused = await scene.post(path, { token }, { ...app, secret: 'wrong' })
    assert.equal(refused.status, 401)
    assert.match(refused.headers.get('www-authenticate') ?? '', /^Basic /)
    assert.equal(((await refused.json()) as { error: string }).error, 'invalid_client')
    const statuses = []
    for (const [form, client] of [
      [{ token }, undefined],
      [{ token, client_id: app.id }, undefined],
      [{ token, client_id: stranger.id }, app],
      [{ token, client_id: app.id, client_secret: app.secret }, app],
      [`token=${token}&token=${token}`, app],
      [{}, app],
    ] as const)
      statuses.push((await scene.post(path, form, client)).status)
    assert.deepEqual(statuses, [400, 401, 400, 400, 400, 400])
  }
  assert.equal(await isActive(app, token), true)
})

test('a signed token is dead at once with its grant, its session and its client', async () => {
  const { db } = house.opened.deps
  const [ofGrant, ofSession, other] = [
    await scene.tokensOf(app, forOrders),
    await scene.tokensOf(app, forOrders),
    await scene.tokensOf(app, forOrders),
  ]
  const dies = await scene.client()
  const ofClient = await scene.ownToken(dies, { resource: 'urn:orders', scope: 'read' })
  const tokens = [ofGrant.access, ofSession.access, ofClient, other.access]
  for (const token of tokens) assert.equal(await isActive(orders, token), true)
  await acts.grants.end('default', { ids: [String(decodeJwt(ofGrant.access).gid)] }, 'revoked')
  await acts.sessions.end('default', ofSession.sessionId)
  for (const [at, active] of [false, false, true, true].entries()) assert.equal(await isActive(orders, tokens[at] ?? ''), active)
  await disableClient(house.opened.deps, { tenant: 'default', clientId: dies.id }, true)
  await using replica = await anotherReplica()
  assert.equal(await replica.look('default', ofClient), undefined)
  assert.notEqual(await replica.look('default', other.access), undefined)
  assert.equal(await isActive(orders, other.access), true)
  assert.equal((await sql`select 1 from revocations where session_id = ${decodeJwt(ofGrant.access).gid}`.execute(db)).rows.length, 1)
})

test('what was allowed beyond the session outlives it, also as a signed token', async () => {
  const { access, sessionId } = await scene.tokensOf(app, { ...forOrders, scope: 'openid offline_access read', prompt: 'consent' })
  assert.equal(decodeJwt(access).sid, decodeJwt(access).gid)
  await acts.sessions.end('default', sessionId)
  assert.equal(await isActive(orders, access), true)
  await acts.grants.end('default', { ids: [String(decodeJwt(access).gid)] }, 'revoked')
  assert.equal(await isActive(orders, access), false)
})

test('a client gives back a signed token of its own: that one, and nothing else, is dead', async () => {
  // Without it nothing knows for which call it runs, and so who acts.
  await using _telemetry = await startTelemetry({ service: 'test' })
  const { access, refresh, userId } = await scene.tokensOf(app, forOrders)
  const next = await relying.refreshTokenGrant(app.relying, refresh, { resource: 'urn:orders', scope: 'read' })
  for (const client of [stranger, orders, gateway])
    assert.equal((await scene.post('/token/revocation', { token: access }, client)).status, 200)
  assert.equal(await isActive(app, access), true)
  for (const _twice of [1, 2]) {
    const answer = await scene.post('/token/revocation', { token: access, token_type_hint: 'refresh_token' }, app)
    assert.deepEqual([answer.status, await answer.text()], [200, ''])
  }
  assert.equal(await isActive(orders, access), false)
  assert.equal(await isActive(orders, next.access_token), true)
  assert.ok(await relying.refreshTokenGrant(app.relying, next.refresh_token ?? ''))
  const { rows } = await sql`
    select actor_kind, actor_id, details from audit_entries where kind = 'token_revoke' and subject_id = ${userId}`.execute(
    house.opened.deps.db,
  )
  const { jti: token, gid: grant } = decodeJwt(access)
  assert.deepEqual(rows, [{ actor_kind: 'workload', actor_id: `client:${app.id}`, details: { client: app.id, token, grant } }])
})

test('a token that is looked up, and a refresh token, are given back as the library does it', async () => {
  const { access, refresh } = await scene.tokensOf(app)
  await scene.post('/token/revocation', { token: access }, stranger)
  assert.equal(await isActive(app, access), true)
  await scene.post('/token/revocation', { token: access }, app)
  assert.deepEqual([await isActive(app, access), await isActive(app, refresh)], [false, true])
  const signed = await scene.tokensOf(app, forOrders)
  assert.equal(await isActive(orders, signed.access), true)
  await scene.post('/token/revocation', { token: signed.refresh }, app)
  assert.deepEqual([await isActive(app, signed.refresh), await isActive(orders, signed.access)], [false, false])
})

test('a token of one tenant is none at another', async () => {
  const token = await scene.ownToken(app, { resource: 'urn:orders', scope: 'read' })
  const opaque = await scene.ownToken(app)
  await using replica = await anotherReplica()
  for (const each of [token, opaque]) {
    assert.equal(await replica.look('other', each), undefined)
    assert.equal((await replica.look('default', each))?.clientId, app.id)
  }
  const body = String(new URLSearchParams({ token }))
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    authorization: `Basic ${btoa(`${app.id}:${app.secret}`)}`,
  }
  assert.equal((await house.visitor().visit(`${OTHER_ORIGIN}/oidc/token/introspection`, { method: 'POST', headers, body })).status, 401)
})

test('while what we stand on is away nobody is told that a token is dead', async () => {
  const { access } = await scene.tokensOf(app, forOrders)
  away = true
  try {
    for (const [path, client] of [
      ['/token/introspection', orders],
      ['/token/revocation', app],
      ['/token/introspection', { ...app, secret: '' }],
    ] as const) {
      const answer = await scene.post(path, { token: access }, client)
      assert.deepEqual([answer.status, ((await answer.json()) as { error: string }).error], [503, 'temporarily_unavailable'])
    }
  } finally {
    away = false
  }
  assert.equal(await isActive(orders, access), true)
})

test('discovery names where tokens are looked at and given back', async () => {
  const metadata = app.relying.serverMetadata()
  assert.deepEqual(
    [metadata.introspection_endpoint, metadata.revocation_endpoint],
    [`${ISSUER}/token/introspection`, `${ISSUER}/token/revocation`],
  )
  assert.deepEqual(house.faults, [])
})
