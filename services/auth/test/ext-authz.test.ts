import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { Authorization } from '@gatehouse/contracts/envoy/service/auth/v3/external_auth_pb'
import { ClientGrantType } from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import { TokenService } from '@gatehouse/contracts/gatehouse/auth/v1/token_service_pb'
import type { User } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { macKeys } from '@gatehouse/rpc'
import { decodeJwt, exportJWK, SignJWT } from 'jose'
import * as relying from 'openid-client'
import { createKeyRing } from '../src/core/keys/key-ring.ts'
import { createClient } from '../src/core/oidc/clients/create-client.ts'
import { addResource } from '../src/core/oidc/clients/resources.ts'
import { browserCookie } from '../src/core/oidc/sessions/browser-cookie.ts'
import { createHashPool } from '../src/core/passwords/hash-pool.ts'
import { insertCredential } from '../src/store/credentials.ts'
import { openBrowser } from './browser.ts'
import { headersOf, openEnvoy, type PassedRequest } from './envoy.ts'
import { accountOf, bearer, type Machines, openMachines, outcome } from './machines-house.ts'
import { ISSUER } from './oidc-house.ts'
import { settingsOf } from './oidc-scene.ts'
import { visitorAt } from './page-visitor.ts'
import { CALLBACK, codeFor } from './relying-party.ts'
import { rightPassword } from './sign-somebody-in.ts'

let machines: Machines
let envoy: ReturnType<typeof openEnvoy>
let key: string
let app: relying.Configuration
let secret: string
let program: string
let person: User

const keys = await relying.randomDPoPKeyPair('ES256')
const jwk = await exportJWK(keys.publicKey)

before(async () => {
  machines = await openMachines({ alone: true })
  const { story, accounts } = machines
  const serviceAccountId = await accountOf(machines)
  key = (await accounts.createApiKey({ serviceAccountId, name: 'gateway', scopes: ['auth.tokens.check'] })).key
  envoy = openEnvoy(story.app.ports.grpc, bearer(key))
  const { db } = story
  const keys = createKeyRing({ db, now: Date.now, encryptionKey: Buffer.alloc(32, 8) })
  const deps = { db, keys, now: Date.now, committed() {}, audiences: [] }
  const resource = { tenant: 'default', scopes: ['read', 'write'], lifetimeSeconds: 600 }
  await addResource(deps, { ...resource, resource: 'urn:orders', audience: 'orders-api' })
  await addResource(deps, { ...resource, resource: 'urn:bills', audience: 'bills-api' })
  const grantTypes = [ClientGrantType.AUTHORIZATION_CODE, ClientGrantType.REFRESH_TOKEN, ClientGrantType.CLIENT_CREDENTIALS]
  const settings = settingsOf({ firstParty: true, redirectUris: [CALLBACK], grantTypes, resources: ['urn:orders', 'urn:bills'] })
  secret = (await createClient(deps, { tenant: 'default', clientId: 'app', settings })).secret
  const { visit } = visitorAt(story.app.ports.web)
  app = await relying.discovery(new URL(ISSUER), 'app', undefined, relying.ClientSecretBasic(secret), {
    [relying.customFetch]: (url: string, { method, headers, body }: relying.CustomFetchOptions) =>
      visit(url, { method, headers, body: body === undefined || body === null ? undefined : String(body) }),
    execute: [relying.allowInsecureRequests],
  })
  person = story.people.add('default', { email: 'gateway@example.com' })
  const passwordHash = await createHashPool().hash(rightPassword)
  await insertCredential(story.db, { tenant: 'default', userId: person.id, passwordHash, time: new Date() })
  program = (await relying.clientCredentialsGrant(app, { resource: 'urn:orders', scope: 'read' })).access_token
})
after(async () => {
  envoy[Symbol.dispose]()
  await machines[Symbol.asyncDispose]()
})

