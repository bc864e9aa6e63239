import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ClientGrantType } from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import { ConnectionJit } from '@gatehouse/contracts/gatehouse/auth/v1/connection_pb'
import { macKeys } from '@gatehouse/rpc'
import { createConnection } from '../src/core/connections/change-connection.ts'
import { createKeyRing } from '../src/core/keys/key-ring.ts'
import { createClient } from '../src/core/oidc/clients/create-client.ts'
import { browserCookie } from '../src/core/oidc/sessions/browser-cookie.ts'
import { createHashPool } from '../src/core/passwords/hash-pool.ts'
import { createTenant } from '../src/core/tenants/create-tenant.ts'
import { insertCredential } from '../src/store/credentials.ts'
import { openBrowser } from './browser.ts'
import { connectionSettings, personIn, signInBy } from './connections-scene.ts'
import { settingsOf } from './oidc-scene.ts'
import { openStory, type Story } from './open-story.ts'
import { visitorAt } from './page-visitor.ts'
import { rightPassword } from './sign-somebody-in.ts'

let story: Story
let issuer: string
/** Gatehouse for one tenant is the provider of another one's people: both sides are ours, and speak over real HTTP. */
before(async () => {
  story = await openStory({ OIDC_EGRESS_ALLOW: 'localhost' })
  const { db } = story
  const origin = `http://localhost:${story.app.ports.web}`
  issuer = `${origin}/oidc`
  const deps = {
    db,
    now: Date.now,
    committed() {},
    audiences: [],
    keys: createKeyRing({ db, now: Date.now, encryptionKey: Buffer.alloc(32, 8) }),
  }
  await createTenant(deps, { id: 'idp', origin })
  const settings = settingsOf({
    firstParty: true,
    redirectUris: ['http://localhost:8080/connections/callback/idp'],
    grantTypes: [ClientGrantType.AUTHORIZATION_CODE],
  })
  const { secret } = await createClient(deps, { tenant: 'idp', clientId: 'gatehouse-at-idp', settings })
  await createConnection(deps, {
    tenant: 'default',
    connectionId: 'idp',
    kind: 'oidc',
    issuer,
    settings: connectionSettings({ domains: ['corp.example'], jit: ConnectionJit.ON, trustedEmail: true, scopes: ['profile'] }),
    secret,
    granter: 'operator',
  })
})
after(() => story?.[Symbol.asyncDispose]())

/** Somebody who is signed in at the provider. */
async function signedInThere(email: string, emailVerified: boolean): Promise<(url: string) => Promise<URL>> {
  const person = story.people.add('idp', { email, name: 'Ada Lovelace', emailVerified })
  const passwordHash = await createHashPool().hash(rightPassword)
  await insertCredential(story.db, { tenant: 'idp', userId: person.id, passwordHash, time: new Date() })
  const page = openBrowser(story.app.ports.web, new URL(issuer).origin)
  const { body } = await page.call('SessionService/SignIn', { email, password: rightPassword })
  const { session } = body.signedIn as { session: { id: string } }
  const browser = visitorAt(story.app.ports.web)
  const challengeKeys = macKeys(story.environment.AUTH_CHALLENGE_KEY ?? '')
  browser.cookies.set('__Host-gatehouse-oidc', browserCookie({ challengeKeys }, 'idp', session.id, 0))
  return async (url) => new URL((await browser.visit(url)).headers.get('location') ?? 'about:blank')
}

test('people of one Gatehouse are signed in by another, and are the same the next time', async () => {
  const visit = await signedInThere('ada@corp.example', true)
  const first = personIn(await signInBy(story.app.ports.web, 'idp', visit))
  const made = story.people.of('default', first)
  assert.deepEqual([made.email, made.name], ['ada@corp.example', 'Ada Lovelace'])
  assert.equal(personIn(await signInBy(story.app.ports.web, 'idp', visit)), first)
})

test('an address that is not proven there makes no account here', async () => {
  const visit = await signedInThere('bob@corp.example', false)
  assert.equal((await signInBy(story.app.ports.web, 'idp', visit)).reason, 'IDENTITY_NOT_LINKED')
})
