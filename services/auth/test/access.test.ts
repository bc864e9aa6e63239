import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { Code, ConnectError } from '@connectrpc/connect'
import { FactorService } from '@gatehouse/contracts/gatehouse/auth/v1/factor_service_pb'
import { IssuerService } from '@gatehouse/contracts/gatehouse/auth/v1/issuer_service_pb'
import { PasskeyService } from '@gatehouse/contracts/gatehouse/auth/v1/passkey_service_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { ErrorInfoSchema } from '@gatehouse/contracts/google/rpc/error_details_pb'
import { createBatches } from '../src/core/batches.ts'
import { createKeyRing } from '../src/core/keys/key-ring.ts'
import { createHashPool } from '../src/core/passwords/hash-pool.ts'
import { mintAdministratorToken } from '../src/core/roles/invite-administrator.ts'
import { insertCredential } from '../src/store/credentials.ts'
import { openBrowser } from './browser.ts'
import { openStory, type Story, type WorkloadName } from './open-story.ts'

type Who = 'nobody' | 'person' | 'service account' | 'user' | 'billing' | 'user for a person'

const password = 'correct horse battery'
let story: Story
let tokens: Record<'person' | 'service account', string>
before(async () => {
  story = await openStory()
  const person = story.people.add('default', { email: 'access@example.com' })
  const passwordHash = await createHashPool().hash(password)
  await insertCredential(story.db, { tenant: 'default', userId: person.id, passwordHash, time: new Date() })
  const { result } = await (await story.grpc(SessionService)).signIn({ email: person.email, password })
  const now = Date.now
  const keys = createKeyRing({ db: story.db, now, encryptionKey: Buffer.alloc(32, 8) })
  const lifetimes = { accessTokenSeconds: 600, sessionIdleSeconds: 0, sessionAbsoluteSeconds: 0, refreshGraceSeconds: 0 }
  const batches = createBatches({ db: story.db, users: story.people.users })
  const account = await mintAdministratorToken({ db: story.db, batches, keys, now, lifetimes }, { tenant: 'default', name: 'robot' })
  assert.equal(result.case, 'signedIn')
  tokens = { person: result.case === 'signedIn' ? result.value.accessToken : '', 'service account': account.token }
})
after(async () => story[Symbol.asyncDispose]())

async function as(who: Who) {
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
  const inTenant = { 'gatehouse-tenant': 'default' }
  const of: Record<Who, [Record<string, string>, WorkloadName?]> = {
    nobody: [{}],
    person: [bearer(tokens.person)],
    'service account': [bearer(tokens['service account'])],
    user: [inTenant, 'user'],
    billing: [inTenant, 'billing'],
    'user for a person': [{ ...inTenant, ...bearer(tokens.person) }, 'user'],
  }
  const [headers, workload] = of[who]
  return {
    sessions: await story.grpc(SessionService, headers, workload),
    issuers: await story.grpc(IssuerService, headers, workload),
    passkeys: await story.grpc(PasskeyService, headers, workload),
    factors: await story.grpc(FactorService, headers, workload),
  }
}

type Clients = Awaited<ReturnType<typeof as>>

/** The reason of a refusal; `ok` for an answer. */
async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return 'ok'
  } catch (error) {
    const failure = ConnectError.from(error)
    return failure.findDetails(ErrorInfoSchema)[0]?.reason ?? Code[failure.code]
  }
}

const missing = 'CREDENTIALS_MISSING'
const denied = 'PERMISSION_DENIED'

