import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  ClientAuthMethod,
  ClientKind,
  type ClientOptions,
  type ClientSettings,
  ClientGrantType as Grant,
} from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import type { User } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import * as relying from 'openid-client'
import { createClient } from '../src/core/oidc/clients/create-client.ts'
import { addResource } from '../src/core/oidc/clients/resources.ts'
import { clientEtag, updateClient } from '../src/core/oidc/clients/update-client.ts'
import { createOidcActs } from '../src/core/oidc/oidc-acts.ts'
import type { OidcActs } from '../src/core/oidc/oidc-parts.ts'
import { ISSUER, type OidcHouse, openOidcHouse } from './oidc-house.ts'
import { settingsOf } from './oidc-scene.ts'
import type { Visitor } from './page-visitor.ts'
import { codeFor } from './relying-party.ts'
import { signSomebodyIn, somebody } from './sign-somebody-in.ts'

const pairwiseKey = Buffer.alloc(32, 3)
const rules = { pairwise: true }
const pairwise = { pairwise: true } as ClientOptions
const [ours, theirs] = ['https://rp.example/callback', 'https://other.example/callback']

let house: OidcHouse
let acts: OidcActs
let ada: User
before(async () => {
  house = await openOidcHouse((deps) => createOidcActs(deps, { pairwiseKey }))
  acts = createOidcActs(house.opened.deps, { pairwiseKey })
  ada = await somebody(house.opened)
  const resource = { tenant: 'default', resource: 'urn:orders', audience: 'orders-api', scopes: ['read'], lifetimeSeconds: 600 }
  await addResource(house.opened.deps, resource)
})
after(() => house[Symbol.asyncDispose]())

type Given = Partial<Omit<ClientSettings, '$typeName'>>
interface Made {
  readonly id: string
  readonly secret: string
  readonly redirectUri: string
  readonly relying: relying.Configuration
}

let counter = 0

async function made(redirectUri: string, given: Given = { options: pairwise }): Promise<Made> {
  const id = `knows-${++counter}`
  const settings = settingsOf({ firstParty: true, redirectUris: [redirectUri], ...given })
  const { secret } = await createClient(house.opened.deps, { tenant: 'default', clientId: id, settings }, rules)
  return { id, secret, redirectUri, relying: await house.client(id, relying.ClientSecretBasic(secret)) }
}

async function signedIn(user: User): Promise<{ browser: Visitor; sessionId: string }> {
  const sessionId = (await signSomebodyIn(house.opened.deps, user)).session?.id ?? ''
  const browser = house.visitor()
  browser.cookies.set('__Host-gatehouse-oidc', acts.sessions.cookieOf('default', sessionId, 0))
  return { browser, sessionId }
}

async function tokensOf(client: Made, browser: Visitor, more: Record<string, string> = {}) {
  const { callback, checks } = await codeFor(browser, client.relying, { redirect_uri: client.redirectUri, ...more })
  assert.equal(callback.searchParams.get('error'), null, String(callback))
  return await relying.authorizationCodeGrant(client.relying, callback, checks)
}

/** By what id each of the places says it knows whoever signed in. */
async function subjectsAt(client: Made, browser: Visitor): Promise<string[]> {
  const tokens = await tokensOf(client, browser)
  const sub = tokens.claims()?.sub ?? ''
  const about = await relying.fetchUserInfo(client.relying, tokens.access_token, relying.skipSubjectCheck)
  const refreshed = await relying.refreshTokenGrant(client.relying, tokens.refresh_token ?? '')
  const told = await Promise.all(
    [tokens.access_token, refreshed.refresh_token ?? ''].map((token) => relying.tokenIntrospection(client.relying, token)),
  )
  return [sub, about.sub, refreshed.claims()?.sub ?? '', ...told.map((answer) => String(answer.sub))]
}

test('clients of two hosts know a person by two ids, those of one host by one, and every answer says the same', async () => {
  const { browser } = await signedIn(ada)
  const clients = [await made(ours), await made('https://rp.example/elsewhere'), await made(theirs), await made(ours, {})]
  const known: string[] = []
  for (const client of clients) {
    const subjects = new Set(await subjectsAt(client, browser))
    assert.equal(subjects.size, 1, [...subjects].join())
    known.push(...subjects)
  }
  const [first, sameHost, other, asEverybody] = known
  assert.match(first ?? '', /^[\w-]{43}$/)
  assert.equal(sameHost, first)
  assert.notEqual(other, first)
  assert.equal(asEverybody, ada.id)
  const later = await signedIn(ada)
  const somebodyElse = await signedIn(await somebody(house.opened))
  const [again, elses] = [await subjectsAt(clients[0] as Made, later.browser), await subjectsAt(clients[0] as Made, somebodyElse.browser)]
  assert.equal(again[0], first, 'in every session')
  assert.notEqual(elses[0], first)
})

