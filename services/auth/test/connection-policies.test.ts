import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { ChallengePurpose } from '@gatehouse/contracts/gatehouse/auth/v1/challenge_service_pb'
import { ConnectionJit } from '@gatehouse/contracts/gatehouse/auth/v1/connection_pb'
import { Factor } from '@gatehouse/contracts/gatehouse/auth/v1/session_pb'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { changeAccess } from '../src/core/access/change-access.ts'
import { confirmEmailChange } from '../src/core/accounts/confirm-email-change.ts'
import { forgetPerson } from '../src/core/accounts/forget-person.ts'
import { requestEmailChange } from '../src/core/accounts/request-email-change.ts'
import { requestPasswordReset } from '../src/core/accounts/request-password-reset.ts'
import { resetPassword } from '../src/core/accounts/reset-password.ts'
import { signUp } from '../src/core/accounts/sign-up.ts'
import { revealSecret } from '../src/core/challenges/reveal-secret.ts'
import { createConnection, deleteConnection, updateConnection } from '../src/core/connections/change-connection.ts'
import { completeConnectionSignIn } from '../src/core/connections/complete-sign-in.ts'
import { connectionEtag } from '../src/core/connections/connection-content.ts'
import { openSecret } from '../src/core/connections/connection-secret.ts'
import { unlinkSince } from '../src/core/connections/identities.ts'
import { signInConnections } from '../src/core/connections/list-connections.ts'
import { beginAtConnection, type ConnectionDeps, nobodyYet } from '../src/core/connections/redeem.ts'
import { requireNoneForPasskey } from '../src/core/connections/required-connection.ts'
import type { UpstreamAssertion } from '../src/core/connections/upstream-assertion.ts'
import { checkFirstCode, setUpTotp } from '../src/core/factors/totp.ts'
import { createGroup } from '../src/core/groups/create-group.ts'
import { createKeyRing } from '../src/core/keys/key-ring.ts'
import { reencryptKeys } from '../src/core/keys/reencrypt-keys.ts'
import { continueSignIn } from '../src/core/sessions/continue-sign-in.ts'
import { beginEmailSignIn } from '../src/core/sessions/email-sign-in.ts'
import { signIn } from '../src/core/sessions/sign-in.ts'
import { findConnection } from '../src/store/connections/connections.ts'
import { findIdentity, insertIdentity, listIdentitiesOf } from '../src/store/connections/linked-identities.ts'
import { listGroupNamesOf } from '../src/store/groups.ts'
import { bindRole } from './bind-role.ts'
import { connectionSettings, type Settings } from './connections-scene.ts'
import { type OpenedDeps, openDeps } from './open-deps.ts'
import { refusedWith, rightPassword, signSomebodyIn, somebody, wholeOf } from './sign-somebody-in.ts'
import { codeOf } from './totp-code.ts'

const tenant = 'default'
const place = { userAgent: 'a test', source: '203.0.113.5' }
const noRetry = { requestId: '', fingerprint: '' }
const request = { caller: 'a test', method: 'CreateGroup', ...noRetry }

let opened: OpenedDeps
/** What the provider says of whoever comes next; the protocol has its own tests. */
let said: UpstreamAssertion
let deps: ConnectionDeps
before(async () => {
  opened = await openDeps()
  deps = {
    ...opened.deps,
    accessChanged: async () => {},
    upstreams: () => ({
      places: async ({ issuer }) => ({ issuer, authorizationEndpoint: issuer, tokenEndpoint: issuer }),
      url: async ({ issuer }, { state }) => new URL(`${issuer}/auth?state=${state}`),
      assertion: async ({ issuer }) => ({ ...said, issuer }),
    }),
  }
})
after(() => opened[Symbol.asyncDispose]())

let counter = 0