/** A person's token of the app for the orders, and their session. */
async function tokenOf(options: { DPoP?: relying.DPoPHandle } = {}) {
  const { story } = machines
  const page = openBrowser(story.app.ports.web)
  const { body } = await page.call('SessionService/SignIn', { email: person.email, password: rightPassword })
  const { accessToken, session } = body.signedIn as { accessToken: string; session: { id: string } }
  const browser = visitorAt(story.app.ports.web)
  const challengeKeys = macKeys(story.environment.AUTH_CHALLENGE_KEY ?? '')
  browser.cookies.set('__Host-gatehouse-oidc', browserCookie({ challengeKeys }, 'default', session.id, 0))
  const { callback, checks } = await codeFor(browser, app, { resource: 'urn:orders', scope: 'openid read' })
  const tokens = await relying.authorizationCodeGrant(app, callback, checks, { resource: 'urn:orders' }, options)
  const end = () => page.call('SessionService/RevokeSession', { sessionId: session.id }, { authorization: `Bearer ${accessToken}` })
  return { token: tokens.access_token, userId: person.id, sessionId: session.id, end }
}

const extensions = { audience: 'orders-api' }

/** What a request comes to: how it is answered, by which challenge. */
async function ask(request: PassedRequest, more: Record<string, string> = {}) {
  const told = await envoy.check({ ...request, extensions: { ...extensions, ...more } })
  const challenge = headersOf(told.deniedResponse)['www-authenticate']
  return { told, http: told.okResponse ? 200 : told.deniedResponse?.status.code, challenge, grpc: told.grpcStatus }
}

const withToken = (token: string, scheme = 'Bearer') => ({ headers: { authorization: `${scheme} ${token}` } })

test('a request passes with what is known of it, and a client’s own words on it never do', async () => {
  const { token, userId, sessionId } = await tokenOf()
  const { told, http } = await ask({ headers: { authorization: `Bearer ${token}`, 'x-gatehouse-subject': 'somebody else' } })
  assert.deepEqual([http, told.status.code ?? 0, told.grpcStatus], [200, 0, '0'])
  assert.deepEqual(headersOf(told.okResponse), {
    'x-gatehouse-subject': userId,
    'x-gatehouse-tenant': 'default',
    'x-gatehouse-client': 'app',
    'x-gatehouse-session': sessionId,
    'x-gatehouse-scope': 'read',
    'x-gatehouse-acr': 'aal1',
  })
  for (const { appendAction } of told.okResponse?.headers ?? []) assert.equal(appendAction, 2, 'overwritten, not appended')
  assert.equal(told.okResponse?.headersToRemove, undefined)
  const stripped = (await ask(withToken(program), { strip: '1' })).told.okResponse
  assert.deepEqual(headersOf(stripped), {
    'x-gatehouse-subject': 'app',
    'x-gatehouse-tenant': 'default',
    'x-gatehouse-client': 'app',
    'x-gatehouse-scope': 'read',
  })
  assert.deepEqual(stripped?.headersToRemove, ['authorization', 'dpop', 'x-gatehouse-session', 'x-gatehouse-acr'])
})

test('a gateway passes headers on as texts or as bytes', async () => {
  assert.equal((await ask({ raw: [['authorization', `bearer ${program}`]] })).http, 200)
  assert.equal((await ask({ raw: [['Authorization', `Bearer ${program}`]] })).http, 200)
  const twice = ['authorization', `Bearer ${program}`] as const
  assert.equal((await ask({ raw: [twice, twice] })).http, 400)
  assert.equal((await ask({ headers: { authorization: `Bearer ${program},Bearer ${program}` } })).http, 401)
})

test('who shows no token is asked for one, and told of nothing that is wrong', async () => {
  for (const headers of [{}, { authorization: 'Basic YTpi' }, { authorization: 'Bearer' }]) {
    const { http, challenge, told } = await ask({ headers })
    assert.deepEqual([http, challenge], [401, 'Bearer realm="gatehouse", DPoP algs="ES256 Ed25519 EdDSA"'])
    assert.equal(told.status.code, 16)
  }
})

test('a token for another audience, of another tenant, of another kind or changed lets nobody in', async () => {
  const bills = (await relying.clientCredentialsGrant(app, { resource: 'urn:bills', scope: 'read' })).access_token
  const opaque = (await relying.clientCredentialsGrant(app)).access_token
  for (const token of [bills, opaque, machines.admin, key, `${program.slice(0, -6)}AAAAAA`, 'x']) {
    const { http, challenge } = await ask(withToken(token))
    assert.deepEqual([http, challenge?.startsWith('Bearer error="invalid_token"')], [401, true], token.slice(0, 8))
  }
  assert.equal((await ask(withToken(bills), { audience: 'bills-api' })).http, 200)
  assert.equal((await ask(withToken(machines.admin), { audience: 'gatehouse' })).http, 200)
  assert.equal((await ask(withToken(await machines.adminOf('acme')), { audience: 'gatehouse' })).http, 401)
})

