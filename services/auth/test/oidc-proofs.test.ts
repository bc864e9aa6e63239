import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { ClientAuthMethod } from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import { exportJWK, SignJWT } from 'jose'
import { createOidcActs } from '../src/core/oidc/oidc-acts.ts'
import { athOf, newProofKey, proofOf, type Said } from './dpop-proofs.ts'
import { ISSUER, type OidcHouse, OTHER_ORIGIN, openOidcHouse } from './oidc-house.ts'
import { CALLBACK, codeFor } from './relying-party.ts'
import { type MadeClient, openTokenScene, type TokenScene } from './token-scene.ts'

let house: OidcHouse
let scene: TokenScene
let app: MadeClient
before(async () => {
  house = await openOidcHouse(createOidcActs)
  scene = await openTokenScene(house)
  app = await scene.client()
})
after(() => house[Symbol.asyncDispose]())

const userinfo = async (headers: Record<string, string>): Promise<number> =>
  (await house.visitor().visit(`${ISSUER}/userinfo`, { headers })).status

test('a proof is of one key, one request, one token and one moment: with any of it changed it proves nothing', async () => {
  const key = newProofKey()
  const [url, method] = [`${ISSUER}/userinfo`, 'GET']
  const { browser } = await scene.tokensOf(app)
  const { callback, checks } = await codeFor(browser, app.relying)
  const form = {
    grant_type: 'authorization_code',
    code: callback.searchParams.get('code') ?? '',
    redirect_uri: CALLBACK,
    code_verifier: checks.pkceCodeVerifier,
  }
  const dpop = await proofOf(key, { method: 'POST', url: `${ISSUER}/token` })
  const authorization = `Basic ${btoa(`${app.id}:${app.secret}`)}`
  const headers = { 'content-type': 'application/x-www-form-urlencoded', authorization, dpop }
  const answer = await house.visitor().visit(`${ISSUER}/token`, { method: 'POST', headers, body: String(new URLSearchParams(form)) })
  const { access_token: token } = (await answer.json()) as { access_token: string }
  const shown = async (said: Said = {}, by = key) =>
    await userinfo({ authorization: `DPoP ${token}`, dpop: await proofOf(by, { method, url, token }, said) })

  const now = Math.floor(Date.now() / 1000)
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const secret = randomBytes(32)
  const wrong: Readonly<Record<string, Said>> = {
    'typ of another token': { header: { typ: 'JWT' } },
    'no typ': { header: { typ: undefined } },
    'a shared secret': { header: { alg: 'HS256', jwk: { kty: 'oct', k: secret.toString('base64url') } }, signer: secret },
    'RSA of PKCS 1': { header: { alg: 'RS256', jwk: await exportJWK(rsa.publicKey) }, signer: rsa.privateKey },
    'a private key in the open': { header: { jwk: await exportJWK(key.privateKey) } },
    'no key': { header: { jwk: undefined } },
    'another key than the signature’s': { signer: newProofKey().privateKey },
    'another method': { claims: { htm: 'POST' } },
    'a method in other letters': { claims: { htm: 'get' } },
    'no method': { claims: { htm: undefined } },
    'another address': { claims: { htu: `${ISSUER}/token` } },
    'another host': { claims: { htu: 'http://evil.example/oidc/userinfo' } },
    'another tenant': { claims: { htu: `${OTHER_ORIGIN}/oidc/userinfo` } },
    'another scheme': { claims: { htu: url.replace('http:', 'https:') } },
    'no address': { claims: { htu: undefined } },
    'an address that is none': { claims: { htu: 'userinfo' } },
    'an hour ago': { claims: { iat: now - 3600 } },
    'in an hour': { claims: { iat: now + 3600 } },
    'no time': { claims: { iat: undefined } },
    'a nonce of nobody': { claims: { nonce: 'x' } },
    'no id': { claims: { jti: undefined } },
    'an empty id': { claims: { jti: '' } },
    'no token': { claims: { ath: undefined } },
    'another token': { claims: { ath: athOf(`${token}x`) } },
  }
  for (const [name, said] of Object.entries(wrong)) assert.notEqual(await shown(said), 200, name)
  assert.equal(await shown({}, newProofKey()), 401, 'somebody else’s key')
  const once = { claims: { jti: 'once' } }
  assert.deepEqual([await shown(once), await shown(once)], [200, 401])
  const proof = await proofOf(key, { method, url, token })
  const [head, body] = proof.split('.')
  assert.notEqual(await userinfo({ authorization: `DPoP ${token}`, dpop: `${head}.${body}.` }), 200, 'no signature')
  assert.notEqual(await userinfo({ authorization: `DPoP ${token}` }), 200, 'no proof')
  assert.notEqual(await userinfo({ authorization: `Bearer ${token}`, dpop: proof }), 200, 'as a bearer')
  const { access } = await scene.tokensOf(app)
  const unbound = await proofOf(key, { method, url, token: access })
  assert.notEqual(await userinfo({ authorization: `DPoP ${access}`, dpop: unbound }), 200, 'of a token that is bound to nothing')
  assert.equal(await shown({ claims: { htu: `${url}?x=1#y` } }), 200, 'query and fragment are no part of it (RFC 9449, 4.3)')
})

test('an assertion is its client’s own, for this issuer, and for now', async () => {
  const key = newProofKey()
  const keys = { keys: [{ ...(await exportJWK(key.publicKey)), kid: 'k', alg: 'ES256', use: 'sig' }] }
  const keyed = await scene.client({ authMethod: ClientAuthMethod.PRIVATE_KEY_JWT, jwksJson: JSON.stringify(keys) })
  const now = Math.floor(Date.now() / 1000)
  const shown = async (claims: Record<string, unknown>, signer = key.privateKey) => {
    const good = { iss: keyed.id, sub: keyed.id, aud: ISSUER, iat: now, exp: now + 60, jti: randomBytes(8).toString('hex') }
    const said = Object.fromEntries(Object.entries({ ...good, ...claims }).filter(([, value]) => value !== undefined))
    const assertion = await new SignJWT(said).setProtectedHeader({ alg: 'ES256', kid: 'k' }).sign(signer)
    const answer = await scene.post('/token', {
      grant_type: 'client_credentials',
      client_id: keyed.id,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    })
    return ((await answer.json()) as { error?: string }).error
  }
  for (const claims of [
    { iss: app.id },
    { sub: app.id },
    { iss: app.id, sub: app.id },
    { aud: 'https://evil.example' },
    { aud: `${OTHER_ORIGIN}/oidc` },
    { aud: undefined },
    { exp: now - 60 },
    { exp: undefined },
    { nbf: now + 600 },
    { jti: undefined },
    { sub: undefined },
  ])
    assert.match(String(await shown(claims)), /^invalid_(client|request)$/, JSON.stringify(claims))
  assert.equal(await shown({}, newProofKey().privateKey), 'invalid_client', 'another key')
  assert.equal(await shown({}), undefined)
  assert.deepEqual(house.faults, [])
})
