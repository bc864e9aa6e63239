import assert from 'node:assert/strict'
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { MessageInitShape } from '@bufbuild/protobuf'
import {
  ClientAuthMethod as Auth,
  type ClientSettingsSchema,
  ClientGrantType as Grant,
  ClientKind as Kind,
} from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import { ClientService } from '@gatehouse/contracts/gatehouse/auth/v1/client_service_pb'
import { ResourceServerService } from '@gatehouse/contracts/gatehouse/auth/v1/resource_server_service_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { sql } from 'kysely'
import { secretFits } from '../src/core/oidc/clients/client-secret.ts'
import { createKnownClients } from '../src/core/oidc/clients/known-client.ts'
import { createHashPool } from '../src/core/passwords/hash-pool.ts'
import { declaredPermissions } from '../src/core/roles/declared-permissions.ts'
import { insertCredential } from '../src/store/credentials.ts'
import { bindRole } from './bind-role.ts'
import { openBrowser } from './browser.ts'
import { accountOf, bearer, type Machines, openMachines, outcome } from './machines-house.ts'

type Settings = MessageInitShape<typeof ClientSettingsSchema>

const settings: Settings = {
  name: 'Grafana',
  kind: Kind.WEB,
  redirectUris: ['https://grafana.example.com/login/generic_oauth'],
  grantTypes: [Grant.AUTHORIZATION_CODE, Grant.REFRESH_TOKEN],
  authMethod: Auth.CLIENT_SECRET_BASIC,
}
const unknown = 'no-such-client'
const password = 'correct horse battery'

let house: Machines
before(async () => {
  house = await openMachines({ alone: true })
})
after(() => house[Symbol.asyncDispose]())

const clientsAs = async (token?: string, workload?: 'user') =>
  await house.story.grpc(ClientService, token === undefined ? {} : bearer(token), workload)
type Clients = Awaited<ReturnType<typeof clientsAs>>

/** Every RPC, the permission that opens it, and what an allowed call comes to. */
const rpcs: Record<string, { call: (clients: Clients) => Promise<unknown>; permission: string; answer?: string }> = {
  createClient: { call: (clients) => clients.createClient({ settings }), permission: 'auth.clients.write' },
  getClient: { call: (clients) => clients.getClient({ clientId: unknown }), permission: 'auth.clients.read', answer: 'CLIENT_NOT_FOUND' },
  listClients: { call: (clients) => clients.listClients({}), permission: 'auth.clients.read' },
  updateClient: {
    call: (clients) => clients.updateClient({ clientId: unknown, settings, etag: 'v1' }),
    permission: 'auth.clients.write',
    answer: 'CLIENT_NOT_FOUND',
  },
  rotateClientSecret: {
    call: (clients) => clients.rotateClientSecret({ clientId: unknown }),
    permission: 'auth.clients.write',
    answer: 'CLIENT_NOT_FOUND',
  },
  revokeClientSecret: {
    call: (clients) => clients.revokeClientSecret({ clientId: unknown, secretId: randomUUID() }),
    permission: 'auth.clients.write',
    answer: 'CLIENT_NOT_FOUND',
  },
  disableClient: {
    call: (clients) => clients.disableClient({ clientId: unknown }),
    permission: 'auth.clients.write',
    answer: 'CLIENT_NOT_FOUND',
  },
  enableClient: {
    call: (clients) => clients.enableClient({ clientId: unknown }),
    permission: 'auth.clients.write',
    answer: 'CLIENT_NOT_FOUND',
  },
  deleteClient: { call: (clients) => clients.deleteClient({ clientId: unknown }), permission: 'auth.clients.write' },
}

/** Somebody who signed in with a password, and may do everything. */
async function administrator() {
  const user = house.story.people.add('default', { email: `${randomUUID()}@example.com` })
  const passwordHash = await createHashPool().hash(password)
  await insertCredential(house.story.db, { tenant: 'default', userId: user.id, passwordHash, time: new Date() })
  await bindRole(house.story.db, { tenant: 'default', subject_id: user.id, role: 'administrator' })
  const sessions = await house.story.grpc(SessionService)
  const { result } = await sessions.signIn({ email: user.email, password })
  const signedIn = result.case === 'signedIn' ? result.value : assert.fail()
  return { ...signedIn, user, sessions }
}