test('every scope and the strength that a route asks for have to be there', async () => {
  const { token } = await tokenOf()
  assert.equal((await ask(withToken(token), { scope: 'read', acr: 'aal1' })).http, 200)
  const scope = await ask(withToken(token), { scope: 'read write' })
  assert.deepEqual(
    [scope.http, scope.told.status.code, scope.challenge?.split(', DPoP')[0]],
    [403, 7, 'Bearer error="insufficient_scope", scope="read write"'],
  )
  const weak = await ask(withToken(token), { acr: 'aal2' })
  assert.equal(weak.challenge?.split(', DPoP')[0], 'Bearer error="insufficient_user_authentication", acr_values="aal2"')
  assert.equal((await ask(withToken(program), { acr: 'aal1' })).http, 401, 'a program signed in nowhere')
})

test('a token is of no more use at once when its session ends or it is given back', async () => {
  const { token, end } = await tokenOf()
  const other = await tokenOf()
  assert.equal((await ask(withToken(token))).http, 200)
  assert.equal((await end()).status, 200)
  assert.equal((await ask(withToken(token))).http, 401)
  assert.equal((await ask(withToken(other.token))).http, 200)
  await relying.tokenRevocation(app, other.token)
  assert.equal((await ask(withToken(other.token))).http, 401)
})

interface ProofChange {
  readonly header?: Record<string, unknown>
  readonly claims?: Record<string, unknown>
  readonly by?: typeof keys
}

function proofOf(token: string, { header = {}, claims = {}, by = keys }: ProofChange = {}): Promise<string> {
  const ath = createHash('sha256').update(token).digest('base64url')
  const iat = Math.floor(Date.now() / 1000)
  return new SignJWT({ jti: randomUUID(), htm: 'GET', htu: 'https://api.example/orders', iat, ath, ...claims })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk, ...header })
    .sign(by.privateKey)
}

test('a bound token passes with a proof of this request, once, and never without', async () => {
  const dpop = relying.getDPoPHandle(app, keys)
  const { token, userId } = await tokenOf({ DPoP: dpop })
  const shown = (proof: string, scheme = 'DPoP') => ({ headers: { authorization: `${scheme} ${token}`, dpop: proof } })
  const proof = await proofOf(token)
  const passed = await ask(shown(proof))
  assert.deepEqual([passed.http, headersOf(passed.told.okResponse)['x-gatehouse-subject']], [200, userId])
  const again = await ask(shown(proof))
  assert.deepEqual([again.http, again.challenge], [401, 'DPoP error="invalid_dpop_proof", algs="ES256 Ed25519 EdDSA"'])
  assert.equal((await ask(shown(await proofOf(token, { claims: { htu: 'https://api.example/orders?page=9' } })))).http, 200)
  const behind = await proofOf(token, { claims: { htu: 'https://outside.example/orders' } })
  assert.equal((await ask(shown(behind), { origin: 'https://outside.example' })).http, 200)

  const stranger = await relying.randomDPoPKeyPair('ES256')
  const now = Math.floor(Date.now() / 1000)
  const changes: Record<string, ProofChange> = {
    'another method': { claims: { htm: 'POST' } },
    'another path': { claims: { htu: 'https://api.example/bills' } },
    'another host': { claims: { htu: 'https://api.example.evil/orders' } },
    'another token': { claims: { ath: createHash('sha256').update('x').digest('base64url') } },
    'no token': { claims: { ath: undefined } },
    'no id': { claims: { jti: undefined } },
    'an old one': { claims: { iat: now - 400 } },
    'an early one': { claims: { iat: now + 400 } },
    'another type': { header: { typ: 'JWT' } },
    'another key': { header: { jwk: await exportJWK(stranger.publicKey) }, by: stranger },
    'a key that did not sign': { by: stranger },
  }
  for (const [name, change] of Object.entries(changes)) assert.equal((await ask(shown(await proofOf(token, change)))).http, 401, name)
  assert.equal((await ask(shown(await proofOf(token), 'Bearer'))).http, 401, 'as a bearer token')
  assert.equal((await ask(withToken(token))).http, 401)
  assert.equal((await ask(withToken(token, 'DPoP'))).http, 401)
  assert.equal((await ask({ headers: { authorization: `DPoP ${program}`, dpop: await proofOf(program) } })).http, 401, 'it is not bound')
})

