import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { create, toBinary } from '@bufbuild/protobuf'
import { UserDeletedSchema, UserSuspendedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import type { User } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { transact } from '@gatehouse/postgres'
import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, jwtVerify } from 'jose'
import { sql } from 'kysely'
import * as relying from 'openid-client'
import { v7 as uuidv7 } from 'uuid'
import { onUserDeleted } from '../src/consumers/on-user-deleted.ts'
import { onUserSuspended } from '../src/consumers/on-user-suspended.ts'
import { lockDown } from '../src/core/accounts/lock-down.ts'
import { requestPasswordReset } from '../src/core/accounts/request-password-reset.ts'
import { resetPassword } from '../src/core/accounts/reset-password.ts'
import { revealSecret } from '../src/core/challenges/reveal-secret.ts'
import type { Deps } from '../src/core/deps.ts'
import { createEgress } from '../src/core/egress/egress.ts'
import { deliverLogouts, type LogoutOutcome, type TellLogout } from '../src/core/oidc/logout/deliver-logouts.ts'
import { createRestingClients } from '../src/core/oidc/logout/resting-clients.ts'
import { sweepExpired } from '../src/core/oidc/logout/sweep-expired.ts'
import { createOidcActs } from '../src/core/oidc/oidc-acts.ts'
import type { OidcActs } from '../src/core/oidc/oidc-parts.ts'
import { revokePersonSessions } from '../src/core/sessions/revoke-person-sessions.ts'
import { signIn } from '../src/core/sessions/sign-in.ts'
import { signOut } from '../src/core/sessions/sign-out.ts'
import { logoutTeller } from '../src/oidc/tell-logout.ts'
import { startDeliveringLogouts } from '../src/workers/deliver-logouts.ts'
import { noRetry, otherPassword, place } from './account-house.ts'
import { type LogoutReceiver, openLogoutReceiver } from './logout-receiver.ts'
import { ISSUER, type OidcHouse, openOidcHouse } from './oidc-house.ts'
import { someClient } from './oidc-scene.ts'
import { CALLBACK, codeFor } from './relying-party.ts'
import { refresh, rightPassword, signSomebodyIn, somebody, wholeOf } from './sign-somebody-in.ts'
import { suspicionsIn } from './told-suspicions.ts'
import { until } from './until.ts'

const tenant = 'default'

let house: OidcHouse
let deps: Deps
let acts: OidcActs
let receiver: LogoutReceiver
let tell: TellLogout
let replicas: readonly { readonly deps: Deps; readonly delivering: Parameters<typeof deliverLogouts>[1] }[]
const outcomes: LogoutOutcome[] = []
/** A client that wants to be told, and one that does not. */
let told: string
let quiet: string

before(async () => {
  receiver = await openLogoutReceiver()
  house = await openOidcHouse(createOidcActs, { egress: createEgress({ allow: ['127.0.0.1'] }) })
  deps = house.opened.deps
  acts = createOidcActs(deps)
  tell = logoutTeller({ acts }, { of: async () => ({ provider: await house.provider(), issuer: new URL(ISSUER), handle: async () => {} }) })
  const count = (outcome: LogoutOutcome) => void outcomes.push(outcome)
  replicas = [deps, house.opened.replica()].map((each) => ({ deps: each, delivering: { tell, resting: createRestingClients(), count } }))
  told = (await someClient(deps, { backchannelLogoutUri: receiver.uri })).clientId
  quiet = (await someClient(deps)).clientId
})
after(async () => {
  await house[Symbol.asyncDispose]()
  await receiver[Symbol.asyncDispose]()
})

beforeEach(() => {
  receiver.status = 200
})

interface SignedIn {
  readonly user: User
  readonly sessionId: string
  readonly refreshToken: string
}

/** Somebody who is signed in, and at these clients too. */
async function atClients(...clientIds: string[]): Promise<SignedIn> {
  const user = await somebody(house.opened)
  const { session, refreshToken } = await signSomebodyIn(deps, user)
  const sessionId = session?.id ?? ''
  for (const clientId of clientIds) await acts.grants.ensure(tenant, { sessionId, clientId })
  return { user, sessionId, refreshToken }
}

/** Both replicas at once; what came of their attempts. */
async function deliver(): Promise<LogoutOutcome[]> {
  const before = outcomes.length
  await Promise.all(replicas.map((each) => deliverLogouts(each.deps, each.delivering)))
  return outcomes.slice(before).sort()
}