/** One row for each RPC that is not public: what each caller gets, in the order of `everybody`. */
const everybody: readonly Who[] = ['nobody', 'person', 'service account', 'user', 'billing', 'user for a person']
const matrix: Record<string, { call: (clients: Clients) => Promise<unknown>; gets: readonly string[] }> = {
  listSessions: { call: ({ sessions }) => sessions.listSessions({}), gets: [missing, 'ok', denied, denied, denied, denied] },
  revokeSession: {
    call: ({ sessions }) => sessions.revokeSession({ sessionId: randomUUID() }),
    gets: [missing, 'SESSION_NOT_FOUND', denied, denied, denied, denied],
  },
  revokePersonSessions: {
    call: ({ sessions }) => sessions.revokePersonSessions({ userId: randomUUID() }),
    gets: [missing, denied, denied, 'ok', denied, denied],
  },
  revokeOtherSessions: { call: ({ sessions }) => sessions.revokeOtherSessions({}), gets: [missing, 'ok', denied, denied, denied, denied] },
  revokeSessionsOfUser: {
    call: ({ sessions }) => sessions.revokeSessionsOfUser({ userId: randomUUID() }),
    gets: [missing, denied, 'ok', denied, denied, denied],
  },
  beginStepUp: { call: ({ sessions }) => sessions.beginStepUp({}), gets: [missing, 'ok', denied, denied, denied, denied] },
  completeStepUp: {
    call: ({ sessions }) => sessions.completeStepUp({ continuation: 'ghc_none', proof: { proof: { case: 'password', value: password } } }),
    gets: [missing, 'CONTINUATION_INVALID', denied, denied, denied, denied],
  },
  getDeviceTrust: { call: ({ sessions }) => sessions.getDeviceTrust({}), gets: [missing, 'ok', denied, denied, denied, denied] },
  forgetTrustedDevices: {
    call: ({ sessions }) => sessions.forgetTrustedDevices({}),
    gets: [missing, 'ok', denied, denied, denied, denied],
  },
  issueToken: {
    call: ({ sessions }) => sessions.issueToken({ audience: 'unknown' }),
    gets: [missing, 'AUDIENCE_UNKNOWN', denied, denied, denied, denied],
  },
  watchRevocations: {
    call: async ({ sessions }) => {
      const stop = new AbortController()
      for await (const message of sessions.watchRevocations({}, { signal: stop.signal, timeoutMs: 0 })) if (message.snapshotComplete) break
      stop.abort()
    },
    gets: [missing, denied, denied, 'ok', 'ok', denied],
  },
  listPasskeys: { call: ({ passkeys }) => passkeys.listPasskeys({}), gets: [missing, 'ok', denied, denied, denied, denied] },
  beginPasskeyRegistration: {
    call: ({ passkeys }) => passkeys.beginPasskeyRegistration({}),
    gets: [missing, 'ok', denied, denied, denied, denied],
  },
  completePasskeyRegistration: {
    call: ({ passkeys }) => passkeys.completePasskeyRegistration({ attemptId: randomUUID(), passkeyJson: '{}' }),
    gets: [missing, 'CONTINUATION_INVALID', denied, denied, denied, denied],
  },
  renamePasskey: {
    call: ({ passkeys }) => passkeys.renamePasskey({ passkeyId: randomUUID(), name: 'Phone' }),
    gets: [missing, 'FACTOR_NOT_FOUND', denied, denied, denied, denied],
  },
  deletePasskey: {
    call: ({ passkeys }) => passkeys.deletePasskey({ passkeyId: randomUUID() }),
    gets: [missing, 'FACTOR_NOT_FOUND', denied, denied, denied, denied],
  },
  listFactors: { call: ({ factors }) => factors.listFactors({}), gets: [missing, 'ok', denied, denied, denied, denied] },
  confirmTotp: {
    call: ({ factors }) => factors.confirmTotp({ code: '000000' }),
    gets: [missing, 'FACTOR_NOT_FOUND', denied, denied, denied, denied],
  },
  beginTotp: { call: ({ factors }) => factors.beginTotp({}), gets: [missing, 'ok', denied, denied, denied, denied] },
  deleteTotp: { call: ({ factors }) => factors.deleteTotp({}), gets: [missing, 'ok', denied, denied, denied, denied] },
  makeRecoveryCodes: {
    call: ({ factors }) => factors.makeRecoveryCodes({}),
    gets: [missing, 'STRENGTH_OUT_OF_REACH', denied, denied, denied, denied],
  },
  removeFactorsOfUser: {
    call: ({ factors }) => factors.removeFactorsOfUser({ userId: randomUUID(), addedSince: { seconds: 0n } }),
    gets: [missing, denied, 'ok', denied, denied, denied],
  },
  listIssuers: { call: ({ issuers }) => issuers.listIssuers({}), gets: [missing, denied, denied, 'ok', 'ok', denied] },
}