async function connection(settings: Settings = {}) {
  const connectionId = `c${++counter}`
  const domain = `${connectionId}.example`
  const issuer = `https://idp.${domain}`
  const key = { tenant, connectionId }
  const given = connectionSettings({ domains: [domain], ...settings })
  await createConnection(deps, { ...key, kind: 'oidc', issuer, settings: given, secret: 'a secret', granter: 'operator' })
  return { connectionId, domain, issuer, key }
}

const saying = (email: string, more: Partial<UpstreamAssertion> = {}): UpstreamAssertion => ({
  issuer: '',
  subject: randomUUID(),
  email,
  emailVerified: true,
  name: 'Ada',
  locale: 'de',
  claims: {},
  ...more,
})

async function come(connectionId: string) {
  const { url, browser } = await beginAtConnection(deps, { ...nobodyYet, tenant, connectionId, email: '', browser: '' })
  const state = new URL(url).searchParams.get('state') ?? ''
  return await completeConnectionSignIn(deps, { tenant, connectionId, state, code: 'c', iss: '', browser, place })
}

const jit = { jit: ConnectionJit.ON, trustedEmail: true }

async function personOf(domain: string) {
  const user = await somebody(opened)
  user.email = `${randomUUID()}@${domain}`
  return user
}

test('people of an enforced domain come by its connection and no other way, whether there is an account or not', async () => {
  const { connectionId, domain } = await connection({ enforce: true })
  const user = await personOf(domain)
  for (const email of [user.email, `nobody@${domain}`, `somebody@${domain.toUpperCase()}`])
    for (const password of [rightPassword, 'wrong']) {
      const refusal = { ...refusedWith('CONNECTION_REQUIRED'), metadata: { connection: connectionId } }
      await assert.rejects(signIn(deps, { tenant, email, password, ...place }), refusal)
    }
  const refused = refusedWith('CONNECTION_REQUIRED')
  for (const email of [user.email, `nobody@${domain}`]) {
    await assert.rejects(beginEmailSignIn(deps, { tenant, email, retry: noRetry, withheld: false }), refused)
    await assert.rejects(signUp(deps, { tenant, email, password: rightPassword, name: 'A', locale: 'en', retry: noRetry }), refused)
  }
  await assert.rejects(requireNoneForPasskey(deps, { ...user, tenant }), refused)
  // The glass, for the day on which the provider is away.
  await bindRole(deps.db, { tenant, subject_id: user.id, role: 'administrator' })
  await requireNoneForPasskey(deps, { ...user, tenant })
  await assert.rejects(signIn(deps, { tenant, email: user.email, password: rightPassword, ...place }), refused)
  const elsewhere = await somebody(opened)
  wholeOf(await signIn(deps, { tenant, email: elsewhere.email, password: rightPassword, ...place }))
})

test('people of an enforced domain keep their address there: with another one they would come past it', async () => {
  const user = await somebody(opened)
  const { session } = await signSomebodyIn(deps, user)
  const sessionId = session?.id ?? ''
  const change = { tenant, userId: user.id, sessionId, password: rightPassword }
  const challengeId = await requestEmailChange(deps, { ...change, email: `${randomUUID()}@free.example`, retry: noRetry })
  const { code } = await revealSecret(deps, { tenant, challengeId, deliveryId: randomUUID() })
  const confirm = { tenant, userId: user.id, sessionId, challengeId, proof: { case: 'code', value: code } as const }
  const before = user.email
  const { domain } = await connection({ enforce: true })
  user.email = `${randomUUID()}@${domain}`
  await assert.rejects(confirmEmailChange(deps, confirm), refusedWith('CONNECTION_REQUIRED'))
  user.email = before
  await confirmEmailChange(deps, confirm)
})

/** What is mailed to whoever asks for a new password. */
async function resetOf(email: string) {
  const challengeId = await requestPasswordReset(deps, { tenant, email, retry: noRetry, withheld: false })
  return { challengeId, mail: await revealSecret(deps, { tenant, challengeId, deliveryId: randomUUID() }) }
}

