import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, test } from 'node:test'
import { startTelemetry } from '@gatehouse/telemetry'
import { decodeProtectedHeader } from 'jose'
import { sql } from 'kysely'
import * as relying from 'openid-client'
import { disableClient } from '../src/core/oidc/clients/disable-client.ts'
import { listClients } from '../src/core/oidc/clients/list-clients.ts'
import { clientEtag, updateClient } from '../src/core/oidc/clients/update-client.ts'
import { createOidcActs } from '../src/core/oidc/oidc-acts.ts'
import { endRegistrationToken, makeRegistrationToken } from '../src/core/oidc/registration/registration-tokens.ts'
import { clientMessage } from '../src/rpc/client-messages.ts'
import { ISSUER, type OidcHouse, OTHER_ORIGIN, openOidcHouse } from './oidc-house.ts'
import { settingsOf, someClient } from './oidc-scene.ts'
import { visitorAt } from './page-visitor.ts'
import { ask, CALLBACK, codeFor, sentTo } from './relying-party.ts'
import { signSomebodyIn, somebody } from './sign-somebody-in.ts'

let house: OidcHouse
let ports: readonly [number, number]
before(async () => {
  // The limit by source is another test's: here fifty come at once, from one place.
  const changes = { registration: true, limits: { take: async () => ({ allowed: true }) as const } }
  house = await openOidcHouse((deps) => createOidcActs(deps, { registrationQuota: 25, egressAllow: [] }), changes)
  ports = [house.port, (await house.replica()).port]
})
after(() => house[Symbol.asyncDispose]())

type Metadata = Record<string, unknown>

const app = { client_name: 'Their app', redirect_uris: [CALLBACK], scope: 'openid email' }

async function newToken(clients = 5, { tenant = 'default', lifetimeSeconds = 3600 } = {}): Promise<string> {
  return (await makeRegistrationToken(house.opened.deps, { tenant, clients, lifetimeSeconds })).token
}

/** What whoever shows the token, and says this of itself, is answered. */
async function register(token: string | undefined, metadata: unknown, { turn = 0, issuer = ISSUER } = {}) {
  const headers = { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) }
  const sent = { method: 'POST', headers, body: typeof metadata === 'string' ? metadata : JSON.stringify(metadata) }
  const answer = await visitorAt(ports[turn % 2] ?? 0).visit(`${issuer}/reg`, sent)
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Metadata }
}

async function clientsOf(tenant: string) {
  return (await listClients(house.opened.deps, { tenant, pageSize: 200, pageToken: '' })).clients
}

test('a program registers itself by discovery with a token, and signs somebody in who allows it', async () => {
  const server = (await house.client('nobody', relying.None())).serverMetadata()
  assert.equal(server.registration_endpoint, `${ISSUER}/reg`)
  assert.deepEqual(server.subject_types_supported, ['public'], 'there is no key for others')
  const visit = house.visitor().visit
  const registered = await relying.dynamicClientRegistration(new URL(ISSUER), app, undefined, {
    initialAccessToken: await newToken(),
    execute: [relying.allowInsecureRequests],
    [relying.customFetch]: (url, { method, headers, body }) => visit(url, { method, headers, body: String(body ?? '') || undefined }),
  })
  const { client_id: id, client_secret: secret = '' } = registered.clientMetadata()
  const client = await house.client(id, relying.ClientSecretBasic(secret))
  const { idToken, userId } = await signInTo(client, id)
  assert.equal(idToken?.sub, userId)
})

/** Somebody signs in to it, and allows it what it asks for. */
async function signInTo(client: relying.Configuration, clientId: string) {
  const { deps } = house.opened
  const acts = createOidcActs(deps)
  const user = await somebody(house.opened)
  const session = (await signSomebodyIn(deps, user)).session?.id ?? ''
  const browser = house.visitor()
  browser.cookies.set('__Host-gatehouse-oidc', acts.sessions.cookieOf('default', session, 0))
  const first = sentTo(await browser.visit(String((await ask(client)).url)))
  assert.ok(first.href.startsWith(`${ISSUER}/i/`), 'nobody made it a first party: it is asked about')
  await acts.grants.consent.remember('default', { userId: user.id, clientId }, { scopes: ['openid', 'email'], claims: [], resources: {} })
  const { callback, checks } = await codeFor(browser, client)
  const tokens = await relying.authorizationCodeGrant(client, callback, checks)
  return { userId: user.id, idToken: tokens.claims(), alg: decodeProtectedHeader(tokens.id_token ?? '').alg }
}

