import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, before, test } from 'node:test'
import { createRemoteJWKSet, customFetch, decodeProtectedHeader, exportJWK, importJWK, jwtVerify, SignJWT } from 'jose'
import * as relying from 'openid-client'
import { type ActsInMemory, actsInMemory, clientOf } from './oidc-acts-in-memory.ts'
import { ISSUER, type OidcHouse, OTHER_ORIGIN, openOidcHouse } from './oidc-house.ts'

let house: OidcHouse
let acts: ActsInMemory
before(async () => {
  acts = actsInMemory()
  house = await openOidcHouse(() => acts)
  acts.resources.set('urn:orders', { resource: 'urn:orders', audience: 'orders', scopes: ['read', 'write'], lifetimeSeconds: 3600 })
  acts.clientRows.set(
    'robot',
    clientOf('robot', {
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      gatehouse_resources: ['urn:orders'],
    }),
  )
})
after(() => house[Symbol.asyncDispose]())

// A refusal with a challenge in its headers comes out of the client as another error than one in the body.
const refused = (status: number) => ({ status })
const basic = relying.ClientSecretBasic('secret of robot')

test('a program gets a JWT of the audience that it may call, which says the tenant and no person', async () => {
  const robot = await house.client('robot', basic)
  const answer = await relying.clientCredentialsGrant(robot, { scope: 'read', resource: 'urn:orders' })
  const { visit } = house.visitor()
  const keys = createRemoteJWKSet(new URL(`${ISSUER}/jwks`), { [customFetch]: (url: string) => visit(url) })
  const { payload, protectedHeader } = await jwtVerify(answer.access_token, keys, { issuer: ISSUER, audience: 'orders', typ: 'at+jwt' })
  assert.deepEqual([payload.sub, payload.client_id, payload.tid, payload.scope], ['robot', 'robot', 'default', 'read'])
  assert.deepEqual([payload.sid, payload.gid, payload.permissions], [undefined, undefined, undefined])
  assert.equal(protectedHeader.alg, 'ES256')
  assert.equal((payload.exp ?? 0) - (payload.iat ?? 0), 600, 'whatever the resource says: verifiers keep revocations no longer')
})

test('for no resource in particular the token is opaque', async () => {
  const robot = await house.client('robot', basic)
  const { access_token: token, refresh_token: refresh } = await relying.clientCredentialsGrant(robot)
  assert.match(token, /^goa_[A-Za-z0-9_-]{43}$/)
  assert.equal(refresh, undefined)
})

test('a scope of no resource gets into no token', async () => {
  const robot = await house.client('robot', basic)
  for (const scope of ['write', 'openid', 'admin read'])
    await assert.rejects(relying.clientCredentialsGrant(robot, { scope }), { error: 'invalid_scope' }, scope)
})

test('a resource that the client may not ask for is refused, as is one of nobody', async () => {
  const robot = await house.client('robot', basic)
  acts.resources.set('urn:salaries', { resource: 'urn:salaries', audience: 'salaries', scopes: ['read'], lifetimeSeconds: 600 })
  for (const resource of ['urn:salaries', 'urn:nobody', 'urn:gatehouse', ISSUER])
    await assert.rejects(relying.clientCredentialsGrant(robot, { resource }), { error: 'invalid_target' }, resource)
})

test('wrong, empty and foreign secrets are refused, the right one in either place is not', async () => {
  for (const auth of [relying.ClientSecretBasic('secret of other'), relying.ClientSecretPost('kept as a hash'), relying.None()])
    await assert.rejects(relying.clientCredentialsGrant(await house.client('robot', auth)), refused(401))
  await relying.clientCredentialsGrant(await house.client('robot', relying.ClientSecretPost('secret of robot')))
  await assert.rejects(relying.clientCredentialsGrant(await house.client('nobody', basic)), refused(401))
})

test('a client that is disabled gets nothing', async () => {
  acts.clientRows.set('gone', clientOf('gone', { grant_types: ['client_credentials'] }))
  const gone = await house.client('gone', relying.ClientSecretBasic('secret of gone'))
  await relying.clientCredentialsGrant(gone)
  acts.clientRows.delete('gone')
  await assert.rejects(relying.clientCredentialsGrant(gone), refused(401))
})

test('a client of one tenant proves nothing at another', async () => {
  const robot = await house.client('robot', basic, { issuer: `${OTHER_ORIGIN}/oidc` })
  const { access_token: token } = await relying.clientCredentialsGrant(robot, { scope: 'read', resource: 'urn:orders' })
  const here = await house.client('robot', basic)
  const hereToken = (await relying.clientCredentialsGrant(here, { scope: 'read', resource: 'urn:orders' })).access_token
  assert.notEqual(decodeProtectedHeader(token).kid, decodeProtectedHeader(hereToken).kid)
})

async function withKey(alg: 'ES256' | 'RS256'): Promise<{ jwk: object; key: CryptoKey }> {
  const made = alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = (await importJWK(await exportJWK(made.privateKey), alg)) as CryptoKey
  return { jwk: { ...(await exportJWK(made.publicKey)), kid: 'k', alg, use: 'sig' }, key }
}

test('a client proves itself with a key of its own, once for each assertion', async () => {
  const { jwk, key } = await withKey('ES256')
  acts.clientRows.set(
    'keyed',
    clientOf('keyed', { grant_types: ['client_credentials'], token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } }),
  )
  await relying.clientCredentialsGrant(await house.client('keyed', relying.PrivateKeyJwt({ key, kid: 'k' })))
  const assertion = (id: string) =>
    new SignJWT({ iss: 'keyed', sub: 'keyed', aud: ISSUER, jti: id })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(key)
  const present = async (text: string) => {
    const form = {
      grant_type: 'client_credentials',
      client_id: 'keyed',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: text,
    }
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    return (await house.visitor().visit(`${ISSUER}/token`, { method: 'POST', headers, body: String(new URLSearchParams(form)) })).status
  }
  const text = await assertion('once')
  const statuses = await Promise.all(Array.from({ length: 20 }, () => present(text)))
  assert.deepEqual(statuses.filter((status) => status === 200).length, 1)
  assert.deepEqual(new Set(statuses.filter((status) => status !== 200)), new Set([401]))
})

test('assertions signed with a secret, or with RSA of PKCS 1, are none', async () => {
  const { jwk, key } = await withKey('RS256')
  acts.clientRows.set(
    'rsa',
    clientOf('rsa', { grant_types: ['client_credentials'], token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } }),
  )
  await assert.rejects(relying.clientCredentialsGrant(await house.client('rsa', relying.PrivateKeyJwt({ key, kid: 'k' }))), {
    error: 'invalid_client',
  })
  await assert.rejects(relying.clientCredentialsGrant(await house.client('robot', relying.ClientSecretJwt('secret of robot'))), {
    error: 'invalid_client',
  })
  assert.deepEqual(house.faults, [])
})