test('nothing that the client, or whoever may look at its tokens, is told names the person or their session', async () => {
  const { browser, sessionId } = await signedIn(ada)
  const client = await made(ours)
  const gateway = await made(theirs, { introspects: ['*'] })
  const tokens = await tokensOf(client, browser)
  const answers = [
    tokens.claims(),
    await relying.fetchUserInfo(client.relying, tokens.access_token, relying.skipSubjectCheck),
    await relying.tokenIntrospection(client.relying, tokens.access_token),
    await relying.tokenIntrospection(gateway.relying, tokens.access_token),
  ]
  for (const answer of answers) {
    const text = JSON.stringify(answer)
    assert.equal(text.includes(ada.id) || text.includes(sessionId), false, text)
  }
  assert.equal(answers[3]?.sub, answers[0]?.sub)
  const plain = await made(ours, {})
  const others = await relying.tokenIntrospection(plain.relying, (await tokensOf(plain, browser)).access_token)
  assert.deepEqual([others.sub, others.sid], [ada.id, sessionId])
})

test('a client that means somebody says so by the id that it knows them by', async () => {
  const { browser } = await signedIn(ada)
  const client = await made(ours)
  const hint = (await tokensOf(client, browser)).id_token ?? ''
  const again = await tokensOf(client, browser, { prompt: 'none', id_token_hint: hint })
  const sub = again.claims()?.sub ?? ''
  const meaning = (value: string) => ({ prompt: 'none', claims: JSON.stringify({ id_token: { sub: { value } } }) })
  assert.equal((await tokensOf(client, browser, meaning(sub))).claims()?.sub, sub)
  const asked = { redirect_uri: ours, ...meaning(ada.id) }
  assert.equal((await codeFor(browser, client.relying, asked)).callback.searchParams.get('error'), 'login_required')
  const { browser: other } = await signedIn(await somebody(house.opened))
  const wrong = { redirect_uri: ours, prompt: 'none', id_token_hint: hint }
  assert.equal((await codeFor(other, client.relying, wrong)).callback.searchParams.get('error'), 'login_required')
})

test('its tokens are exchanged for nothing: the next service would be told who it is', async () => {
  const { browser } = await signedIn(ada)
  const given = { resources: ['urn:orders'], introspects: ['*'], grantTypes: [Grant.AUTHORIZATION_CODE, Grant.TOKEN_EXCHANGE] }
  const service = await made(theirs, given)
  const exchange = async (token: string) => {
    const form = {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      resource: 'urn:orders',
    }
    const headers = {
      authorization: `Basic ${btoa(`${service.id}:${service.secret}`)}`,
      'content-type': 'application/x-www-form-urlencoded',
    }
    const answer = await house.visitor().visit(`${ISSUER}/token`, { method: 'POST', headers, body: String(new URLSearchParams(form)) })
    return ((await answer.json()) as { error?: string }).error
  }
  assert.equal(await exchange((await tokensOf(await made(ours), browser)).access_token), 'invalid_request')
  // That of any other client gets as far as its scope, which is of no resource.
  assert.equal(await exchange((await tokensOf(await made(ours, {}), browser)).access_token), 'invalid_scope')
})

test('a client is pairwise with one host and no resources, and stays so', async () => {
  const { deps } = house.opened
  const create = (given: Given, more: object = rules) => {
    const settings = settingsOf({ redirectUris: [ours], options: pairwise, ...given })
    return createClient(deps, { tenant: 'default', clientId: '', settings }, more)
  }
  const refused = { reason: 'CLIENT_METADATA_INVALID' }
  const native = { kind: ClientKind.NATIVE, authMethod: ClientAuthMethod.NONE, redirectUris: ['http://127.0.0.1/callback'] }
  const wrong: Given[] = [
    { redirectUris: [ours, theirs] },
    { redirectUris: ['https://rp.example:8443/callback', ours] },
    { resources: ['urn:orders'] },
    { grantTypes: [Grant.AUTHORIZATION_CODE, Grant.DEVICE_CODE] },
    { grantTypes: [Grant.AUTHORIZATION_CODE, Grant.TOKEN_EXCHANGE] },
    { kind: ClientKind.SERVICE, redirectUris: [], grantTypes: [Grant.CLIENT_CREDENTIALS] },
    native,
  ]
  for (const given of wrong) await assert.rejects(create(given), refused, JSON.stringify(given))
  await assert.rejects(create({}, {}), refused, 'without a key')
  const { client } = await create({ redirectUris: [ours, 'https://rp.example/other'] })
  const { row } = client
  const change = (given: Given, etag = clientEtag(row)) => {
    const settings = settingsOf({ options: pairwise, ...given })
    return updateClient(deps, { tenant: 'default', clientId: row.client_id, settings, etag }, rules)
  }
  await assert.rejects(change({ redirectUris: [theirs] }), refused)
  await assert.rejects(change({ redirectUris: [ours], options: {} as ClientOptions }), refused)
  const changed = await change({ redirectUris: ['https://rp.example/third'], name: 'Another name' })
  assert.equal(changed.row.name, 'Another name')
  assert.deepEqual(house.faults, [])
})