test('the table names every RPC', () => {
  assert.deepEqual(Object.keys(rpcs).sort(), ClientService.methods.map(({ localName }) => localName).sort())
})

test('strangers are asked for credentials, and whoever has no permission may nothing, workloads included', async () => {
  for (const [name, { call }] of Object.entries(rpcs)) {
    assert.equal(await outcome(call(await clientsAs())), 'CREDENTIALS_MISSING', name)
    const asWorkload = await house.story.grpc(ClientService, { 'gatehouse-tenant': 'default' }, 'user')
    assert.equal(await outcome(call(asWorkload)), 'PERMISSION_DENIED', name)
    const web = await openBrowser(house.story.app.ports.web).call(`ClientService/${name[0]?.toUpperCase()}${name.slice(1)}`, {})
    assert.equal(web.status, 401, name)
  }
})

test('a permission opens what it names and nothing else', async () => {
  const serviceAccountId = await accountOf(house)
  for (const permission of declaredPermissions.filter((each) => each.startsWith('auth.clients.') || each === 'auth.roles.write')) {
    const { key } = await house.accounts.createApiKey({ serviceAccountId, name: permission, scopes: [permission] })
    const clients = await clientsAs(key)
    for (const [name, { call, permission: asked, answer = 'ok' }] of Object.entries(rpcs))
      assert.equal(await outcome(call(clients)), asked === permission ? answer : 'PERMISSION_DENIED', `${name} with ${permission}`)
  }
})

test('whoever signed in long ago proves anew who they are before they give a client power, and takes it without', async () => {
  const { accessToken, refreshToken, session, sessions } = await administrator()
  const clientId = `aged-${randomUUID()}`
  await (await clientsAs(accessToken)).createClient({ clientId, settings })
  await house.story.db
    .updateTable('sessions')
    .set({ auth_time: new Date(Date.now() - 3_600_000) })
    .where('id', '=', session?.id ?? '')
    .execute()
  const { signedIn } = await sessions.refreshSession({ refreshToken })
  const clients = await clientsAs(signedIn?.accessToken ?? '')
  const powers = [
    clients.createClient({ settings }),
    clients.updateClient({ clientId, settings, etag: 'v1' }),
    clients.rotateClientSecret({ clientId }),
    clients.enableClient({ clientId }),
  ]
  assert.deepEqual(
    await Promise.all(powers.map(outcome)),
    powers.map(() => 'STEP_UP_REQUIRED'),
  )
  assert.equal(await outcome(clients.disableClient({ clientId })), 'ok')
  assert.equal(await outcome(clients.deleteClient({ clientId })), 'ok')
})

