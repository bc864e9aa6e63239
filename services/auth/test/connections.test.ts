import assert from 'node:assert/strict'
import { createHmac, randomUUID } from 'node:crypto'
import { after, afterEach, before, test } from 'node:test'
import { fromBinary } from '@bufbuild/protobuf'
import { ConnectionJit, ConnectionKind } from '@gatehouse/contracts/gatehouse/auth/v1/connection_pb'
import { ConnectionService } from '@gatehouse/contracts/gatehouse/auth/v1/connection_service_pb'
import { FactorsChangedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { sql } from 'kysely'
import { createBatches } from '../src/core/batches.ts'
import { createKeyRing } from '../src/core/keys/key-ring.ts'
import { mintAdministratorToken } from '../src/core/roles/invite-administrator.ts'
import { comeBack, connectionSettings, memberAt, pagesAt, personIn, signInBy } from './connections-scene.ts'
import { openStory, type Story } from './open-story.ts'
import { openUpstreamGithub, type UpstreamGithub } from './upstream-github.ts'
import { type Claims, type Lies, openUpstreamIssuer, type UpstreamIssuer, upstreamClient } from './upstream-issuer.ts'

let idp: UpstreamIssuer
let github: UpstreamGithub
let story: Story
let house: { port: number; people: Story['people']; db: Story['db'] }
let connections: Awaited<ReturnType<typeof connectionsAs>>
const connectionsAs = async (token: string) => await story.grpc(ConnectionService, { authorization: `Bearer ${token}` })

before(async () => {
  idp = await openUpstreamIssuer()
  github = await openUpstreamGithub()
  story = await openStory({ OIDC_EGRESS_ALLOW: `${idp.host},${github.host}` })
  house = { port: story.app.ports.web, people: story.people, db: story.db }
  const keys = createKeyRing({ db: story.db, now: Date.now, encryptionKey: Buffer.alloc(32, 8) })
  const lifetimes = { accessTokenSeconds: 600, sessionIdleSeconds: 0, sessionAbsoluteSeconds: 0, refreshGraceSeconds: 0 }
  const deps = { db: story.db, keys, now: Date.now, lifetimes, batches: createBatches({ db: story.db, users: story.people.users }) }
  connections = await connectionsAs((await mintAdministratorToken(deps, { tenant: 'default', name: 'root' })).token)
  const settings = connectionSettings({ domains: ['corp.example'], jit: ConnectionJit.ON, trustedEmail: true })
  const made = await connections.createConnection({
    connectionId: 'corp',
    kind: ConnectionKind.OIDC,
    issuer: idp.issuer,
    settings,
    clientSecret: upstreamClient.secret,
  })
  assert.equal(made.connection?.redirectUri, 'http://localhost:8080/connections/callback/corp')
  const octocat = { kind: ConnectionKind.GITHUB, issuer: github.origin, clientSecret: upstreamClient.secret }
  await connections.createConnection({ connectionId: 'hub', settings: connectionSettings({ name: 'GitHub' }), ...octocat })
})
after(async () => {
  await story?.[Symbol.asyncDispose]()
  await github[Symbol.asyncDispose]()
  await idp[Symbol.asyncDispose]()
})
afterEach(() => {
  idp.lies = {}
})

const visit = (url: string) => idp.visit(url)
const somebodyThere = (more: Claims = {}): Claims => {
  const sub = randomUUID()
  return { sub, email: `${sub}@corp.example`, email_verified: true, name: 'Ada Lovelace', ...more }
}

test('somebody of a connection that makes accounts gets one, and is the same the next time', async () => {
  idp.account = somebodyThere()
  const first = personIn(await signInBy(house.port, 'corp', visit))
  assert.equal(story.people.of('default', first).name, 'Ada Lovelace')
  // Another address later: it is the subject that counts.
  idp.account = { ...idp.account, email: 'ada.lovelace@corp.example' }
  assert.equal(personIn(await signInBy(house.port, 'corp', visit)), first)
  const { rows } = await sql<{ kind: string; methods: string }>`
    select kind, details->>'methods' as methods from audit_entries where subject_id = ${first} and kind <> 'suspicious_activity' order by id`.execute(
    story.db,
  )
  assert.deepEqual(
    rows.map(({ kind, methods }) => `${kind} ${methods ?? ''}`.trim()),
    ['identity_link', 'sign_in fed', 'sign_in fed'],
  )
})

test('what is missing in the ID token is asked for where the issuer tells it', async () => {
  idp.account = somebodyThere()
  idp.lies = { claims: ({ email: _, email_verified: __, name: ___, ...rest }) => rest }
  personIn(await signInBy(house.port, 'corp', visit))
})

const forged = (claims: Claims, header: object, key?: string) => {
  const [head, body] = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  return `${head}.${body}.${key === undefined ? '' : createHmac('sha256', key).update(`${head}.${body}`).digest('base64url')}`
}
const unbelieved: Record<string, Lies> = {
  'another issuer in the token': { claims: (claims) => ({ ...claims, iss: 'https://accounts.google.com' }) },
  'another issuer in the answer': { iss: 'https://accounts.google.com' },
  'another nonce': { claims: (claims) => ({ ...claims, nonce: 'another' }) },
  'no nonce': { claims: ({ nonce: _, ...claims }) => claims },
  'another audience': { claims: (claims) => ({ ...claims, aud: 'another-client' }) },
  'an audience beside us that it is for': { claims: (claims) => ({ ...claims, aud: [upstreamClient.id, 'other'], azp: 'other' }) },
  'a token that has expired': { claims: (claims) => ({ ...claims, iat: 1, exp: 2 }) },
  'no signature': { sign: (claims) => forged(claims, { alg: 'none' }) },
  'a signature by our secret': { sign: (claims) => forged(claims, { alg: 'HS256', kid: 'k1' }, upstreamClient.secret) },
  'a signature of nobody': { sign: (claims) => `${forged(claims, { alg: 'RS256', kid: 'k1' })}${'A'.repeat(342)}` },
  'no subject': { claims: ({ sub: _, ...claims }) => claims },
}

test('an answer that is not exactly what it has to be signs nobody in', async () => {
  for (const [what, lies] of Object.entries(unbelieved)) {
    idp.account = somebodyThere()
    idp.lies = lies
    assert.equal((await signInBy(house.port, 'corp', visit)).reason, 'CONNECTION_LOGIN_FAILED', what)
    idp.lies = {}
    personIn(await signInBy(house.port, 'corp', visit))
  }
})

test('an answer is good once, at its own connection, and in the browser that asked for it', async () => {
  idp.account = somebodyThere()
  const pages = pagesAt(house.port)
  const complete = 'ConnectionService/CompleteConnectionSignIn'
  const back = await comeBack(pages, 'corp', visit)
  const refused = async (told: ReturnType<typeof pages.call>) => assert.equal((await told).reason, 'CONNECTION_LOGIN_FAILED')
  await refused(pagesAt(house.port).call(complete, back))
  const other = pagesAt(house.port)
  await comeBack(other, 'corp', visit)
  await refused(other.call(complete, back))
  await refused(pages.call(complete, { ...back, state: 'a'.repeat(43) }))
  await refused(pages.call(complete, { ...back, connectionId: 'hub' }))
  assert.equal((await pages.call(complete, back, undefined, { origin: 'https://evil.example' })).reason, 'ORIGIN_NOT_ALLOWED')
  // None of them used it up.
  personIn(await pages.call(complete, back))
  await refused(pages.call(complete, back))
  const [first, second] = [await comeBack(pages, 'corp', visit), await comeBack(pages, 'corp', visit)]
  for (const each of [first, second]) personIn(await pages.call(complete, each))
})

test('of fifty at once one signs in', async () => {
  idp.account = somebodyThere()
  const pages = pagesAt(house.port)
  const back = await comeBack(pages, 'corp', visit)
  const all = await Promise.all(Array.from({ length: 50 }, () => pages.call('ConnectionService/CompleteConnectionSignIn', back)))
  assert.equal(all.filter(({ status }) => status === 200).length, 1)
  assert.equal(all.filter(({ reason }) => reason === 'CONNECTION_LOGIN_FAILED').length, 49)
})

test('an address makes an account only where the issuer says that it is proven, with a true that is one, and it is of the domain', async () => {
  for (const wrong of [
    { email_verified: 'true' },
    { email_verified: 1 },
    { email_verified: false },
    { email: 'ada@elsewhere.example' },
    { email: undefined },
  ]) {
    idp.account = somebodyThere(wrong)
    assert.equal((await signInBy(house.port, 'corp', visit)).reason, 'IDENTITY_NOT_LINKED', JSON.stringify(wrong))
  }
  idp.account = somebodyThere()
  personIn(await signInBy(house.port, 'corp', visit))
})

test('an address that an account has is never enough, whatever the issuer says of it', async () => {
  const { user } = await memberAt(house, { email: 'taken@corp.example' })
  idp.account = somebodyThere({ email: user.email })
  assert.equal((await signInBy(house.port, 'corp', visit)).reason, 'IDENTITY_NOT_LINKED')
  const mine = somebodyThere()
  idp.account = mine
  const first = personIn(await signInBy(house.port, 'corp', visit))
  idp.account = somebodyThere({ email: mine.email })
  assert.equal((await signInBy(house.port, 'corp', visit)).reason, 'IDENTITY_NOT_LINKED')
  idp.account = mine
  assert.equal(personIn(await signInBy(house.port, 'corp', visit)), first)
})

test('somebody who is signed in links who they are elsewhere, signs in by it, and takes it away', async () => {
  const { user, pages, token } = await memberAt(house)
  github.user = { id: 583231, login: 'octocat', name: 'The Octocat' }
  github.mails = [{ email: 'octocat@users.example', primary: true, verified: true }]
  const begin = { rpc: 'BeginLink', token }
  const back = await comeBack(pages, 'hub', github.visit, begin)
  assert.equal((await pages.call('ConnectionService/CompleteConnectionSignIn', back)).reason, 'CONNECTION_LOGIN_FAILED')
  const stranger = await memberAt(house)
  stranger.pages.browser.cookies.set('__Host-gatehouse-upstream', pages.browser.cookies.get('__Host-gatehouse-upstream') ?? '')
  assert.equal((await stranger.pages.call('ConnectionService/CompleteLink', back, stranger.token)).reason, 'CONNECTION_LOGIN_FAILED')
  const linked = await pages.call('ConnectionService/CompleteLink', back, token)
  assert.equal(linked.status, 200, JSON.stringify(linked.body))
  assert.equal(personIn(await signInBy(house.port, 'hub', github.visit)), user.id)
  // To nobody else.
  const theirs = await comeBack(stranger.pages, 'hub', github.visit, { rpc: 'BeginLink', token: stranger.token })
  assert.equal((await stranger.pages.call('ConnectionService/CompleteLink', theirs, stranger.token)).reason, 'IDENTITY_LINKED_ELSEWHERE')
  const { body } = await pages.call('ConnectionService/ListLinkedIdentities', {}, token)
  const [identity] = body.identities as { identityId: string; email: string; connectionName: string }[]
  assert.deepEqual([identity?.email, identity?.connectionName], ['octocat@users.example', 'GitHub'])
  const { identityId } = identity ?? assert.fail()
  assert.equal((await stranger.pages.call('ConnectionService/UnlinkIdentity', { identityId }, stranger.token)).status, 200)
  assert.equal(personIn(await signInBy(house.port, 'hub', github.visit)), user.id)
  assert.equal((await pages.call('ConnectionService/UnlinkIdentity', { identityId }, token)).status, 200)
  assert.equal((await signInBy(house.port, 'hub', github.visit)).reason, 'IDENTITY_NOT_LINKED')
  const { rows } = await sql<{ payload: Uint8Array }>`
    select payload from outbox where type = ${FactorsChangedSchema.typeName} order by id`.execute(story.db)
  assert.deepEqual(
    rows.map(({ payload }) => fromBinary(FactorsChangedSchema, payload)).map(({ userId, change }) => [userId, change]),
    [
      [user.id, 'identity_linked'],
      [user.id, 'identity_unlinked'],
    ],
    'told of what the person did, and of no account that was made by it',
  )
})

test('a link takes a proven mailbox on both sides', async () => {
  const unproven = await memberAt(house, { emailVerified: false })
  assert.equal(
    (await unproven.pages.call('ConnectionService/BeginLink', { connectionId: 'hub' }, unproven.token)).reason,
    'LINK_NEEDS_PROOF',
  )
  github.user = { id: 9, login: 'nine' }
  for (const mails of [
    [{ email: 'nine@users.example', primary: true, verified: false }],
    [{ email: 'nine@users.example', primary: true, verified: 'true' }],
    [{ email: 'nine@users.example', primary: false, verified: true }],
    [],
  ]) {
    github.mails = mails
    const { pages, token } = await memberAt(house)
    const back = await comeBack(pages, 'hub', github.visit, { rpc: 'BeginLink', token })
    assert.equal((await pages.call('ConnectionService/CompleteLink', back, token)).reason, 'LINK_NEEDS_PROOF', JSON.stringify(mails))
  }
  github.mails = [{ email: 'nine@users.example', primary: true, verified: true }]
  const { pages, token } = await memberAt(house)
  const back = await comeBack(pages, 'hub', github.visit, { rpc: 'BeginLink', token })
  assert.equal((await pages.call('ConnectionService/CompleteLink', back, token)).status, 200)
})

test("GitHub's people go by their number, and a code that is wrong signs nobody in", async () => {
  github.user = { id: 'octocat', login: 'octocat' }
  assert.equal((await signInBy(house.port, 'hub', github.visit)).reason, 'CONNECTION_LOGIN_FAILED')
  const pages = pagesAt(house.port)
  const back = await comeBack(pages, 'hub', github.visit)
  const wrong = { ...back, code: randomUUID() }
  assert.equal((await pages.call('ConnectionService/CompleteConnectionSignIn', wrong)).reason, 'CONNECTION_LOGIN_FAILED')
})

test('a disabled connection signs nobody in, and comes back', async () => {
  idp.account = somebodyThere()
  const first = personIn(await signInBy(house.port, 'corp', visit))
  const pages = pagesAt(house.port)
  const back = await comeBack(pages, 'corp', visit)
  await connections.disableConnection({ connectionId: 'corp' })
  assert.equal((await pages.call('ConnectionService/CompleteConnectionSignIn', back)).reason, 'CONNECTION_NOT_FOUND')
  assert.equal((await pages.call('ConnectionService/BeginConnectionSignIn', { connectionId: 'corp' })).reason, 'CONNECTION_NOT_FOUND')
  await connections.enableConnection({ connectionId: 'corp' })
  assert.equal(personIn(await pages.call('ConnectionService/CompleteConnectionSignIn', back)), first)
})

test('a provider that is away, or calls itself something else, is told apart from a wrong answer', async () => {
  idp.lies = { down: true }
  const pages = pagesAt(house.port)
  await assert.rejects(connections.testConnection({ connectionId: 'corp' }), /does not answer as it should/)
  idp.lies = { discovery: { issuer: 'https://accounts.google.com' } }
  await assert.rejects(connections.testConnection({ connectionId: 'corp' }), /does not answer as it should/)
  idp.lies = {}
  assert.equal((await connections.testConnection({ connectionId: 'corp' })).tokenEndpoint, `${idp.issuer}/token`)
  idp.account = somebodyThere()
  const back = await comeBack(pages, 'corp', visit)
  idp.lies = { down: true }
  assert.equal((await pages.call('ConnectionService/CompleteConnectionSignIn', back)).reason, 'CONNECTION_UNREACHABLE')
})

test('nothing of a sign-in elsewhere stands in the database, nor does a secret', async () => {
  const pages = pagesAt(house.port)
  const back = await comeBack(pages, 'corp', visit)
  const cookie = pages.browser.cookies.get('__Host-gatehouse-upstream') ?? ''
  const dumps = await Promise.all(
    ['connections', 'connection_attempts', 'linked_identities', 'audit_entries', 'outbox'].map(async (table) => {
      const { rows } = await sql<{ row: string }>`select to_jsonb(t)::text as row from ${sql.table(table)} t`.execute(story.db)
      return rows.map(({ row }) => row).join('\n')
    }),
  )
  for (const secret of [back.state, back.code, cookie, upstreamClient.secret])
    for (const form of [secret, Buffer.from(secret).toString('hex')]) assert.ok(!dumps.join('\n').includes(form))
})