test('a program that knows RS256 alone has the tenant get a key for it', async () => {
  const { status, body } = await register(await newToken(), { ...app, id_token_signed_response_alg: 'RS256' })
  assert.equal(status, 201)
  const client = await house.client(String(body.client_id), relying.ClientSecretBasic(String(body.client_secret)))
  relying.enableNonRepudiationChecks(client)
  assert.equal((await signInTo(client, String(body.client_id))).alg, 'RS256')
})

test('the answer is what is kept, with a secret of ours and nothing to manage it by', async () => {
  const { status, headers, body } = await register(await newToken(), { ...app, client_secret: 'mine', logo_uri: 'https://rp.example/logo' })
  assert.equal(status, 201)
  assert.equal(headers.get('cache-control'), 'no-store')
  const { client_id: id, client_id_issued_at: issued, client_secret: secret, ...rest } = body
  assert.match(String(id), /^[0-9a-f]{8}-[0-9a-f]{4}-7/)
  assert.match(String(secret), /^gos_[\w-]{43}$/)
  assert.ok(Math.abs(Number(issued) - Date.now() / 1000) < 60)
  assert.deepEqual(rest, {
    client_secret_expires_at: 0,
    client_name: 'Their app',
    application_type: 'web',
    redirect_uris: [CALLBACK],
    post_logout_redirect_uris: [],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_basic',
    scope: 'openid email',
    id_token_signed_response_alg: 'ES256',
  })
  for (const method of ['GET', 'PUT', 'DELETE'])
    for (const token of [secret, await newToken()]) {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      const answer = await house.visitor().visit(`${ISSUER}/reg/${id}`, { method, headers, ...(method === 'PUT' && { body: '{}' }) })
      assert.ok([401, 404, 405].includes(answer.status), `${method} ${answer.status}`)
    }
})

test('programs without a secret, with keys of their own, and without people are registered as what they are', async () => {
  const token = await newToken()
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwks = { keys: [publicKey.export({ format: 'jwk' })] }
  const pages = await register(token, { ...app, token_endpoint_auth_method: 'none' })
  const desktop = { application_type: 'native', token_endpoint_auth_method: 'none', redirect_uris: ['http://127.0.0.1/cb'] }
  const native = await register(token, { ...app, ...desktop })
  const keyed = await register(token, { ...app, token_endpoint_auth_method: 'private_key_jwt', jwks })
  const robot = await register(token, { client_name: 'Robot', grant_types: ['client_credentials'] })
  assert.deepEqual(
    [pages, native, keyed, robot].map(({ status, body }) => [status, 'client_secret' in body]),
    [
      [201, false],
      [201, false],
      [201, false],
      [201, true],
    ],
  )
  const kinds = new Map((await clientsOf('default')).map((client) => [client.row.client_id, clientMessage(client).kind]))
  assert.deepEqual(
    [pages, native, keyed, robot].map(({ body }) => kinds.get(String(body.client_id))),
    [2, 3, 1, 4],
  )
  const robots = await house.client(String(robot.body.client_id), relying.ClientSecretBasic(String(robot.body.client_secret)))
  assert.match((await relying.clientCredentialsGrant(robots)).access_token, /^goa_/)
})