async function handle(
  consumer: ReturnType<typeof onUserDeleted>,
  schema: typeof UserDeletedSchema | typeof UserSuspendedSchema,
  userId: string,
) {
  const envelope = { id: uuidv7(), tenant, type: schema.typeName, key: userId, version: 2n, time: new Date(deps.now() + 1_000) }
  const act = await consumer.prepare(toBinary(schema, create(schema, { userId, version: 2n })), envelope)
  await transact(deps.db, act)
}

const mailOf = (challengeId: string) => revealSecret(deps, { tenant, challengeId, deliveryId: randomUUID() })

/** Everything by which somebody ends a session. */
const causes: Record<string, (who: SignedIn) => Promise<unknown>> = {
  'a sign-out': ({ refreshToken }) => signOut(deps, { tenant, refreshToken }),
  'a sign-out on the page': ({ sessionId }) => acts.sessions.end(tenant, sessionId),
  'an administrator': ({ user }) => revokePersonSessions(deps, { tenant, userId: user.id, cause: 'revoked' }),
  'a suspension': ({ user }) => handle(onUserSuspended(deps), UserSuspendedSchema, user.id),
  'a deletion': ({ user }) => handle(onUserDeleted(deps), UserDeletedSchema, user.id),
  async 'a new password by mail'({ user }) {
    const challengeId = await requestPasswordReset(deps, { tenant, email: user.email, retry: noRetry, withheld: false })
    const proof = { case: 'code', value: (await mailOf(challengeId)).code } as const
    await resetPassword(deps, { tenant, challengeId, proof, password: otherPassword, place })
  },
  async 'a lock-down'({ user }) {
    const at = { tenant, email: user.email, password: rightPassword }
    await sql`delete from suspicion_marks where subject = ${user.id}`.execute(deps.db)
    wholeOf(await signIn(deps, { ...at, userAgent: 'another', source: '198.51.100.40' }))
    const suspicion = (await suspicionsIn(deps.db)).findLast((each) => each.userId === user.id)
    await lockDown(deps, { tenant, token: (await mailOf(suspicion?.challengeId ?? '')).token })
  },
  async 'a stolen refresh token'({ refreshToken }) {
    const { refreshToken: next } = await refresh(deps, refreshToken)
    await refresh(deps, next)
    await assert.rejects(refresh(deps, refreshToken), { reason: 'REFRESH_TOKEN_INVALID' })
  },
}

test('a client hears of every end of a session, whatever ended it, once of two replicas; one that named no address hears nothing', async () => {
  for (const [cause, end] of Object.entries(causes)) {
    const who = await atClients(told, quiet)
    await deliver()
    const before = receiver.tokens.length
    await end(who)
    assert.deepEqual(await deliver(), ['delivered'], cause)
    assert.deepEqual(await deliver(), [], cause)
    const [token = '', ...more] = receiver.tokens.slice(before)
    assert.deepEqual(
      [decodeJwt(token).sub, decodeJwt(token).sid, more],
      [who.user.id, acts.sessions.sidOf(tenant, who.sessionId, told), []],
      cause,
    )
  }
})

test('a session that ends by its time is heard of too, once of two replicas, and its grants are over', async () => {
  const ends = async (sessionId: string, seconds: number, column = 'idle_expire_time') =>
    await sql`update sessions set ${sql.ref(column)} = ${new Date(deps.now() + seconds * 1000)} where id = ${sessionId}`.execute(deps.db)
  const idle = await atClients(told, quiet)
  const old = await atClients(told)
  const alive = await atClients(told)
  const nowhere = await atClients()
  const signedOut = await atClients(told)
  await ends(idle.sessionId, 10)
  await ends(old.sessionId, 20, 'expire_time')
  await ends(alive.sessionId, 3_600)
  await ends(nowhere.sessionId, 15)
  await acts.sessions.end(tenant, signedOut.sessionId)
  await deliver()
  const before = receiver.tokens.length
  house.opened.pass(61)
  await sweep()
  assert.deepEqual(await deliver(), [], 'a use that was noted late may still be on its way')
  house.opened.pass(30)
  await sweep()
  assert.deepEqual([await deliver(), await sweep(), await deliver()], [['delivered', 'delivered'], 0, []])
  assert.deepEqual(
    receiver.tokens
      .slice(before)
      .map((token) => decodeJwt(token).sid)
      .sort(),
    [idle, old].map(({ sessionId }) => acts.sessions.sidOf(tenant, sessionId, told)).sort(),
  )
  const { rows } =
    await sql`select 1 from oidc_grants where session_id = any(${[idle.sessionId, old.sessionId]}::uuid[]) and end_time is null`.execute(
      deps.db,
    )
  assert.deepEqual(rows, [])
})