test('who may ask is who may introspect, for their own tenant', async () => {
  const { story, accounts } = machines
  const serviceAccountId = await accountOf(machines)
  const scopes = ['auth.service_accounts.read']
  const less = (await accounts.createApiKey({ serviceAccountId, name: 'less', scopes })).key
  for (const [metadata, status] of [
    [{}, '16'],
    [bearer(less), '7'],
    [bearer('x'), '16'],
  ] as const) {
    using other = openEnvoy(story.app.ports.grpc, metadata)
    assert.equal((await other.check({ ...withToken(program), extensions })).grpcStatus, status)
  }
  assert.equal((await ask(withToken(program), { tenant: 'default' })).http, 200)
  assert.equal((await ask(withToken(program), { tenant: 'acme' })).grpc, '7')
  const request = { http: { method: 'GET', path: '/', host: 'h', headers: withToken(program).headers } }
  const byWorkload = async (contextExtensions: Record<string, string>, headers = {}) =>
    (await (await story.grpc(Authorization, headers, 'billing')).check({ attributes: { request, contextExtensions } })).httpResponse.case
  assert.equal(await byWorkload(extensions), 'okResponse', 'a signed token says its tenant')
  assert.equal(await byWorkload({ ...extensions, tenant: 'acme' }), 'deniedResponse')
  assert.equal(await byWorkload(extensions, { 'gatehouse-tenant': 'acme' }), 'deniedResponse')
})

test('a route that does not say whom tokens have to be for lets nobody in', async () => {
  for (const wrong of [{}, { audience: '' }, { audience: 'orders-api', acr: 'strong' }])
    assert.equal((await envoy.check({ ...withToken(program), extensions: wrong })).grpcStatus, '3')
})

test('nobody can ask over the web', async () => {
  const page = openBrowser(machines.story.app.ports.web)
  const answer = await fetch(`http://127.0.0.1:${machines.story.app.ports.web}/envoy.service.auth.v3.Authorization/Check`, {
    method: 'POST',
  })
  assert.equal(answer.status, 404)
  assert.equal((await page.call('TokenService/IntrospectToken', { token: program, audience: 'orders-api' }, bearer(key))).status, 200)
})

test('programs are told what a token is over gRPC', async () => {
  const { story } = machines
  const tokens = await story.grpc(TokenService, bearer(key))
  const { token, userId, sessionId, end } = await tokenOf()
  const told = await tokens.introspectToken({ token, audience: 'orders-api' })
  const { gid, jti, exp } = decodeJwt(token)
  assert.deepEqual(
    [told.active, told.subject, told.clientId, told.scopes, told.sessionId, told.grantId, told.tokenId, told.acr],
    [true, userId, 'app', ['read'], sessionId, gid, jti, 'aal1'],
  )
  assert.equal(Number(told.expireTime?.seconds), exp)
  const opaque = (await relying.clientCredentialsGrant(app)).access_token
  const isActive = async (of: string, audience: string) => (await tokens.introspectToken({ token: of, audience })).active
  assert.deepEqual([await isActive(opaque, ''), await isActive(opaque, 'orders-api')], [true, false])
  assert.deepEqual([await isActive(token, ''), await isActive(token, 'bills-api'), await isActive('x', '')], [false, false, false])
  await end()
  assert.deepEqual({ ...(await tokens.introspectToken({ token, audience: 'orders-api' })) }.active, false)

  const asWorkload = await story.grpc(TokenService, { 'gatehouse-tenant': 'default' }, 'billing')
  assert.equal((await asWorkload.introspectToken({ token: program, audience: 'orders-api' })).active, true)
  const nowhere = await story.grpc(TokenService, {}, 'billing')
  assert.equal(await outcome(nowhere.introspectToken({ token: program, audience: 'orders-api' })), 'WRONG_TENANT')
  assert.equal(await outcome((await story.grpc(TokenService)).introspectToken({ token: program })), 'CREDENTIALS_MISSING')
  const ofAcme = await story.grpc(TokenService, bearer(await machines.adminOf('acme')))
  assert.equal((await ofAcme.introspectToken({ token: program, audience: 'orders-api' })).active, false)
})
