import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createClient } from '@connectrpc/connect'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { InboxService } from '@gatehouse/contracts/gatehouse/notification/v1/inbox_service_pb'
import { UserService } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { peerTransport, reasonOf as reasonOfError } from '@gatehouse/rpc'
import { claimsOf, codeIn, type House, openHouse, reasonOf, tokenIn, until } from './house.ts'
import { seeExample } from './see-example.ts'
import { seeShardKeys } from './shard-keys.ts'
import { tokensOfClients } from './tokens-of-clients.ts'

let house: House
before(async () => {
  house = await openHouse()
})
after(() => house[Symbol.asyncDispose]())

const password = 'correct horse battery staple!'
const signUp = (email: string, more: object = {}) =>
  house.call('AccountService/SignUp', { email, password, name: 'Ada Lovelace', locale: 'en', requestId: randomUUID(), ...more })

function cookieOf(headers: Readonly<Record<string, string | string[] | undefined>>): { line: string; pair: string } {
  const line = [headers['set-cookie'] ?? []].flat().find((each) => each.startsWith('__Host-')) ?? ''
  return { line, pair: line.split(';')[0] ?? '' }
}

test('a stranger becomes a signed-in person whom every service knows', async () => {
  const { local } = house
  const asked = await signUp(' Ada@EXAMPLE.com ')
  assert.equal(asked.status, 200)
  const mail = await house.mailTo('Ada@example.com')
  assert.match(mail.headers['message-id'] ?? '', /^<[0-9a-f-]{36}@/)
  assert.ok(mail.html.includes(codeIn(mail)))

  const verified = await house.call(
    'AccountService/VerifyEmail',
    { challengeId: asked.body.challengeId, code: codeIn(mail), useCookie: true },
    { origin: local.origin },
  )
  assert.equal(verified.status, 200)
  const { user, session, accessToken, refreshToken = '' } = verified.body.signedIn as unknown as Record<string, { id: string } & string>
  assert.equal(refreshToken, '', 'the refresh token is in the cookie alone')
  const cookie = cookieOf(verified.headers)
  for (const attribute of [/; Secure/i, /; HttpOnly/i, /; SameSite=Strict/i, /; Path=\//i]) assert.match(cookie.line, attribute)
  assert.doesNotMatch(cookie.line, /Domain=/i)

  const claims = claimsOf(accessToken ?? '')
  assert.deepEqual(
    [claims.iss, claims.aud, claims.tid, claims.sub, claims.sid],
    [`${local.origin}/oidc`, 'gatehouse', 'default', user?.id, session?.id],
  )
  const lifetime = Number(claims.exp) - Number(claims.iat)
  assert.ok(lifetime >= 540 && lifetime <= 600)

  const me = await house.call('UserService/GetCurrentUser', {}, { token: accessToken })
  assert.deepEqual([me.body.user?.email, me.body.user?.emailVerified, me.body.user?.state], ['Ada@example.com', true, 'STATE_ACTIVE'])
  const inbox = await until('the welcome', async () => {
    const { body } = await house.call('InboxService/ListInboxItems', {}, { token: accessToken })
    return body.items && body.items.length >= 2 ? body.items : undefined
  })
  assert.deepEqual(new Set([inbox[0]?.kind, inbox[1]?.kind]), new Set(['signed_in', 'welcome']))

  const refreshed = await house.call('SessionService/RefreshSession', {}, { cookie: cookie.pair, origin: local.origin })
  assert.equal(refreshed.status, 200)
  assert.notEqual(cookieOf(refreshed.headers).pair, cookie.pair)
  const out = await house.call('SessionService/SignOut', {}, { cookie: cookieOf(refreshed.headers).pair, origin: local.origin })
  assert.equal(out.status, 200)
  await until('the token to be refused everywhere', async () => {
    const answers = await Promise.all(
      ['UserService/GetCurrentUser', 'SessionService/ListSessions', 'InboxService/ListInboxItems'].map((rpc) =>
        house.call(rpc, {}, { token: accessToken }),
      ),
    )
    return answers.every(({ status }) => status === 401)
  })
  const over = await house.call('SessionService/RefreshSession', {}, { cookie: cookieOf(refreshed.headers).pair, origin: local.origin })
  assert.deepEqual([over.status, reasonOf(over)], [401, 'REFRESH_TOKEN_INVALID'])
})

test('a link in another browser asks for the password, so that a click adopts nobody else’s', async () => {
  const asked = await signUp('grace@example.com')
  assert.equal(asked.status, 200)
  const token = tokenIn(await house.mailTo('grace@example.com'))
  const clicked = await house.call('AccountService/VerifyEmail', { token })
  assert.equal(reasonOf(clicked), 'PASSWORD_NEEDED')
  const wrong = await house.call('AccountService/VerifyEmail', { token, password: 'another password entirely' })
  assert.equal(reasonOf(wrong), 'PASSWORD_WRONG')
  const proven = await house.call('AccountService/VerifyEmail', { token, password })
  assert.equal(proven.status, 200)
  assert.equal(proven.body.signedIn?.user?.email, 'grace@example.com')
  const again = await house.call('AccountService/VerifyEmail', { token, password })
  assert.equal(reasonOf(again), 'CHALLENGE_INVALID')
})

test('an address that has an account is answered like one that has none, and its mail says so', async () => {
  const known = await house.person('known@example.com')
  const answers = [await signUp(known.email), await signUp('nobody-yet@example.com')]
  assert.deepEqual(
    answers.map(({ status, body }) => [status, Object.keys(body)]),
    [
      [200, ['challengeId']],
      [200, ['challengeId']],
    ],
  )
  assert.doesNotMatch((await house.mailTo(known.email)).text, /^\s*\d{6}\s*$/m)
  codeIn(await house.mailTo('nobody-yet@example.com'))
  const resets = await Promise.all(
    [known.email, 'unknown@example.com'].map((email) => house.call('AccountService/RequestPasswordReset', { email })),
  )
  assert.deepEqual(
    resets.map(({ status, body }) => [status, Object.keys(body)]),
    [
      [200, ['challengeId']],
      [200, ['challengeId']],
    ],
  )
})

test('a forgotten password is set anew, and every older session ends', async () => {
  const person = await house.person('forgetful@example.com')
  await house.call('AccountService/RequestPasswordReset', { email: person.email })
  const mail = await house.mailTo(person.email, ({ text }) => text.includes('/reset#token='))
  const weak = await house.call('AccountService/ResetPassword', { token: tokenIn(mail), password: 'forgetful forgetful' })
  assert.equal(reasonOf(weak), 'PASSWORD_TOO_WEAK')
  const reset = await house.call('AccountService/ResetPassword', { token: tokenIn(mail), password: 'a new one, long enough' })
  assert.equal(reset.status, 200)
  assert.equal(reasonOf(await house.call('SessionService/RefreshSession', { refreshToken: person.refreshToken })), 'REFRESH_TOKEN_INVALID')
  assert.equal(
    reasonOf(await house.call('SessionService/SignIn', { email: person.email, password: person.password })),
    'EMAIL_OR_PASSWORD_WRONG',
  )
  const signedIn = await house.call('SessionService/SignIn', { email: ' FORGETFUL@Example.com', password: 'a new one, long enough' })
  assert.ok(signedIn.body.signedIn?.accessToken)
  await house.mailTo(person.email, ({ text }) => !text.includes('#token='))
})

test('an administrator invites somebody over REST, who sets a password by the mail', async () => {
  const token = await house.adminToken()
  const created = await house.call('/api/users', { name: 'Bob', email: 'bob@example.com' }, { token })
  assert.deepEqual(
    [created.status, created.body.email, created.body.state, created.body.emailVerified],
    [201, 'bob@example.com', 'STATE_INVITED', false],
  )
  assert.equal(created.headers.location, `/api/users/${created.body.id}`)
  const read = await house.call(String(created.headers.location), undefined, { token })
  assert.deepEqual(read.body, created.body)
  assert.equal(reasonOf(await house.call('/api/users', { name: 'B', email: 'BOB@example.com' }, { token })), 'EMAIL_TAKEN')

  const mail = await house.mailTo('bob@example.com')
  assert.equal(reasonOf(await house.call('SessionService/SignIn', { email: 'bob@example.com', password })), 'EMAIL_OR_PASSWORD_WRONG')
  const accepted = await house.call('AccountService/AcceptInvitation', { token: tokenIn(mail), password })
  assert.equal(accepted.body.signedIn?.user?.emailVerified as unknown, true)
  assert.equal((await house.call('SessionService/SignIn', { email: 'bob@example.com', password })).status, 200)
})

test('a page of people follows the other until all were listed once', async () => {
  const token = await house.adminToken()
  for (let i = 0; i < 5; i++) await house.call('/api/users', { name: `Page ${i}`, email: `page${i}@example.com` }, { token })
  const seen: string[] = []
  for (let next = ''; ; ) {
    const { body } = await house.call(`/api/users?pageSize=2&pageToken=${encodeURIComponent(next)}`, undefined, { token })
    seen.push(...(body.users as unknown as { id: string }[]).map(({ id }) => id))
    next = body.nextPageToken ?? ''
    if (next === '') break
  }
  assert.equal(new Set(seen).size, seen.length)
  assert.ok(seen.length >= 5)
  const found = await house.call('/api/users:search', { query: 'PAGE3@' }, { token })
  assert.deepEqual(
    (found.body.users as unknown as { name: string }[]).map(({ name }) => name),
    ['Page 3'],
  )
})

test('whoever is suspended loses sessions and gets nothing new; reactivated they come back', async () => {
  const person = await house.person('suspect@example.com')
  const token = await house.adminToken()
  assert.equal((await house.call(`/api/users/${person.userId}:suspend`, {}, { token })).body.state, 'STATE_SUSPENDED')
  assert.equal((await house.call('SessionService/SignIn', { email: person.email, password: person.password })).status, 401)
  assert.ok([401, 403].includes((await house.call('SessionService/RefreshSession', { refreshToken: person.refreshToken })).status))
  await until(
    'the access token to be refused',
    async () => (await house.call('UserService/GetCurrentUser', {}, { token: person.accessToken })).status === 401,
  )
  await house.call(`/api/users/${person.userId}:reactivate`, {}, { token })
  assert.equal((await house.call('SessionService/SignIn', { email: person.email, password: person.password })).status, 200)
})

test('whoever deletes the account is gone, and the address is free', async () => {
  const person = await house.person('leaver@example.com')
  assert.equal((await house.call('UserService/DeleteUser', { id: person.userId }, { token: person.accessToken })).status, 200)
  const token = await house.adminToken()
  const tombstone = await house.call(`/api/users/${person.userId}`, undefined, { token })
  assert.deepEqual([tombstone.status, tombstone.body.state, tombstone.body.email, tombstone.body.name], [200, 'STATE_DELETED', '', ''])
  assert.equal((await house.call('SessionService/SignIn', { email: person.email, password: person.password })).status, 401)
  assert.equal((await signUp(person.email)).status, 200)
  codeIn(await house.mailTo(person.email))
})

test('an address changes when the new mailbox is proven, and the old one is told', async () => {
  const person = await house.person('moving@example.com')
  const asked = await house.call(
    'AccountService/RequestEmailChange',
    { email: 'moved@example.com', password: person.password },
    { token: person.accessToken },
  )
  const code = codeIn(await house.mailTo('moved@example.com'))
  const confirmed = await house.call(
    'AccountService/ConfirmEmailChange',
    { challengeId: asked.body.challengeId, code },
    { token: person.accessToken },
  )
  assert.equal(confirmed.status, 200)
  assert.equal((await house.call('UserService/GetCurrentUser', {}, { token: person.accessToken })).body.user?.email, 'moved@example.com')
  assert.match((await house.mailTo('moving@example.com')).text, /address/i)
})

test('a stolen refresh token ends the session for thief and owner, and the owner is told', async () => {
  const person = await house.person('victim@example.com')
  const first = await house.call('SessionService/RefreshSession', { refreshToken: person.refreshToken })
  const repeat = await house.call('SessionService/RefreshSession', { refreshToken: person.refreshToken })
  assert.equal(
    repeat.body.signedIn?.refreshToken,
    first.body.signedIn?.refreshToken,
    'a repeat within the grace answers the same successor',
  )
  const second = await house.call('SessionService/RefreshSession', { refreshToken: first.body.signedIn?.refreshToken })
  assert.equal(second.status, 200)
  assert.equal(reasonOf(await house.call('SessionService/RefreshSession', { refreshToken: person.refreshToken })), 'REFRESH_TOKEN_INVALID')
  assert.equal(
    reasonOf(await house.call('SessionService/RefreshSession', { refreshToken: second.body.signedIn?.refreshToken })),
    'REFRESH_TOKEN_INVALID',
  )
  const mail = await house.mailTo(person.email, ({ subject }) => subject === 'Security alert: a session was ended')
  assert.match(mail.text, /\/lock-down#token=/)
  assert.equal(house.local.mailbox.messages.filter(({ to }) => to.includes(person.email)).length, 1)
})

test('two tenants never see each other, and one address lives in both', async () => {
  const { local } = house
  const hostname = 'acme.localhost'
  await local.gatehouse('auth', 'tenants', 'create', 'acme', '--origin', `http://${hostname}:${local.ports.origin}`)
  const here = await house.person('both@example.com')
  const there = await house.person('both@example.com', '--tenant', 'acme')
  assert.notEqual(here.userId, there.userId)
  assert.equal(claimsOf(there.accessToken).iss, `http://${hostname}:${local.ports.origin}/oidc`)

  const acme = await until('the services to know the tenant', async () => {
    const answer = await house.call('UserService/GetCurrentUser', {}, { token: there.accessToken, hostname })
    return answer.status === 200 ? answer : undefined
  })
  assert.equal(acme.body.user?.id, there.userId)
  assert.equal(reasonOf(await house.call('UserService/GetCurrentUser', {}, { token: there.accessToken })), 'WRONG_TENANT')
  assert.equal(reasonOf(await house.call('UserService/GetCurrentUser', {}, { token: here.accessToken, hostname })), 'WRONG_TENANT')
  const wrongHere = { email: here.email, password: here.password }
  await until('auth to know its host', async () => (await house.call('SessionService/SignIn', wrongHere, { hostname })).status !== 404)
  assert.equal((await house.call('SessionService/SignIn', wrongHere, { hostname })).status, 401)
  assert.equal((await house.call('SessionService/SignIn', { email: there.email, password: there.password }, { hostname })).status, 200)

  const acmeAdmin = (await local.gatehouse('auth', 'dev', 'admin-token', '--tenant', 'acme')).trim()
  const unknown = await house.call(`/api/users/${randomUUID()}`, undefined, { token: acmeAdmin, hostname })
  const foreign = await house.call(`/api/users/${here.userId}`, undefined, { token: acmeAdmin, hostname })
  assert.deepEqual([foreign.status, foreign.body], [404, unknown.body])
  const listed = await house.call('/api/users', undefined, { token: acmeAdmin, hostname })
  assert.deepEqual(
    (listed.body.users as unknown as { id: string }[]).map(({ id }) => id),
    [there.userId],
  )
  const found = await house.call('/api/users:search', { query: 'both@' }, { token: acmeAdmin, hostname })
  assert.equal(found.body.users?.length as unknown, 1)
  const page = await house.call('/api/users?pageSize=1', undefined, { token: await house.adminToken() })
  const borrowed = await house.call(`/api/users?pageSize=1&pageToken=${encodeURIComponent(page.body.nextPageToken ?? '')}`, undefined, {
    token: acmeAdmin,
    hostname,
  })
  assert.equal(reasonOf(borrowed), 'PAGE_TOKEN_INVALID')
  for (const verb of ['suspend', 'reactivate']) {
    assert.equal((await house.call(`/api/users/${here.userId}:${verb}`, {}, { token: acmeAdmin, hostname })).status, 404)
  }
  assert.equal((await house.call(`/api/users/${here.userId}`, undefined, { token: acmeAdmin, hostname, method: 'DELETE' })).status, 404)
  const inbox = await house.call('InboxService/ListInboxItems', {}, { token: there.accessToken, hostname })
  assert.equal(inbox.status, 200)
  assert.equal((await house.call('UserService/GetCurrentUser', {}, { token: here.accessToken })).body.user?.state, 'STATE_ACTIVE')
})

test("the README's example verifies a token, asks who that is, and is told of a new and a changed person", async () => {
  const cwd = fileURLToPath(new URL('../../../', import.meta.url))
  await seeExample(house, { cwd, program: 'packages/client/example.ts', name: 'Eve', email: 'eve@example.com' })
})

test('a program calls every service with an API key, and is refused by all within a second after it was revoked', async () => {
  const token = await house.adminToken()
  const { userId } = await house.person('seen-by-a-program@example.com')
  await house.local.gatehouse('auth', 'service-accounts', 'create', 'reader', '--role', 'administrator')
  const scopes = 'user.users.read,notification.notifications.read,auth.service_accounts.read'
  const key = (await house.local.gatehouse('auth', 'api-keys', 'create', 'reader', '--scopes', scopes)).trim()
  const calls = [`/api/users/${userId}`, '/api/notifications', '/api/serviceAccounts']
  const statuses = (of: string) => Promise.all(calls.map(async (path) => (await house.call(path, undefined, { token: of })).status))
  assert.deepEqual(await statuses(key), [200, 200, 200])
  assert.equal((await house.call(`/api/users/${userId}:suspend`, {}, { token: key })).status, 403)

  await using transport = peerTransport({ target: 'user', url: `127.0.0.1:${house.local.ports.services.user.grpc}` })
  const users = createClient(UserService, transport)
  const headers = { authorization: `Bearer ${key}` }
  assert.equal((await users.getUser({ id: userId }, { headers })).user?.id, userId)
  const ended = Promise.withResolvers<unknown>()
  const opened = Promise.withResolvers<void>()
  void (async () => {
    for await (const _ of users.watchUsers({}, { headers, timeoutMs: 0 })) opened.resolve()
  })().then(ended.resolve, ended.resolve)
  await opened.promise

  const accounts = (await house.call('/api/serviceAccounts', undefined, { token })).body.serviceAccounts as unknown as {
    id: string
    name: string
  }[]
  const id = accounts.find(({ name }) => name === 'reader')?.id
  const listed = await house.call(`/api/serviceAccounts/${id}/apiKeys`, undefined, { token })
  const keyId = String(listed.body.apiKeys?.[0]?.id)
  assert.ok(!JSON.stringify(listed.body).includes(key.slice(31)))
  assert.equal((await house.call(`/api/apiKeys/${keyId}`, undefined, { token, method: 'DELETE' })).status, 200)
  await until('every service to refuse the key', async () => (await statuses(key)).every((status) => status === 401), 1_500)
  // The stream that is open ends too, at its next look.
  assert.equal(reasonOfError(await ended.promise), 'ACCESS_TOKEN_INVALID')
})

test('no token that a client gets opens a door of any service, and the one of the sign-in itself opens all', async () => {
  const { accessToken } = await house.person('signed-in-elsewhere@example.com')
  const { good, refused } = await tokensOfClients(house, accessToken)
  const { services } = house.local.ports
  await using transports = new AsyncDisposableStack()
  const to = (target: 'user' | 'auth' | 'notification') =>
    transports.use(peerTransport({ target, url: `127.0.0.1:${services[target].grpc}` }))
  const [users, sessions, inbox] = [
    createClient(UserService, to('user')),
    createClient(SessionService, to('auth')),
    createClient(InboxService, to('notification')),
  ]
  const doors = (token: string) => {
    const headers = { authorization: `Bearer ${token}` }
    const web = ['UserService/GetCurrentUser', 'SessionService/ListSessions', 'InboxService/ListInboxItems']
    const opened = (answer: Promise<unknown>) =>
      answer.then(
        () => undefined,
        (error: unknown) => reasonOfError(error),
      )
    return Promise.all([
      ...web.map(async (rpc) => reasonOf(await house.call(rpc, {}, { token }))),
      opened(users.getCurrentUser({}, { headers })),
      opened(sessions.listSessions({}, { headers })),
      opened(inbox.listInboxItems({}, { headers })),
    ])
  }
  const every = (reason: string | undefined) => Array.from({ length: 6 }, () => reason)
  assert.deepEqual(await doors(accessToken), every(undefined))
  assert.deepEqual(await doors(good), every(undefined), 'the same key, and nothing but what is said differs')
  for (const [kind, token] of Object.entries(refused)) assert.deepEqual(await doors(token), every('ACCESS_TOKEN_INVALID'), kind)
})

test('every table says where its rows belong when people are divided, and the page on scale says which keys stand in the way', () =>
  seeShardKeys(house.local.postgresUrl))