/** Both replicas at once; how many sessions they found. */
async function sweep(): Promise<number> {
  const counts = await Promise.all(replicas.map((each) => sweepExpired(each.deps)))
  return counts.reduce((sum, each) => sum + each, 0)
}

test('what it hears is a logout token, and nothing that could be taken for another one', async () => {
  const { user, sessionId } = await atClients(told)
  await acts.sessions.end(tenant, sessionId)
  await deliver()
  const keys = (await (await house.visitor().visit(`${ISSUER}/jwks`)).json()) as JSONWebKeySet
  const { payload, protectedHeader } = await jwtVerify(receiver.tokens.at(-1) ?? '', createLocalJWKSet(keys), {
    issuer: ISSUER,
    audience: told,
    typ: 'logout+jwt',
    algorithms: ['ES256'],
  })
  const { iat = 0, exp = 0, jti, ...rest } = payload
  assert.deepEqual(rest, {
    iss: ISSUER,
    aud: told,
    sub: user.id,
    sid: acts.sessions.sidOf(tenant, sessionId, told),
    events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
  })
  assert.deepEqual([protectedHeader.alg, exp - iat, typeof jti], ['ES256', 120, 'string'])
})

test('a client that is down is told when it is back, with a new token each time, and is given up after a day', async () => {
  const { sessionId } = await atClients(told)
  await acts.sessions.end(tenant, sessionId)
  const before = receiver.tokens.length
  for (const status of [500, 302]) {
    receiver.status = status
    assert.deepEqual(await deliver(), ['failed'])
    assert.deepEqual(await deliver(), [])
    house.opened.pass(status === 500 ? 6 : 31)
  }
  const { rows } = await sql<{ last_problem: string }>`select last_problem from oidc_logouts where session_id = ${sessionId}`.execute(
    deps.db,
  )
  assert.deepEqual(rows, [{ last_problem: 'answered 302' }])
  receiver.status = 204
  assert.deepEqual(await deliver(), ['delivered'])
  assert.equal(new Set(receiver.tokens.slice(before).map((token) => decodeJwt(token).jti)).size, 3)

  receiver.status = 503
  const other = await atClients(told)
  await acts.sessions.end(tenant, other.sessionId)
  assert.deepEqual(await deliver(), ['failed'])
  house.opened.pass(86_401)
  assert.deepEqual(await deliver(), ['given_up'])
  house.opened.pass(3_601)
  assert.deepEqual(await deliver(), [])
})

test('what waits for a client that is down does not hold up what others are to hear', async () => {
  await using down = await openLogoutReceiver()
  down.status = 500
  const dead = (await someClient(deps, { backchannelLogoutUri: down.uri })).clientId
  const { user } = await atClients()
  await sql`insert into oidc_logouts (tenant, session_id, client_id, user_id, next_time, create_time, expire_time)
    select ${tenant}, gen_random_uuid(), ${dead}, ${user.id}::uuid, t, t, t + interval '1 day'
    from generate_series(1, 200), (select ${new Date(deps.now() - 60_000)}::timestamptz) now (t)`.execute(deps.db)
  const { sessionId } = await atClients(told)
  await acts.sessions.end(tenant, sessionId)
  const attempts = [...(await deliver()), ...(await deliver())]
  assert.ok(attempts.includes('delivered'), attempts.join())
  assert.equal(attempts.filter((each) => each === 'failed').length, 40)
  await sql`delete from oidc_logouts where client_id = ${dead}`.execute(deps.db)
})

test('the worker tells by itself, and drops what nobody is there to hear', async () => {
  const gone = (await someClient(deps, { backchannelLogoutUri: receiver.uri })).clientId
  const { sessionId } = await atClients(told, gone)
  await acts.sessions.end(tenant, sessionId)
  await sql`update oidc_clients set backchannel_logout_uri = null where client_id = ${gone}`.execute(deps.db)
  const before = receiver.tokens.length
  await using _worker = startDeliveringLogouts(deps, tell, { everyMs: 20 })
  const waiting = async () =>
    (await sql`select 1 from oidc_logouts where session_id = ${sessionId} and deliver_time is null`.execute(deps.db)).rows.length
  await until(async () => (await waiting()) === 0)
  assert.deepEqual(
    receiver.tokens.slice(before).map((token) => decodeJwt(token).aud),
    [told],
  )
})