test('whoever asks for a new password in an enforced domain is told how they get in, and gets no link', async () => {
  const { domain } = await connection({ enforce: true })
  const invited = await personOf(domain)
  invited.state = User_State.INVITED
  for (const { email } of [await personOf(domain), invited]) {
    const { mail } = await resetOf(email)
    assert.deepEqual([mail.purpose, mail.address, mail.token, mail.code], [ChallengePurpose.SIGN_IN_ELSEWHERE, email, '', ''])
  }
  assert.equal((await resetOf(`nobody@${domain}`)).mail.purpose, ChallengePurpose.NOTHING)
  const { mail } = await resetOf((await somebody(opened)).email)
  assert.deepEqual([mail.purpose, mail.token !== ''], [ChallengePurpose.RESET_PASSWORD, true])
})

test('a mail for a new password opens no session past a connection that is enforced since', async () => {
  const { domain, key } = await connection()
  const user = await personOf(domain)
  const { challengeId, mail } = await resetOf(user.email)
  const { code } = mail
  const before = await findConnection(deps.db, key)
  await updateConnection(deps, {
    ...key,
    settings: connectionSettings({ domains: [domain], enforce: true }),
    etag: before ? connectionEtag(before) : '',
    secret: '',
    granter: 'operator',
  })
  const input = { tenant, challengeId, proof: { case: 'code', value: code } as const, password: 'kz7vq9mmlp2xrtwe', place }
  await assert.rejects(resetPassword(deps, input), refusedWith('CONNECTION_REQUIRED'))
})

test('whoever is linked by another connection comes by that of their domain', async () => {
  const { connectionId, domain } = await connection(jit)
  said = saying(`ada@${domain}`)
  const first = wholeOf(await come(connectionId)).user
  const enforced = await connection({ enforce: true })
  const user = opened.people.of(tenant, first?.id ?? '')
  user.email = `ada@${enforced.domain}`
  await assert.rejects(come(connectionId), refusedWith('CONNECTION_REQUIRED'))
  user.email = `ada@${domain}`
  wholeOf(await come(connectionId))
})

test('the sign-in page is told by the domain alone', async () => {
  const { connectionId, domain } = await connection({ hidden: true })
  const user = await personOf(domain)
  for (const email of [user.email, `nobody@${domain}`]) {
    const { ofDomain, shown } = await signInConnections(deps, { tenant, email })
    assert.equal(ofDomain?.connection_id, connectionId)
    assert.equal(
      shown.some((row) => row.connection_id === connectionId),
      false,
    )
  }
  assert.equal((await signInConnections(deps, { tenant, email: 'ada@elsewhere.example' })).ofDomain, undefined)
})

test('accounts are made for those who were invited, for everybody of the domain, or for nobody', async () => {
  const off = await connection()
  said = saying(`ada@${off.domain}`)
  await assert.rejects(come(off.connectionId), refusedWith('IDENTITY_NOT_LINKED'))
  const invited = await connection({ jit: ConnectionJit.INVITED, trustedEmail: true })
  said = saying(`stranger@${invited.domain}`)
  await assert.rejects(come(invited.connectionId), refusedWith('IDENTITY_NOT_LINKED'))
  const guest = opened.people.add(tenant, { email: `guest@${invited.domain}`, state: User_State.INVITED })
  said = saying(guest.email, { emailVerified: false })
  await assert.rejects(come(invited.connectionId), refusedWith('IDENTITY_NOT_LINKED'))
  said = saying(guest.email)
  assert.equal(wholeOf(await come(invited.connectionId)).user?.id, guest.id)
  const on = await connection(jit)
  said = saying(`new@${on.domain}`)
  wholeOf(await come(on.connectionId))
})

test('an account whose making was broken off is finished by the next try', async () => {
  const { connectionId, domain, issuer } = await connection(jit)
  said = saying(`late@${domain}`)
  let broken = true
  opened.people.before('registerUser', () => {
    if (broken) throw new Error('away')
  })
  await assert.rejects(come(connectionId), refusedWith('DEPENDENCY_UNAVAILABLE'))
  broken = false
  const waiting = await findIdentity(deps.db, { tenant, issuer, subject: said.subject })
  assert.equal(waiting?.link_time, null)
  assert.equal(wholeOf(await come(connectionId)).user?.id, waiting?.user_id)
})

