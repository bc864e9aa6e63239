import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { ClientOptionsSchema } from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import { createAccessTokenVerifier, createTokenInspector, followIssuers, type SkippedKey, TokenInvalid } from '@gatehouse/identity'
import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  importJWK,
  type JSONWebKeySet,
  type JWTHeaderParameters,
  jwtVerify,
  SignJWT,
} from 'jose'
import * as relying from 'openid-client'
import type { Deps } from '../src/core/deps.ts'
import { createEgress } from '../src/core/egress/egress.ts'
import { createOidcActs } from '../src/core/oidc/oidc-acts.ts'
import { listIssuers } from '../src/core/tenants/list-issuers.ts'
import { mintServiceAccountToken } from '../src/core/tokens/mint-token.ts'
import { Unavailable } from '../src/oidc/error-of.ts'
import { logoutTeller } from '../src/oidc/tell-logout.ts'
import { type LogoutReceiver, openLogoutReceiver } from './logout-receiver.ts'
import { clientOf } from './oidc-acts-in-memory.ts'
import { ISSUER, type OidcHouse, openOidcHouse } from './oidc-house.ts'
import { testProvider } from './oidc-provider-for-tests.ts'
import { codeFor } from './relying-party.ts'
import { forOrders, type MadeClient, openTokenScene, type TokenScene } from './token-scene.ts'

const tenant = 'default'

let house: OidcHouse
let deps: Deps
let scene: TokenScene
let receiver: LogoutReceiver
/** One that asked for RS256, and one that did not. */
let asked: MadeClient
let plain: MadeClient

before(async () => {
  receiver = await openLogoutReceiver()
  house = await openOidcHouse(createOidcActs, { egress: createEgress({ allow: ['127.0.0.1'] }) })
  deps = house.opened.deps
  scene = await openTokenScene(house)
  plain = await scene.client({ backchannelLogoutUri: receiver.uri })
  asked = await scene.client({ backchannelLogoutUri: receiver.uri, options: create(ClientOptionsSchema, { rs256: true }) })
  // They verify signatures, beyond what they have to where they fetched a token themselves.
  for (const client of [plain, asked]) relying.enableNonRepudiationChecks(client.relying)
})
after(async () => {
  await house[Symbol.asyncDispose]()
  await receiver[Symbol.asyncDispose]()
})

async function published(path = '/oidc/jwks'): Promise<JSONWebKeySet> {
  return (await (await house.visitor().visit(new URL(path, ISSUER).href)).json()) as JSONWebKeySet
}

const algOf = (token: string) => decodeProtectedHeader(token).alg

test('the keys of both kinds are published under both names, those of RS256 last', async () => {
  const keys = await published()
  assert.deepEqual(keys, await published('/.well-known/jwks.json'))
  assert.deepEqual(
    keys.keys.map(({ alg, kty }) => [alg, kty]),
    [
      ['ES256', 'EC'],
      ['RS256', 'RSA'],
    ],
  )
})

test('a client that asked for RS256 has its ID tokens signed so, after a refresh too, and another has ES256', async () => {
  for (const [client, alg] of [
    [asked, 'RS256'],
    [plain, 'ES256'],
  ] as const) {
    const tokens = await scene.tokensOf(client)
    const again = (await relying.refreshTokenGrant(client.relying, tokens.refresh)).id_token ?? ''
    for (const id of [tokens.id, again]) {
      const { protectedHeader } = await jwtVerify(id, createLocalJWKSet(await published()), { audience: client.id, issuer: ISSUER })
      assert.equal(protectedHeader.alg, alg)
    }
    // As a hint it says who is meant.
    const { callback } = await codeFor(tokens.browser, client.relying, { prompt: 'none', id_token_hint: tokens.id })
    assert.ok(callback.searchParams.get('code'), callback.href)
  }
})

