import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ClientGrantType } from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import { createClient } from '../src/core/oidc/clients/create-client.ts'
import { createOidcActs } from '../src/core/oidc/oidc-acts.ts'
import { ISSUER, type OidcHouse, openOidcHouse } from './oidc-house.ts'
import { settingsOf } from './oidc-scene.ts'
import type { Sent } from './page-visitor.ts'

let house: OidcHouse
let appSecret: string
before(async () => {
  house = await openOidcHouse(createOidcActs)
  const { deps } = house.opened
  const all = [
    ClientGrantType.AUTHORIZATION_CODE,
    ClientGrantType.REFRESH_TOKEN,
    ClientGrantType.CLIENT_CREDENTIALS,
    ClientGrantType.DEVICE_CODE,
  ]
  const made = await createClient(deps, {
    tenant: 'default',
    clientId: 'app',
    settings: settingsOf({ grantTypes: all, redirectUris: ['https://rp.example/callback'] }),
  })
  appSecret = made.secret
})
after(() => house[Symbol.asyncDispose]())

const POSTS = [
  '/token',
  '/token/introspection',
  '/token/revocation',
  '/request',
  '/device/auth',
  '/device',
  '/session/end/confirm',
  '/userinfo',
  '/auth',
  '/i/x',
  '/i/x/sign-in',
  '/i/x/consent',
  '/i/x/refuse',
]
const GETS = [
  '/auth',
  '/userinfo',
  '/session/end',
  '/device',
  '/auth/x',
  '/device/x',
  '/session/end/success',
  '/jwks',
  '/i/x',
  '/i/x/request',
  '/i/%ff/request',
  '/i//request',
  '/.well-known/openid-configuration',
]

const FORM = 'application/x-www-form-urlencoded'
const basic = (text: string) => ({ authorization: `Basic ${btoa(text)}` })

const bodies = (): readonly Sent[] => [
  {},
  { body: '', headers: { 'content-type': FORM } },
  { body: '{"grant_type":"client_credentials"}', headers: { 'content-type': 'application/json' } },
  { body: '{"half', headers: { 'content-type': 'application/json' } },
  { body: '%', headers: { 'content-type': FORM } },
  { body: '%00=%00&%ff=%ff', headers: { 'content-type': FORM } },
  { body: 'grant_type=%00&client_id=%00&code=%00&token=%00', headers: { 'content-type': FORM } },
  { body: 'client_id=app&client_id=open&token=x&token=y', headers: { 'content-type': FORM } },
  { body: 'client_id[]=app&client_id[x]=y&__proto__=x&constructor=y', headers: { 'content-type': FORM } },
  { body: 'client_id=open&grant_type=__proto__&token=__proto__&code=__proto__', headers: { 'content-type': FORM } },
  { body: `client_id=open&grant_type=authorization_code&redirect_uri=x&code=${'x'.repeat(50_000)}`, headers: { 'content-type': FORM } },
  { body: `token=${'x'.repeat(60_000)}`, headers: { 'content-type': FORM, ...basic(`app:${appSecret}`) } },
  { body: 'grant_type=refresh_token&refresh_token=a.b.c', headers: { 'content-type': FORM, ...basic(`app:${appSecret}`) } },
  { body: 'token=eyJhbGciOiJub25lIn0.e30.', headers: { 'content-type': FORM, ...basic(`app:${appSecret}`) } },
  { body: 'grant_type=client_credentials&resource=%00&resource=x', headers: { 'content-type': FORM, ...basic(`app:${appSecret}`) } },
  { body: 'grant_type=client_credentials', headers: { 'content-type': FORM, ...basic('app') } },
  { body: 'grant_type=client_credentials', headers: { 'content-type': FORM, ...basic('%:%') } },
  { body: 'grant_type=client_credentials', headers: { 'content-type': FORM, authorization: 'Basic \u00ff' } },
  { body: 'grant_type=client_credentials', headers: { 'content-type': FORM, dpop: 'a.b.c', ...basic(`app:${appSecret}`) } },
  {
    body: 'client_assertion=a.b.c&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    headers: { 'content-type': FORM },
  },
  { body: 'x=1', headers: { 'content-type': `${FORM}; charset=utf-7` } },
  { body: 'x=1', headers: { 'content-type': FORM, 'content-encoding': 'gzip' } },
]

const QUERIES: readonly string[] = [
  '',
  '?',
  '?%',
  '?%00=%00',
  '?client_id=%00',
  '?client_id=__proto__&response_type=code',
  '?client_id=app&client_id=open',
  '?client_id=app&response_type=code&claims=%7B',
  '?client_id=app&response_type=code&claims=%7B%22id_token%22:%7B%22acr%22:%7B%22values%22:7%7D%7D%7D&scope=openid&redirect_uri=https://rp.example/callback&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256',
  '?client_id=app&response_type=code&id_token_hint=a.b.c&scope=openid',
  '?client_id=app&request=a.b.c&request_uri=urn:ietf:params:oauth:request_uri:%00',
  '?client_id=app&max_age=-1&prompt=none%20login&ui_locales=%00&login_hint=%F0%9F%92%A9',
  '?user_code=%00&xsrf=%00',
  '?id_token_hint=eyJhbGciOiJub25lIn0.e30.&post_logout_redirect_uri=javascript:x',
  `?client_id=${'x'.repeat(8000)}`,
]

const COOKIES = [
  '',
  '__Host-gatehouse-oidc=%00',
  '__Host-gatehouse-oidc=gho_x; __Secure-gatehouse-oidc-resume=x; __Secure-gatehouse-oidc-step=__proto__',
]

test('whatever is sent is answered, and none of it is a fault of ours', async () => {
  const { visit } = house.visitor()
  const expect = async (path: string, sent: Sent): Promise<void> => {
    const { status } = await visit(ISSUER + path, sent)
    assert.ok(status >= 200 && status < 500, `${sent.method ?? 'GET'} ${path} ${JSON.stringify(sent)}: ${status}`)
  }
  for (const path of POSTS) for (const sent of bodies()) await expect(path, { method: 'POST', ...sent })
  for (const path of GETS)
    for (const query of QUERIES)
      for (const cookie of COOKIES)
        for (const accept of ['text/html', 'application/json'])
          await expect(path + query, { headers: { accept, ...(cookie && { cookie }) } })
  const own = { origin: 'http://localhost:8080', 'content-type': 'application/json', cookie: '__Secure-gatehouse-oidc-step=x' }
  for (const act of ['sign-in', 'consent', 'refuse'])
    for (const body of ['{}', '[]', '"x"', '{"scopes":{}}', '{"resources":null}', '{"__proto__":[]}', `{"error":${'['.repeat(5000)}`])
      for (const authorization of ['Bearer a.b.c', 'Bearer', 'Basic eDp5'])
        await expect(`/i/x/${act}`, { method: 'POST', body, headers: { ...own, authorization } })
  for (const authorization of ['Bearer', 'Bearer x y', 'Bearer \u00ff', 'DPoP x', 'Bearer a.b.c', 'Bearer goa_x', 'Negotiate x'])
    await expect('/userinfo', { headers: { authorization } })
  assert.deepEqual(house.faults, [])
})