test('a suspended person is not signed in by who they are elsewhere', async () => {
  const { connectionId, domain } = await connection(jit)
  said = saying(`gone@${domain}`)
  const { user } = wholeOf(await come(connectionId))
  const person = opened.people.of(tenant, user?.id ?? '')
  person.state = User_State.SUSPENDED
  await assert.rejects(come(connectionId), refusedWith('PERSON_CANNOT_SIGN_IN'))
  person.state = User_State.ACTIVE
  wholeOf(await come(connectionId))
})

test('groups that the mapping names follow what is said with each sign-in, and no others', async () => {
  const group = async (name: string) => (await createGroup(deps, { tenant, name: `${name}-${randomUUID()}`, request })).id
  const [platform, billing, own] = [await group('platform'), await group('billing'), await group('own')]
  const mapping = {
    name: 'identity.claims.given_name',
    groups: [
      { groupId: platform, condition: '"platform" in identity.groups' },
      { groupId: billing, condition: 'identity.claims.department == "billing"' },
    ],
  }
  const { connectionId, domain } = await connection({ ...jit, mapping })
  said = saying(`ada@${domain}`, { claims: { groups: ['platform', 7], given_name: 'Augusta' } })
  const { user } = wholeOf(await come(connectionId))
  assert.equal(user?.name, 'Augusta')
  const userId = user?.id ?? ''
  await changeAccess(deps, tenant, async ({ tx }) => {
    await tx.insertInto('group_members').values({ tenant, group_id: own, member_id: userId, member_kind: 'person' }).execute()
  })
  const groups = async () => (await listGroupNamesOf(deps.db, { tenant, memberId: userId, limit: 9 })).map((name) => name.split('-')[0])
  assert.deepEqual(await groups(), ['own', 'platform'])
  said = { ...said, claims: { groups: 'platform', department: 'billing' } }
  wholeOf(await come(connectionId))
  assert.deepEqual(await groups(), ['billing', 'own'])
})

test('nobody maps people into a group whose roles they do not hold, nor by a condition that is wrong', async () => {
  const { id } = await createGroup(deps, { tenant, name: `admins-${randomUUID()}`, request })
  await bindRole(deps.db, { tenant, subject_id: id, role: 'administrator' })
  const make = (granter: 'operator' | { id: string }, condition = 'true') =>
    createConnection(deps, {
      tenant,
      connectionId: `g${++counter}`,
      kind: 'oidc',
      issuer: `https://g${counter}.example`,
      settings: connectionSettings({ mapping: { groups: [{ groupId: id, condition }] } }),
      secret: '',
      granter,
    })
  await assert.rejects(make({ id: randomUUID() }), refusedWith('NOT_YOURS_TO_GRANT'))
  await assert.rejects(make('operator', 'identity.groups'), refusedWith('CONNECTION_INVALID'))
  await make('operator')
})

test('an issuer that takes anybody, and a domain of another connection, are refused', async () => {
  const { domain, key } = await connection()
  const make = (issuer: string, domains: string[] = []) =>
    createConnection(deps, {
      tenant,
      connectionId: `i${++counter}`,
      kind: 'oidc',
      issuer,
      settings: connectionSettings({ domains }),
      secret: '',
      granter: 'operator',
    })
  for (const which of ['common', 'organizations', 'consumers'])
    await assert.rejects(make(`https://login.microsoftonline.com/${which}/v2.0`), refusedWith('CONNECTION_INVALID'))
  await make('https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0')
  await assert.rejects(make('https://other.example', [domain]), refusedWith('CONNECTION_INVALID'))
  const row = (await findConnection(deps.db, key)) ?? assert.fail()
  const change = { ...key, settings: connectionSettings({ name: 'Other', domains: [domain] }), secret: '', granter: 'operator' as const }
  await assert.rejects(updateConnection(deps, { ...change, etag: 'v0' }), refusedWith('ETAG_MISMATCH'))
  const after = await updateConnection(deps, { ...change, etag: connectionEtag(row) })
  assert.deepEqual([after.name, openSecret(deps, after)], ['Other', 'a secret'])
})