test('every RPC lets in whom its contract names, and nobody else', async () => {
  for (const [at, who] of everybody.entries()) {
    const clients = await as(who)
    for (const [name, { call, gets }] of Object.entries(matrix)) assert.equal(await outcome(call(clients)), gets[at], `${name} as ${who}`)
  }
})

test('an administrator ends every session of somebody', async () => {
  const person = story.people.add('default', { email: 'ended@example.com' })
  const passwordHash = await createHashPool().hash(password)
  await insertCredential(story.db, { tenant: 'default', userId: person.id, passwordHash, time: new Date() })
  const { sessions: strangers } = await as('nobody')
  const { result } = await strangers.signIn({ email: person.email, password })
  assert.equal(result.case, 'signedIn')
  const { sessions: administrator } = await as('service account')
  assert.equal((await administrator.revokeSessionsOfUser({ userId: person.id })).revokedCount, 1)
  const { refreshToken } = result.value as { refreshToken: string }
  assert.equal(await outcome(strangers.refreshSession({ refreshToken })), 'REFRESH_TOKEN_INVALID')
})

test('the table names every RPC that is not public', () => {
  const open = ['signIn', 'continueSignIn', 'refreshSession', 'signOut', 'beginPasskeySignIn', 'completePasskeySignIn']
  const named = [...Object.keys(matrix), ...open].sort()
  const services = [SessionService, IssuerService, PasskeyService, FactorService]
  const declared = services.flatMap(({ methods }) => methods.map(({ localName }) => localName)).sort()
  assert.deepEqual(named, declared)
})

test('what is for services does not exist on the web door', async () => {
  const browser = openBrowser(story.app.ports.web)
  for (const method of ['SessionService/RevokePersonSessions', 'SessionService/WatchRevocations', 'IssuerService/ListIssuers']) {
    const answer = await browser.call(method, {}, { authorization: `Bearer ${tokens.person}` })
    assert.deepEqual([answer.status, answer.body.code], [404, 'unimplemented'], method)
  }
})

test('bad requests get one typed refusal each', async () => {
  const browser = openBrowser(story.app.ports.web)
  const bearer = { authorization: `Bearer ${tokens.person}` }
  const bad: [string, object, number, string][] = [
    ['SignIn', { email: 'no address', password }, 400, 'INVALID_REQUEST'],
    ['SignIn', { email: 'a\u0000@example.com', password }, 400, 'INVALID_REQUEST'],
    ['SignIn', { email: 'access@example.com', password: '' }, 400, 'INVALID_REQUEST'],
    ['SignIn', { email: 'access@example.com', password: 'x'.repeat(1025) }, 400, 'INVALID_REQUEST'],
    ['SignIn', { email: 'access@example.com', password: 'nul\u0000 in a password' }, 400, 'INVALID_REQUEST'],
    ['SignIn', { email: 'access@example.com', password: '\ud800 half a pair' }, 400, 'MALFORMED_REQUEST'],
    ['SignIn', { email: ['access@example.com'], password }, 400, 'MALFORMED_REQUEST'],
    ['SignIn', { email: 'access@example.com', password, role: 'administrator' }, 400, 'MALFORMED_REQUEST'],
    ['RefreshSession', { refreshToken: 'x'.repeat(513) }, 400, 'INVALID_REQUEST'],
    ['RefreshSession', { refreshToken: "' or 1=1 --" }, 401, 'REFRESH_TOKEN_INVALID'],
    ['ListSessions', { pageSize: -1 }, 400, 'INVALID_REQUEST'],
    ['ListSessions', { pageSize: 201 }, 400, 'INVALID_REQUEST'],
    ['ListSessions', { pageToken: 'AAAA' }, 400, 'PAGE_TOKEN_INVALID'],
    ['RevokeSession', { sessionId: 'x' }, 400, 'INVALID_REQUEST'],
    ['IssueToken', { audience: 'a\u0000' }, 400, 'INVALID_REQUEST'],
    ['IssueToken', { audience: '' }, 400, 'INVALID_REQUEST'],
  ]
  for (const [method, body, status, reason] of bad) {
    const answer = await browser.call(`SessionService/${method}`, body, bearer)
    assert.deepEqual([answer.status, answer.reason], [status, reason], `${method} ${JSON.stringify(body).slice(0, 80)}`)
  }
})