test('what nobody may be is refused in the words of RFC 7591, and costs the token nothing', async () => {
  const token = await newToken(1)
  const wrongUris = [
    'http://rp.example/callback',
    'https://rp.example/*',
    'https://rp.example/#a',
    'com.example:/cb',
    'https://u:p@rp.example/',
    'x',
  ]
  for (const uris of [...wrongUris.map((uri) => [uri]), [], undefined, 'https://rp.example/callback', [7]]) {
    const { status, body } = await register(token, { ...app, redirect_uris: uris })
    assert.deepEqual([status, body.error], [400, 'invalid_redirect_uri'], String(uris))
    assert.equal(String(body.error_description).includes('rp.example'), false, 'no value is told')
  }
  const wrong: Metadata[] = [
    { grant_types: ['implicit'] },
    { grant_types: ['password'] },
    { grant_types: ['refresh_token', 'client_credentials'], redirect_uris: [] },
    { response_types: ['code id_token'] },
    { response_types: [] },
    { token_endpoint_auth_method: 'client_secret_jwt' },
    { token_endpoint_auth_method: 'tls_client_auth' },
    { token_endpoint_auth_method: 'private_key_jwt' },
    { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'http://rp.example/jwks' },
    { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] } },
    { token_endpoint_auth_signing_alg: 'HS256' },
    { id_token_signed_response_alg: 'HS256' },
    { id_token_signed_response_alg: 'none' },
    { userinfo_signed_response_alg: 'HS512' },
    { id_token_encrypted_response_alg: 'dir' },
    { application_type: 'toaster' },
    { subject_type: 'pairwise' },
    { sector_identifier_uri: 'https://rp.example/sector' },
    { require_signed_request_object: true },
    { tls_client_certificate_bound_access_tokens: true },
    { default_acr_values: ['phr'] },
    { scope: 'openid admin' },
    { client_name: '' },
    { client_name: 'two\nlines' },
    { client_name: 'n'.repeat(101) },
    { gatehouse_first_party: true },
    { gatehouse_resources: ['urn:orders'] },
    { gatehouse_introspects: ['*'] },
    { gatehouse_conformance: true },
    { post_logout_redirect_uris: ['http://rp.example/'] },
    { backchannel_logout_uri: 'http://rp.example/logout' },
    { backchannel_logout_uri: 'https://127.0.0.1/logout' },
    { default_max_age: 'long' },
  ]
  for (const each of wrong) {
    const { status, body } = await register(token, { ...app, ...each })
    assert.deepEqual([status, body.error], [400, 'invalid_client_metadata'], `${JSON.stringify(each)} ${body.error_description}`)
  }
  for (const text of ['[]', '"app"', 'null', '{', '']) assert.equal((await register(token, text)).status, 400, text)
  assert.equal((await register(token, app)).status, 201)
  assert.deepEqual(house.faults, [])
})

test('a token that is none, has expired, was ended, or is another tenant’s registers nobody', async () => {
  const before = (await clientsOf('default')).length
  const ended = await newToken()
  assert.equal(await endRegistrationToken(house.opened.deps, { tenant: 'default', token: ended }), true)
  assert.equal(await endRegistrationToken(house.opened.deps, { tenant: 'default', token: ended }), false)
  const { secret } = await someClient(house.opened.deps)
  const tokens = [
    undefined,
    '',
    'goi_nobody',
    ended,
    secret,
    await newToken(5, { lifetimeSeconds: -60 }),
    await newToken(5, { tenant: 'other' }),
  ]
  for (const token of tokens) {
    const { status, headers, body } = await register(token, app)
    assert.ok(status === 401 || (token === '' && status === 400), `${token} ${status}`)
    assert.equal('client_id' in body, false)
    if (status === 401 && token !== undefined) assert.match(headers.get('www-authenticate') ?? '', /^Bearer .*error="invalid_token"/)
  }
  assert.equal((await clientsOf('default')).length, before + 1, 'the one that was made here')
})

