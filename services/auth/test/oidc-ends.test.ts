import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { create, toBinary } from '@bufbuild/protobuf'
import { UserDeletedSchema, UserSuspendedSchema } from '@gatehouse/contracts/gatehouse/user/v1/events_pb'
import type { Consumer } from '@gatehouse/events'
import { transact } from '@gatehouse/postgres'
import { sql } from 'kysely'
import { v7 as uuidv7 } from 'uuid'
import { onUserDeleted } from '../src/consumers/on-user-deleted.ts'
import { onUserSuspended } from '../src/consumers/on-user-suspended.ts'
import { lockDown } from '../src/core/accounts/lock-down.ts'
import { requestPasswordReset } from '../src/core/accounts/request-password-reset.ts'
import { resetPassword } from '../src/core/accounts/reset-password.ts'
import { createOidcActs } from '../src/core/oidc/oidc-acts.ts'
import { signIn } from '../src/core/sessions/sign-in.ts'
import type { Schema } from '../src/store/schema.ts'
import { type AccountHouse, goodPassword, noRetry, openAccountHouse, otherPassword, place, tenant } from './account-house.ts'
import { wholeOf } from './sign-somebody-in.ts'
import { suspicionsIn } from './told-suspicions.ts'

let house: AccountHouse
before(async () => {
  house = await openAccountHouse()
})
after(async () => house[Symbol.asyncDispose]())

let counter = 0

/** Somebody who let two clients do something: one while they are signed in, one for longer. */
async function allowed() {
  const email = `ends-${++counter}@example.com`
  const { userId, sessionId } = await house.member(email)
  const { grants } = createOidcActs(house.deps)
  async function grant(clientId: string, scope: string): Promise<string> {
    const id = await grants.ensure(tenant, { sessionId, clientId })
    const payload = { accountId: userId, clientId, openid: { scope } }
    const consent = { scopes: scope.split(' '), claims: [], resources: {} }
    assert.ok(await grants.save(tenant, { id, sessionId, payload, consent, ttlSeconds: 86_400 }))
    return id
  }
  const [bound, offline] = [await grant('bound', 'openid'), await grant('offline', 'openid offline_access')]
  return { email, userId, sessionId, ids: [bound, offline], bound, offline }
}

async function endsOf(ids: readonly string[]): Promise<(string | null)[]> {
  const { rows } = await sql<{ end_cause: string | null }>`
    select end_cause from oidc_grants where id = any(${[...ids]}::uuid[]) order by offline`.execute(house.deps.db)
  return rows.map(({ end_cause }) => end_cause)
}

async function consents(userId: string): Promise<number> {
  return (await sql`select 1 from oidc_consents where user_id = ${userId}`.execute(house.deps.db)).rows.length
}

async function handle(
  consumer: Consumer<Schema>,
  schema: typeof UserDeletedSchema | typeof UserSuspendedSchema,
  userId: string,
  time: Date,
) {
  const envelope = { id: uuidv7(), tenant, type: schema.typeName, key: userId, version: 2n, time }
  const act = await consumer.prepare(toBinary(schema, create(schema, { userId, version: 2n })), envelope)
  await transact(house.deps.db, act)
}

test('a new password by mail ends what clients could do without the person', async () => {
  const { email, ids } = await allowed()
  const challengeId = await requestPasswordReset(house.deps, { tenant, email, retry: noRetry, withheld: false })
  const { code } = await house.mailOf(challengeId)
  await resetPassword(house.deps, { tenant, challengeId, proof: { case: 'code', value: code }, password: otherPassword, place })
  assert.deepEqual(await endsOf(ids), ['session_ended', 'password_reset'])
})

test('a lock-down ends it too', async () => {
  const { email, userId, ids } = await allowed()
  const at = { tenant, email, password: goodPassword }
  wholeOf(await signIn(house.deps, { ...at, userAgent: 'own', source: '192.0.2.7' }))
  await sql`delete from suspicion_marks where subject = ${userId}`.execute(house.deps.db)
  wholeOf(await signIn(house.deps, { ...at, userAgent: 'another', source: '198.51.100.40' }))
  const told = (await suspicionsIn(house.deps.db)).findLast((each) => each.userId === userId)
  const { token } = await house.mailOf(told?.challengeId ?? '')
  await lockDown(house.deps, { tenant, token })
  assert.deepEqual(await endsOf(ids), ['session_ended', 'locked_down'])
})

test('a suspension ends what was given by then, and a deletion all of it and what the person answered', async () => {
  const [suspended, later, deleted] = [await allowed(), await allowed(), await allowed()]
  const now = house.deps.now()
  await handle(onUserSuspended(house.deps), UserSuspendedSchema, suspended.userId, new Date(now + 1_000))
  await handle(onUserSuspended(house.deps), UserSuspendedSchema, later.userId, new Date(now - 600_000))
  await handle(onUserDeleted(house.deps), UserDeletedSchema, deleted.userId, new Date(now))
  assert.deepEqual(await endsOf(suspended.ids), ['session_ended', 'user_suspended'])
  assert.deepEqual(await endsOf(later.ids), [null, null])
  assert.deepEqual(await endsOf(deleted.ids), ['session_ended', 'user_deleted'])
  assert.deepEqual([await consents(suspended.userId), await consents(deleted.userId)], [2, 0])
})

test('the end of a session is noted once for each client that wants to be told', async () => {
  const { sessionId, userId, ids } = await allowed()
  await sql`insert into oidc_clients (tenant, client_id, name, metadata, first_party, resources, introspects, backchannel_logout_uri, version, create_time, update_time)
    values (${tenant}, 'offline', '', '{}', false, '{}', '{}', 'https://rp.example/logout', 1, now(), now()), (${tenant}, 'bound', '', '{}', false, '{}', '{}', null, 1, now(), now())
    on conflict do nothing`.execute(house.deps.db)
  const { sessions } = createOidcActs(house.deps)
  await Promise.all([sessions.end(tenant, sessionId), createOidcActs(house.deps).sessions.end(tenant, sessionId)])
  const { rows } = await sql`select client_id, user_id from oidc_logouts where session_id = ${sessionId}`.execute(house.deps.db)
  assert.deepEqual(rows, [{ client_id: 'offline', user_id: userId }])
  assert.deepEqual(await endsOf(ids), ['session_ended', null])
})