/** Somebody who came to a client by the pages: their browser, and what the client knows. */
async function cameBy() {
  const afterwards = 'https://rp.example/bye'
  const made = await someClient(deps, {
    firstParty: true,
    redirectUris: [CALLBACK],
    postLogoutRedirectUris: [afterwards],
    backchannelLogoutUri: receiver.uri,
  })
  const { user, sessionId } = await atClients()
  const browser = house.visitor()
  browser.cookies.set('__Host-gatehouse-oidc', acts.sessions.cookieOf(tenant, sessionId, 0))
  const app = await house.client(made.clientId, relying.ClientSecretBasic(made.secret))
  const come = async () => {
    const { callback, checks } = await codeFor(browser, app)
    return (await relying.authorizationCodeGrant(app, callback, checks)).id_token ?? ''
  }
  const alive = async () => (await acts.sessions.findById(tenant, sessionId)) !== undefined
  /** Asks to be signed out, as a client's link does. */
  const ask = (params: Record<string, string>) => browser.visit(`${ISSUER}/session/end?${new URLSearchParams(params)}`)
  const answer = (page: string, form: Record<string, string>) => {
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(page)?.[1] ?? ''
    return browser.visit(`${ISSUER}/session/end/confirm`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: new URL(ISSUER).origin },
      body: String(new URLSearchParams({ xsrf, ...form })),
    })
  }
  return { clientId: made.clientId, userId: user.id, sessionId, browser, hint: await come(), afterwards, come, alive, ask, answer }
}

test('a client’s link asks, and only the answer signs out: here, at the client, and back where it may send people', async () => {
  const { clientId, hint, afterwards, alive, ask, answer } = await cameBy()
  const page = await ask({ id_token_hint: hint, post_logout_redirect_uri: afterwards, state: 'kept' })
  assert.deepEqual([page.status, await alive()], [200, true])
  const form = await page.text()
  assert.deepEqual([(await answer(form, { xsrf: 'forged', logout: 'yes' })).status, await alive()], [400, true])
  await deliver()
  const before = receiver.tokens.length
  const signedOut = await answer(form, { logout: 'yes' })
  assert.deepEqual([signedOut.status, signedOut.headers.get('location')], [303, `${afterwards}?state=kept`])
  assert.equal(await alive(), false)
  assert.deepEqual([await deliver(), await deliver()], [['delivered'], []])
  assert.deepEqual(
    receiver.tokens.slice(before).map((token) => decodeJwt(token).aud),
    [clientId],
  )
})

test('a forged hint, another client’s, and an address that nobody registered sign nobody out', async () => {
  const one = await cameBy()
  const other = await cameBy()
  const [head, body, signature = ''] = one.hint.split('.')
  const forged = {
    'another signature': [head, body, signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`].join('.'),
    'no signature': [Buffer.from('{"alg":"none"}').toString('base64url'), body, ''].join('.'),
    'another body': [
      head,
      Buffer.from(JSON.stringify({ ...decodeJwt(one.hint), sub: other.userId })).toString('base64url'),
      signature,
    ].join('.'),
    'no token': 'hint',
  }
  for (const [name, hint] of Object.entries(forged)) assert.equal((await one.ask({ id_token_hint: hint })).status, 400, name)
  assert.equal((await one.ask({ id_token_hint: one.hint, client_id: other.clientId })).status, 400)
  for (const uri of ['https://evil.example/', `${one.afterwards}/`, `${one.afterwards}?x=1`])
    assert.equal((await one.ask({ id_token_hint: one.hint, post_logout_redirect_uri: uri })).status, 400, uri)
  assert.deepEqual([await one.alive(), await other.alive()], [true, true])
  assert.equal((await one.ask({ id_token_hint: one.hint, post_logout_redirect_uri: one.afterwards })).status, 200)
})

test('who stays signed in here is signed out at the client that asked; gone back to, it hears of the end again', async () => {
  const { hint, afterwards, come, alive, ask, answer, sessionId } = await cameBy()
  await deliver()
  const page = await ask({ id_token_hint: hint, post_logout_redirect_uri: afterwards })
  await answer(await page.text(), {})
  assert.deepEqual([await deliver(), await alive()], [['delivered'], true])
  await come()
  assert.deepEqual(await deliver(), [])
  await acts.sessions.end(tenant, sessionId)
  assert.deepEqual(await deliver(), ['delivered'])
  assert.deepEqual(house.faults, [])
})