test('links end with their person, and with their connection', async () => {
  const { connectionId, domain, key, issuer } = await connection(jit)
  said = saying(`one@${domain}`)
  const userId = wholeOf(await come(connectionId)).user?.id ?? ''
  assert.equal((await listIdentitiesOf(deps.db, { tenant, userId })).length, 1)
  await deps.db.transaction().execute((tx) => forgetPerson(tx, { tenant, userId }))
  assert.equal((await listIdentitiesOf(deps.db, { tenant, userId })).length, 0)
  said = saying(`two@${domain}`)
  wholeOf(await come(connectionId))
  await deleteConnection(deps, key)
  assert.equal(await findIdentity(deps.db, { tenant, issuer, subject: said.subject }), undefined)
  await assert.rejects(come(connectionId), refusedWith('CONNECTION_NOT_FOUND'))
})

test('a second factor that is there is asked for beside the provider, without a password', async () => {
  const { connectionId, domain } = await connection(jit)
  said = saying(`two@${domain}`)
  const { user } = wholeOf(await come(connectionId))
  const person = { tenant, userId: user?.id ?? '' }
  const setup = await deps.db.transaction().execute((tx) => setUpTotp(tx, deps, person, 'two'))
  const confirmed = await checkFirstCode(deps, person, codeOf(setup.secret, -1))
  await deps.db.transaction().execute(confirmed)
  const outcome = await come(connectionId)
  const step = outcome.case === 'nextStep' ? outcome.value : assert.fail(outcome.case)
  assert.deepEqual(step.factors, [Factor.TOTP])
  const { continuation } = step
  const shown = (code: string) => continueSignIn(deps, { tenant, continuation, proof: { case: 'totpCode', value: code }, place })
  await assert.rejects(shown('000000'), refusedWith('FACTOR_WRONG'))
  const { session } = wholeOf(await shown(codeOf(setup.secret)))
  assert.deepEqual([session?.methods], [['fed', 'otp']])
})

test('what was linked lately goes with a lock-down, and what made the account stays', async () => {
  const { connectionId, domain, issuer } = await connection(jit)
  said = saying(`lock@${domain}`)
  const userId = wholeOf(await come(connectionId)).user?.id ?? ''
  const time = new Date(deps.now())
  const row = { tenant, issuer, subject: 'thief', id: randomUUID(), user_id: userId, connection_id: connectionId, email: 't@evil.example' }
  await insertIdentity(deps.db, { ...row, made_account: false, create_time: time, link_time: time })
  const since = new Date(time.getTime() - 3_600_000)
  await deps.db.transaction().execute((tx) => unlinkSince(tx, { tenant, userId, since }))
  assert.deepEqual(
    (await listIdentitiesOf(deps.db, { tenant, userId })).map(({ subject }) => subject),
    [said.subject],
  )
})

// The last one: from here on the keys of this database open with another key than the process has.
test('a secret goes over to the next encryption key', async () => {
  const { key } = await connection()
  const [encryptionKey, previousEncryptionKey] = [Buffer.alloc(32, 3), Buffer.alloc(32, 7)]
  const keys = createKeyRing({ db: deps.db, now: deps.now, encryptionKey, previousEncryptionKey })
  assert.deepEqual((await reencryptKeys({ ...deps, keys })).shut, [])
  const row = (await findConnection(deps.db, key)) ?? assert.fail()
  assert.equal(openSecret({ keys: createKeyRing({ db: deps.db, now: deps.now, encryptionKey }) }, row), 'a secret')
  assert.throws(() => openSecret(deps, row))
})