test('a client lives from its creation to a deletion after which nobody gets its id, and each step is told and on record', async () => {
  const { user, accessToken } = await administrator()
  const clients = await clientsAs(accessToken)
  const clientId = `life-${randomUUID()}`
  const { client: made, clientSecret } = await clients.createClient({ clientId, settings })
  assert.match(clientSecret, /^gos_[\w-]{43}$/)
  assert.deepEqual([made?.secrets.length, made?.secrets[0]?.hint], [1, clientSecret.slice(-4)])
  assert.equal(await outcome(clients.createClient({ clientId, settings })), 'CLIENT_EXISTS')

  const { client: read } = await clients.getClient({ clientId })
  assert.deepEqual(read, made)
  const renamed = { ...settings, name: 'Grafana at work', scopes: ['openid', 'email'] }
  const { client: changed } = await clients.updateClient({ clientId, settings: renamed, etag: made?.etag ?? '' })
  assert.deepEqual([changed?.name, changed?.scopes, changed?.redirectUris], ['Grafana at work', ['openid', 'email'], settings.redirectUris])
  // The answer was lost, and the same comes again.
  assert.equal((await clients.updateClient({ clientId, settings: renamed, etag: made?.etag ?? '' })).client?.etag, changed?.etag)
  assert.equal(await outcome(clients.updateClient({ clientId, settings, etag: made?.etag ?? '' })), 'ETAG_MISMATCH')
  const otherKind = { ...settings, kind: Kind.BROWSER, authMethod: Auth.NONE }
  assert.equal(await outcome(clients.updateClient({ clientId, settings: otherKind, etag: changed?.etag ?? '' })), 'CLIENT_METADATA_INVALID')

  const { clientSecret: second, secret, oldExpireTime } = await clients.rotateClientSecret({ clientId })
  assert.ok(Math.abs(Number(oldExpireTime?.seconds) - Date.now() / 1000 - 86_400) < 60)
  assert.equal(await outcome(clients.rotateClientSecret({ clientId })), 'CLIENT_SECRETS_EXHAUSTED')
  const secretsOf = async () =>
    (await createKnownClients({ db: house.story.db, now: Date.now })('default', clientId))?.gatehouse_secrets ?? assert.fail()
  const presented = [clientSecret, second, `${second}x`, '']
  const both = await secretsOf()
  assert.deepEqual(
    presented.map((each) => secretFits(Date.now(), both, each)),
    [true, true, false, false],
  )
  assert.deepEqual(
    presented.map((each) => secretFits(Date.now() + 86_500_000, both, each)),
    [false, true, false, false],
  )
  await clients.revokeClientSecret({ clientId, secretId: made?.secrets[0]?.id ?? '' })
  assert.equal(await outcome(clients.revokeClientSecret({ clientId, secretId: made?.secrets[0]?.id ?? '' })), 'CLIENT_SECRET_NOT_FOUND')
  const left = await secretsOf()
  assert.deepEqual(
    presented.map((each) => secretFits(Date.now(), left, each)),
    [false, true, false, false],
  )
  const { clientSecret: third } = await clients.rotateClientSecret({ clientId, overlap: { seconds: 0n } })
  assert.deepEqual([secretFits(Date.now(), await secretsOf(), second), secretFits(Date.now(), await secretsOf(), third)], [false, true])
  assert.notEqual(secret?.id, undefined)

  const known = createKnownClients({ db: house.story.db, now: Date.now })
  assert.ok((await clients.disableClient({ clientId })).client?.disableTime)
  await clients.disableClient({ clientId })
  assert.equal(await known('default', clientId), undefined)
  assert.equal((await clients.enableClient({ clientId })).client?.disableTime, undefined)
  await clients.deleteClient({ clientId })
  await clients.deleteClient({ clientId })
  assert.equal(await outcome(clients.getClient({ clientId })), 'CLIENT_NOT_FOUND')
  assert.equal(await outcome(clients.createClient({ clientId, settings })), 'CLIENT_EXISTS')

  const done = ['create', 'update', 'secret_rotate', 'secret_revoke', 'secret_rotate', 'disable', 'enable', 'delete']
  const { rows } = await sql<{ kind: string; actor_id: string; result: string }>`
    select kind, actor_id, result from audit_entries where subject_id = ${clientId} and result = 'done' order by id`.execute(house.story.db)
  assert.deepEqual(
    rows,
    done.map((act) => ({ kind: `client_${act}`, actor_id: user.id, result: 'done' })),
  )
  const { rows: events } = await sql<{ version: string }>`select version from outbox where key = ${clientId} order by version`.execute(
    house.story.db,
  )
  assert.deepEqual(
    events.map(({ version }) => Number(version)),
    [1, 2, 3, 4, 5, 6, 7, 8],
  )
})

test('clients are listed by their ids, page by page, and each tenant has its own', async () => {
  const acme = await clientsAs(await house.adminOf('acme'))
  const ids = ['a', 'b', 'c', 'd', 'e']
  for (const clientId of ids) await acme.createClient({ clientId, settings })
  const seen: string[] = []
  let pageToken = ''
  do {
    const page = await acme.listClients({ pageSize: 2, pageToken })
    seen.push(...page.clients.map(({ clientId }) => clientId))
    pageToken = page.nextPageToken
  } while (pageToken !== '')
  assert.deepEqual(seen, ids)
  const ours = await clientsAs(house.admin)
  assert.equal(await outcome(ours.getClient({ clientId: 'a' })), 'CLIENT_NOT_FOUND')
  assert.equal(await outcome(ours.updateClient({ clientId: 'a', settings, etag: 'v1' })), 'CLIENT_NOT_FOUND')
  await ours.deleteClient({ clientId: 'a' })
  assert.ok((await acme.getClient({ clientId: 'a' })).client)
  assert.equal(await outcome(acme.listClients({ pageToken: 'nonsense' })), 'PAGE_TOKEN_INVALID')
})

