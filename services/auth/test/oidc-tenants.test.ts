import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { rotateKeys } from '../src/core/keys/rotate-keys.ts'
import { type ActsInMemory, actsInMemory, clientOf } from './oidc-acts-in-memory.ts'
import { ISSUER, type OidcHouse, OTHER_ORIGIN, openOidcHouse } from './oidc-house.ts'
import { origin } from './open-deps.ts'

let house: OidcHouse
let acts: ActsInMemory
before(async () => {
  acts = actsInMemory()
  house = await openOidcHouse(() => acts)
})
after(() => house[Symbol.asyncDispose]())

const read = async (url: string, headers: Record<string, string> = {}): Promise<{ status: number; text: string }> => {
  const answer = await house.visitor().visit(url, { headers })
  return { status: answer.status, text: await answer.text() }
}

test('discovery is the same at every place where it is looked for, and names the issuer to the letter', async () => {
  const { status, text } = await read(`${ISSUER}/.well-known/openid-configuration`)
  assert.equal(status, 200)
  assert.equal(JSON.parse(text).issuer, ISSUER)
  for (const path of [
    '/oidc/.well-known/oauth-authorization-server',
    '/.well-known/oauth-authorization-server/oidc',
    '/.well-known/openid-configuration/oidc',
  ])
    assert.equal((await read(origin + path)).text, text, path)
  for (const [name, value] of Object.entries(JSON.parse(text) as Record<string, unknown>))
    if (name.endsWith('_endpoint') || name === 'jwks_uri') assert.ok(String(value).startsWith(`${ISSUER}/`), name)
})

test('discovery offers what is served, and no algorithm with a shared secret', async () => {
  const metadata = JSON.parse((await read(`${ISSUER}/.well-known/openid-configuration`)).text) as Record<string, unknown>
  assert.deepEqual(metadata.response_types_supported, ['code'])
  assert.deepEqual(metadata.code_challenge_methods_supported, ['S256'])
  assert.deepEqual(metadata.acr_values_supported, ['aal1', 'aal2', 'phr'])
  assert.deepEqual(metadata.id_token_signing_alg_values_supported, ['ES256', 'RS256'])
  assert.deepEqual(metadata.token_endpoint_auth_methods_supported, ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'])
  assert.doesNotMatch(JSON.stringify(metadata), /"HS\d|"none"\]?,"id_token|client_secret_jwt/)
  assert.equal('registration_endpoint' in metadata, false)
  assert.deepEqual([metadata.backchannel_logout_supported, metadata.backchannel_logout_session_supported], [true, true])
})

test('what a client says about its address changes nothing', async () => {
  const url = `${ISSUER}/.well-known/openid-configuration`
  const { text } = await read(url)
  const forged = {
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'https',
    'x-forwarded-prefix': '/evil',
    'x-forwarded-port': '1',
    forwarded: 'host=evil.example;proto=https',
    'x-real-ip': '1.1.1.1',
  }
  assert.equal((await read(url, forged)).text, text)
})

test('a host of nobody is served nothing, and each tenant has an issuer of its own', async () => {
  for (const host of ['evil.example', 'localhost.evil.example:8080', 'localhost', 'localhost:8081'])
    assert.equal((await read(`http://${host}/oidc/.well-known/openid-configuration`)).status, 404, host)
  const other = await read(`${OTHER_ORIGIN}/oidc/.well-known/openid-configuration`)
  assert.equal(JSON.parse(other.text).issuer, `${OTHER_ORIGIN}/oidc`)
})

test('pages elsewhere may read what is public, and call for a client that names their origin', async () => {
  const origins = { origin: 'https://spa.example' }
  const { visit } = house.visitor()
  const allowed = async (path: string, method = 'GET') =>
    (await visit(ISSUER + path, { method, headers: origins })).headers.get('access-control-allow-origin')
  assert.equal(await allowed('/.well-known/openid-configuration'), origins.origin)
  assert.equal(await allowed('/jwks'), '*')
  acts.clientRows.set('spa', clientOf('spa', { token_endpoint_auth_method: 'none', gatehouse_origins: ['https://spa.example'] }))
  const tokenFor = async (origin: string) => {
    const headers = { origin, 'content-type': 'application/x-www-form-urlencoded' }
    const answer = await visit(`${ISSUER}/token`, {
      method: 'POST',
      headers,
      body: 'grant_type=authorization_code&client_id=spa&code=x&redirect_uri=x',
    })
    return answer.headers.get('access-control-allow-origin')
  }
  assert.equal(await tokenFor('https://spa.example'), 'https://spa.example')
  for (const other of ['https://evil.example', 'null', 'https://rp.example', origin]) assert.equal(await tokenFor(other), null, other)
})

test('in whatever letters a path is written, it is the same route', async () => {
  assert.equal((await read(`${ISSUER}/JWKS`)).text, (await read(`${ISSUER}/jwks`)).text)
})

test('the keys are those of the tenant, the same under both names', async () => {
  const keys = (await read(`${ISSUER}/jwks`)).text
  assert.equal(keys, (await read(`${origin}/.well-known/jwks.json`)).text)
  assert.notEqual(keys, (await read(`${OTHER_ORIGIN}/oidc/jwks`)).text)
  assert.doesNotMatch(keys, /"d":/)
})

test('a new key is published before it signs', async () => {
  const { deps } = house.opened
  const before = await deps.keys.oidcKeys('default')
  const kid = await rotateKeys(deps, { tenant: 'default' })
  assert.ok((await read(`${ISSUER}/jwks`)).text.includes(String(kid)))
  const { jwks } = await deps.keys.oidcKeys('default')
  assert.deepEqual(
    jwks.map((each) => each.kid),
    [before.jwks[0]?.kid, kid],
  )
})

test('what is not served under the mount is not found, whatever the method', async () => {
  for (const path of ['', '/', '/reg', '/challenge', '/token/', '/%2e%2e/token', '/../api/users', '/interaction/abc'])
    assert.equal((await read(`${ISSUER}${path}`)).status, 404, path)
  for (const method of ['PUT', 'DELETE', 'PATCH', 'TRACE']) {
    const { status } = await house.visitor().visit(`${ISSUER}/token`, { method })
    assert.ok(status === 404 || status === 405, `${method} ${status}`)
  }
  assert.deepEqual(house.faults, [])
})