test('of fifty at once, over two replicas, a token registers as many as it is good for, and a tenant has no more than its quota', async () => {
  const issuer = `${OTHER_ORIGIN}/oidc`
  const atOnce = async (count: number, token: string) => {
    const answers = await Promise.all(Array.from({ length: count }, (_, turn) => register(token, app, { turn, issuer })))
    return Object.fromEntries([201, 401, 403].map((code) => [code, answers.filter(({ status }) => status === code).length]))
  }
  assert.deepEqual(await atOnce(50, await newToken(20, { tenant: 'other' })), { 201: 20, 401: 30, 403: 0 })
  const spare = await newToken(6, { tenant: 'other' })
  assert.deepEqual(await atOnce(20, spare), { 201: 5, 401: 0, 403: 15 })
  const [gone] = await clientsOf('other')
  assert.equal((await clientsOf('other')).length, 25)
  // Who was refused for want of room took nothing from the token.
  const { deps } = house.opened
  await deps.db
    .updateTable('oidc_clients')
    .set({ delete_time: new Date() })
    .where('client_id', '=', gone?.row.client_id ?? '')
    .execute()
  assert.equal((await register(spare, app, { issuer })).status, 201)
})

test('a registered client is marked, stays so when it is changed, and is disabled as any other', async () => {
  const { deps, eventsOf } = house.opened
  const made = await someClient(deps)
  const token = await newToken()
  const { body } = await register(token, { ...app, grant_types: ['client_credentials'], redirect_uris: [], scope: undefined })
  const clientId = String(body.client_id)
  const markOf = async (id: string) => {
    const found = (await clientsOf('default')).find(({ row }) => row.client_id === id)
    return found && clientMessage(found).registered
  }
  assert.deepEqual([await markOf(made.clientId), await markOf(clientId)], [false, true])
  const row = (await clientsOf('default')).find((each) => each.row.client_id === clientId)?.row
  const settings = settingsOf({ name: 'Looked at', kind: 4, redirectUris: [], grantTypes: [3] })
  await updateClient(deps, { tenant: 'default', clientId, settings, etag: row ? clientEtag(row) : '' })
  assert.equal(await markOf(clientId), true)
  const client = await house.client(clientId, relying.ClientSecretBasic(String(body.client_secret)))
  await relying.clientCredentialsGrant(client)
  await disableClient(deps, { tenant: 'default', clientId }, true)
  const { port } = await house.replica()
  const elsewhere = await house.client(clientId, relying.ClientSecretBasic(String(body.client_secret)), { port })
  await assert.rejects(relying.clientCredentialsGrant(elsewhere), { status: 401 })
  assert.deepEqual(
    (await eventsOf(clientId)).map((event) => (event as unknown as { change: string }).change),
    ['created', 'updated', 'disabled'],
  )
})

test('the audit log tells by which token; the token and the secret are in no column', async () => {
  // Without it nothing knows of the call that runs.
  await using _telemetry = await startTelemetry({ service: 'test' })
  const { db } = house.opened.deps
  const token = await newToken()
  const { body } = await register(token, app)
  const { rows } = await sql<{ kind: string; actor: string; details: { registered_by?: string } }>`
    select kind, actor_kind || ':' || actor_id as actor, details from audit_entries
    where subject_id = ${String(body.client_id)} or (kind = 'registration_token_make' and subject_id in (
      select details ->> 'registered_by' from audit_entries where subject_id = ${String(body.client_id)})) order by id`.execute(db)
  const name = rows[1]?.details.registered_by
  assert.deepEqual(
    rows.map(({ kind, actor }) => [kind, actor]),
    [
      ['registration_token_make', 'service:auth'],
      ['client_create', `workload:registration-token:${name}`],
    ],
  )
  const tables = await sql<{ table_name: string }>`
    select table_name from information_schema.tables where table_schema = current_schema() and table_type = 'BASE TABLE'`.execute(db)
  for (const { table_name: table } of tables.rows) {
    const all = await sql<{ row: string }>`select to_jsonb(t)::text as row from ${sql.table(table)} t`.execute(db)
    for (const { row } of all.rows)
      for (const text of [token, String(body.client_secret)]) {
        assert.equal(row.includes(text), false, table)
        assert.equal(row.includes(Buffer.from(text).toString('hex')), false, table)
      }
  }
  assert.deepEqual(house.faults, [])
})