const publicKey = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }
const weakKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' })
const withJwks = (jwksJson: string): Settings => ({ ...settings, authMethod: Auth.PRIVATE_KEY_JWT, jwksJson })
const native: Settings = { ...settings, kind: Kind.NATIVE, authMethod: Auth.NONE }
const to = (...redirectUris: string[]): Settings => ({ ...settings, redirectUris })

/** Settings that cannot be, and what they are refused for; beside each what is good of the kind. */
const bad: Record<string, [Settings, string]> = {
  'a wildcard': [to('https://*.example.com/'), 'CLIENT_METADATA_INVALID'],
  'a fragment': [to('https://app.example.com/#x'), 'CLIENT_METADATA_INVALID'],
  'a user before the host': [to('https://127.0.0.1:1@evil.example/cb'), 'CLIENT_METADATA_INVALID'],
  'http over the net': [to('http://app.example.com/cb'), 'CLIENT_METADATA_INVALID'],
  'an app at localhost by a host that looks like it': [
    { ...native, redirectUris: ['http://localhost.evil.example/cb'] },
    'CLIENT_METADATA_INVALID',
  ],
  'a host that looks near': [to('http://localhost.evil.example/cb'), 'CLIENT_METADATA_INVALID'],
  'another spelling': [to('https://APP.example.com/cb'), 'CLIENT_METADATA_INVALID'],
  'a path that goes up': [to('https://app.example.com/a/../cb'), 'CLIENT_METADATA_INVALID'],
  'a script': [to('javascript:alert(1)'), 'CLIENT_METADATA_INVALID'],
  'an own scheme of no app': [to('com.example.app:/cb'), 'CLIENT_METADATA_INVALID'],
  'an own scheme without a dot': [{ ...native, redirectUris: ['myapp:/cb'] }, 'CLIENT_METADATA_INVALID'],
  'no redirect URI': [to(), 'INVALID_REQUEST'],
  'a secret of an app': [{ ...native, authMethod: Auth.CLIENT_SECRET_BASIC }, 'INVALID_REQUEST'],
  'a server without a secret': [{ ...settings, authMethod: Auth.NONE }, 'INVALID_REQUEST'],
  'people of a service': [{ ...settings, kind: Kind.SERVICE }, 'INVALID_REQUEST'],
  'no keys for a proof by key': [{ ...settings, authMethod: Auth.PRIVATE_KEY_JWT }, 'INVALID_REQUEST'],
  'a private key': [withJwks(JSON.stringify({ keys: [{ ...publicKey, d: 'x' }] })), 'CLIENT_METADATA_INVALID'],
  'a secret key': [withJwks(JSON.stringify({ keys: [{ kty: 'oct', k: 'AAAA' }] })), 'CLIENT_METADATA_INVALID'],
  'keys that are no JSON': [withJwks('{'), 'CLIENT_METADATA_INVALID'],
  'keys with a NUL': [withJwks(JSON.stringify({ keys: [{ ...publicKey, kid: '\u0000' }] })), 'CLIENT_METADATA_INVALID'],
  'keys with half a character': [withJwks('{"keys": [{"kid": "\\ud800"}]}'), 'CLIENT_METADATA_INVALID'],
  'keys that are too weak': [withJwks(JSON.stringify({ keys: [weakKey] })), 'CLIENT_METADATA_INVALID'],
  'a name with a NUL': [{ ...settings, name: 'a\u0000b' }, 'INVALID_REQUEST'],
  'a refresh token of nothing': [{ ...settings, redirectUris: [], grantTypes: [Grant.REFRESH_TOKEN] }, 'CLIENT_METADATA_INVALID'],
  'offline access without refresh tokens': [
    { ...settings, grantTypes: [Grant.AUTHORIZATION_CODE], scopes: ['openid', 'offline_access'] },
    'CLIENT_METADATA_INVALID',
  ],
  'client credentials of an app': [
    { ...native, grantTypes: [Grant.AUTHORIZATION_CODE, Grant.CLIENT_CREDENTIALS] },
    'CLIENT_METADATA_INVALID',
  ],
  'an unknown resource': [{ ...settings, resources: ['https://orders.example.com'] }, 'RESOURCE_UNKNOWN'],
  'an unknown audience': [{ ...settings, introspects: ['orders'] }, 'RESOURCE_UNKNOWN'],
  'every audience of somebody else': [{ ...settings, introspects: ['*'] }, 'CLIENT_METADATA_INVALID'],
  'no PKCE': [{ ...settings, options: { conformance: true } }, 'CLIENT_METADATA_INVALID'],
  'ID tokens that nobody here signs': [{ ...settings, options: { rs256: true } }, 'CLIENT_METADATA_INVALID'],
  'an origin with a path': [{ ...settings, origins: ['https://app.example.com:443'] }, 'CLIENT_METADATA_INVALID'],
}