test('access tokens are ES256, whatever the client asked for', async () => {
  for (const client of [asked, plain]) {
    assert.equal(algOf((await scene.tokensOf(client, forOrders)).access), 'ES256')
    assert.equal(algOf(await scene.ownToken(client, { resource: 'urn:orders', scope: 'read' })), 'ES256')
  }
})

test('a client is told of an ended session in what it asked for', async () => {
  const acts = createOidcActs(deps)
  const tell = logoutTeller(
    { acts },
    { of: async () => ({ provider: await house.provider(), issuer: new URL(ISSUER), handle: async () => {} }) },
  )
  for (const [client, alg] of [
    [asked, 'RS256'],
    [plain, 'ES256'],
  ] as const) {
    const { userId, sessionId } = await scene.tokensOf(client)
    assert.equal(await tell({ tenant, sessionId, clientId: client.id, userId }), 'delivered')
    const { protectedHeader, payload } = await jwtVerify(receiver.tokens.at(-1) ?? '', createLocalJWKSet(await published()), {
      audience: client.id,
      issuer: ISSUER,
    })
    assert.deepEqual([protectedHeader.alg, payload.sub], [alg, userId])
  }
})

/** What a thief of the RS256 key could sign: another's access token, letter by letter. */
async function resigned(token: string, changes: Partial<JWTHeaderParameters> = {}): Promise<string> {
  const jwk = (await deps.keys.oidcKeys(tenant)).jwks.find(({ alg }) => alg === 'RS256') ?? assert.fail()
  const header = { ...decodeProtectedHeader(token), alg: 'RS256', kid: jwk.kid, ...changes }
  return await new SignJWT(decodeJwt(token)).setProtectedHeader(header).sign(await importJWK(jwk, 'RS256'))
}

test('no token that the RS256 key signed opens a door or is taken for one of ours, not even by who reads the published keys', async () => {
  const { token } = await mintServiceAccountToken(deps, { tenant, id: crypto.randomUUID(), name: 'x' })
  const { access } = await scene.tokensOf(plain, forOrders)
  const es256 = String(decodeProtectedHeader(token).kid)
  const told: SkippedKey[] = []
  const [ours] = (await listIssuers(deps)).filter((each) => each.tenant === tenant)
  const everyKey = [{ ...(ours ?? assert.fail()), jwks: (await published()).keys.map((jwk) => JSON.stringify(jwk)) }]
  for (const load of [() => listIssuers(deps), async () => everyKey]) {
    await using issuers = followIssuers(load, { cooldownMs: 0, onSkippedKey: (key) => void told.push(key) })
    await issuers.lookAgain()
    const verifier = createAccessTokenVerifier({ audience: 'gatehouse', issuers, now: deps.now })
    const inspector = createTokenInspector({ issuers, now: deps.now })
    assert.ok(await verifier.verify(token))
    assert.ok(await inspector.inspect(access))
    for (const changes of [{}, { kid: es256 }]) {
      await assert.rejects(verifier.verify(await resigned(token, changes)), TokenInvalid)
      await assert.rejects(inspector.inspect(await resigned(access, changes)), TokenInvalid)
    }
  }
  assert.deepEqual(
    told.map(({ why }) => why),
    ['the key is not on P-256'],
  )
  assert.equal((await scene.introspect(plain, access)).active, true)
  assert.equal((await scene.introspect(plain, await resigned(access))).active, false)
  const { id } = await scene.tokensOf(asked)
  assert.equal((await scene.introspect(asked, id)).active, false, 'an ID token is no access token')
})

test('where the key is not at hand its clients are to come again, and others go on', async () => {
  const { provider, acts } = testProvider()
  acts.clientRows.set('asked', clientOf('asked', { id_token_signed_response_alg: 'RS256' }))
  acts.clientRows.set('plain', clientOf('plain'))
  await assert.rejects(provider.Client.find('asked'), (error) => error instanceof Unavailable && error.status === 503)
  assert.equal((await provider.Client.find('plain'))?.idTokenSignedResponseAlg, 'ES256')
})