const good: Record<string, Settings> = {
  'two addresses': to('https://app.example.com/cb', 'https://app.example.com'),
  'an app': { ...native, redirectUris: ['com.example.app:/cb', 'http://127.0.0.1/cb', 'http://[::1]:8080/cb'] },
  'a page of a browser': {
    ...native,
    kind: Kind.BROWSER,
    redirectUris: ['https://app.example.com/cb'],
    origins: ['https://app.example.com'],
  },
  'a service': { ...settings, kind: Kind.SERVICE, redirectUris: [], grantTypes: [Grant.CLIENT_CREDENTIALS] },
  'a proof by key': withJwks(JSON.stringify({ keys: [publicKey] })),
  'a device': { ...native, redirectUris: [], grantTypes: [Grant.DEVICE_CODE, Grant.REFRESH_TOKEN] },
  'one of our own': { ...settings, firstParty: true, introspects: ['*'], scopes: ['openid', 'offline_access'] },
}

test('settings that cannot be are refused by name, and what is good beside them is taken', async () => {
  const clients = await clientsAs(house.admin)
  for (const [name, [wrong, reason]] of Object.entries(bad))
    assert.equal(await outcome(clients.createClient({ settings: wrong })), reason, name)
  // An id that could be a person's.
  assert.equal(await outcome(clients.createClient({ clientId: randomUUID(), settings })), 'CLIENT_METADATA_INVALID')
  for (const [name, right] of Object.entries(good)) {
    const { client } = await clients.createClient({ settings: right })
    const { client: read } = await clients.getClient({ clientId: client?.clientId ?? '' })
    const { kind, redirectUris, grantTypes, authMethod, scopes, origins, firstParty, introspects } = read ?? assert.fail()
    const shown = { kind, redirectUris, grantTypes, authMethod, scopes, origins, firstParty, introspects }
    assert.deepEqual(shown, { scopes: [], origins: [], firstParty: false, introspects: [], ...pick(right, Object.keys(shown)) }, name)
  }
})

function pick(from: object, names: readonly string[]): object {
  return Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)))
}

test('the REST door takes and shows the same', async () => {
  const clientId = `rest-${randomUUID()}`
  const browser = openBrowser(house.story.app.ports.web)
  const call = (method: string, path: string, body?: object) => browser.rest(method, path, body, bearer(house.admin))
  const json = {
    name: 'By REST',
    kind: 'CLIENT_KIND_WEB',
    redirectUris: ['https://rest.example.com/cb'],
    grantTypes: ['CLIENT_GRANT_TYPE_AUTHORIZATION_CODE'],
    authMethod: 'CLIENT_AUTH_METHOD_CLIENT_SECRET_POST',
  }
  const made = await call('POST', '/api/clients', { clientId, settings: json })
  assert.deepEqual([made.status, String(made.body.clientSecret).slice(0, 4)], [200, 'gos_'])
  const read = await call('GET', `/api/clients/${clientId}`)
  assert.deepEqual([read.status, read.body.name, 'clientSecret' in read.body], [200, 'By REST', false])
  const put = await call('PUT', `/api/clients/${clientId}`, { settings: { ...json, name: 'Renamed' }, etag: read.body.etag })
  assert.deepEqual([put.status, put.body.name], [200, 'Renamed'])
  assert.equal((await call('POST', `/api/clients/${clientId}:disable`, {})).status, 200)
  assert.equal((await call('DELETE', `/api/clients/${clientId}`)).status, 200)
  assert.equal((await call('GET', `/api/clients/${clientId}`)).status, 404)
})

test('a resource server is registered, changed and removed by who may change clients, and what is ours is none', async () => {
  const serviceAccountId = await accountOf(house)
  const serversWith = async (permission: string) => {
    const { key } = await house.accounts.createApiKey({ serviceAccountId, name: `servers ${permission}`, scopes: [permission] })
    return await house.story.grpc(ResourceServerService, bearer(key))
  }
  const [reader, servers] = [await serversWith('auth.clients.read'), await serversWith('auth.clients.write')]
  const wanted = { resource: 'https://orders.example.com', scopes: ['orders.read', 'orders.write'] }
  assert.equal(await outcome(reader.registerResourceServer(wanted)), 'PERMISSION_DENIED')
  assert.equal(await outcome(servers.listResourceServers({})), 'PERMISSION_DENIED')
  const { resourceServer: made } = await servers.registerResourceServer(wanted)
  assert.deepEqual([made?.audience, made?.lifetime?.seconds], [wanted.resource, 600n])
  // The answer was lost, and the same comes again.
  assert.deepEqual((await servers.registerResourceServer(wanted)).resourceServer, made)
  assert.equal(await outcome(servers.registerResourceServer({ ...wanted, scopes: ['orders.read'] })), 'RESOURCE_EXISTS')
  assert.equal(await outcome(servers.registerResourceServer({ ...wanted, lifetime: { seconds: 601n } })), 'INVALID_REQUEST')
  assert.equal(await outcome(servers.registerResourceServer({ ...wanted, resource: `${wanted.resource}#part` })), 'INVALID_REQUEST')

  const ours = [
    'gatehouse',
    'Gatehouse',
    'urn:gatehouse:api',
    'http://localhost:8080',
    'http://LOCALHOST:8080/oidc',
    'http://acme.localhost:8080/oidc/',
  ]
  for (const audience of ours)
    assert.equal(
      await outcome(servers.registerResourceServer({ resource: 'https://x.example', audience, scopes: ['a'] })),
      'RESOURCE_RESERVED',
      audience,
    )
  const resource = 'http://localhost:8080/oidc/token'
  assert.equal(await outcome(servers.registerResourceServer({ resource, audience: 'x', scopes: ['a'] })), 'RESOURCE_RESERVED')
  const beside = { resource: 'http://localhost:8080/api/orders', audience: 'beside', scopes: ['a'], lifetime: { seconds: 60n } }
  assert.equal(await outcome(servers.registerResourceServer(beside)), 'ok')

  const changed = { resource: wanted.resource, scopes: ['orders.read'], lifetime: { seconds: 300n } }
  for (let each = 0; each < 2; each++)
    assert.deepEqual((await servers.updateResourceServer(changed)).resourceServer?.scopes, ['orders.read'])
  assert.equal(await outcome(servers.updateResourceServer({ ...changed, resource: 'https://nobody.example' })), 'RESOURCE_NOT_FOUND')
  const first = await reader.listResourceServers({ pageSize: 1 })
  const second = await reader.listResourceServers({ pageSize: 1, pageToken: first.nextPageToken })
  assert.deepEqual(
    [...first.resourceServers, ...second.resourceServers].map((each) => [each.resource, each.lifetime?.seconds]),
    [
      [beside.resource, 60n],
      [wanted.resource, 300n],
    ],
  )
  assert.equal(second.nextPageToken, '')
  for (let each = 0; each < 2; each++) assert.equal(await outcome(servers.removeResourceServer({ resource: wanted.resource })), 'ok')
  const { rows } = await sql<{ kind: string }>`
    select kind from audit_entries where subject_id = ${wanted.resource} and result = 'done' order by id`.execute(house.story.db)
  assert.deepEqual(
    rows.map(({ kind }) => kind),
    ['resource_add', 'resource_update', 'resource_remove'],
  )
})
