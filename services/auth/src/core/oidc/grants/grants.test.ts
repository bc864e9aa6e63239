import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { transact } from '@gatehouse/postgres'
import { sql } from 'kysely'
import { allow, fifty, newId, tenant } from '../../../../test/oidc-scene.ts'
import { type OpenedDeps, openDeps } from '../../../../test/open-deps.ts'
import { findGoingOnTokens } from '../../../store/oidc/token-states.ts'
import { revokePersonSessions } from '../../sessions/revoke-person-sessions.ts'
import { deleteClient } from '../clients/disable-client.ts'
import { createOidcActs } from '../oidc-acts.ts'
import type { OidcActs } from '../oidc-parts.ts'
import { pruneOidc } from '../prune-oidc.ts'
import { endGrants } from './end-grants.ts'

let opened: OpenedDeps
let acts: OidcActs
let replicas: readonly OidcActs[]
before(async () => {
  opened = await openDeps()
  acts = createOidcActs(opened.deps)
  replicas = [acts, createOidcActs(opened.replica())]
})
after(async () => opened[Symbol.asyncDispose]())

const day = 86_400

test('a grant that outlives its session keeps no token alive that says that it ends with the session', async () => {
  const { grantId, sessionId } = await allow(opened, { offline: true })
  const goesOn = async (sid: string) => {
    const of = [{ tenant, tokenId: randomUUID(), grantId, sessionId: sid }]
    return (await findGoingOnTokens(opened.deps.db, { tenant, of, now: new Date(opened.deps.now()) })).size === 1
  }
  assert.deepEqual([await goesOn(sessionId), await goesOn(grantId)], [true, true])
  await acts.sessions.end(tenant, sessionId)
  assert.deepEqual([await goesOn(sessionId), await goesOn(grantId)], [false, true])
  await acts.grants.end(tenant, { ids: [grantId] }, 'revoked')
  assert.equal(await goesOn(grantId), false)
})

test('tabs that sign in to one client at once have one grant, and neither loses what it was allowed', async () => {
  const { user, sessionId } = await allow(opened)
  const clientId = 'two-tabs'
  const ids = new Set(await fifty(replicas, (each) => each.grants.ensure(tenant, { sessionId, clientId })))
  assert.equal(ids.size, 1)
  const [id = ''] = ids
  const scopes = ['openid profile', 'openid email', 'openid groups']
  const saved = await Promise.all(
    scopes.map((scope, at) => {
      const payload = { accountId: user.id, clientId, openid: { scope } }
      return (replicas[at % 2] ?? acts).grants.save(tenant, { id, sessionId, payload, ttlSeconds: day })
    }),
  )
  assert.deepEqual(saved, [true, true, true])
  const { openid } = (await acts.grants.find(tenant, id)) ?? {}
  assert.deepEqual((openid as { scope: string }).scope.split(' ').sort(), ['email', 'groups', 'openid', 'profile'])
})

test('what is allowed is told, and the same again is not', async () => {
  const { grantId, sessionId, user, clientId } = await allow(opened)
  const payload = { accountId: user.id, clientId, openid: { scope: 'openid' } }
  assert.equal(await acts.grants.save(tenant, { id: grantId, sessionId, payload, ttlSeconds: day }), true)
  await acts.grants.save(tenant, { id: grantId, sessionId, payload: { ...payload, openid: { scope: 'email' } }, ttlSeconds: day })
  const changes = (await opened.eventsOf(grantId)).map((event) => 'change' in event && event.change)
  assert.deepEqual(changes, ['given', 'extended'])
  const { rows } = await sql`select 1 from audit_entries where kind = 'grant_give' and subject_id = ${user.id}`.execute(opened.deps.db)
  assert.equal(rows.length, 2)
})

test('an ended grant is never back: its tokens are gone, verifiers hear of it, and the session begins another', async () => {
  const { about, grantId, sessionId, user, clientId } = await allow(opened, { offline: true })
  const token = newId()
  await acts.records.save(tenant, 'AccessToken', token, about, day)
  assert.ok(await acts.records.find(tenant, 'AccessToken', token))
  await acts.grants.end(tenant, { ids: [grantId] }, 'revoked')
  assert.equal(await acts.records.find(tenant, 'AccessToken', token), undefined)
  assert.equal(await acts.grants.find(tenant, grantId), undefined)
  const payload = { accountId: user.id, clientId, openid: { scope: 'openid' } }
  assert.equal(await acts.grants.save(tenant, { id: grantId, sessionId, payload, ttlSeconds: day }), false)
  const { rows } = await sql`select 1 from revocations where session_id = ${grantId}`.execute(opened.deps.db)
  assert.equal(rows.length, 1)
  assert.notEqual(await acts.grants.ensure(tenant, { sessionId, clientId }), grantId)
})

test('a grant ends with its session unless it is offline', async () => {
  const bound = await allow(opened)
  const offline = await allow(opened, { offline: true, user: bound.user })
  await acts.sessions.end(tenant, bound.sessionId)
  await acts.sessions.end(tenant, offline.sessionId)
  assert.equal(await acts.grants.find(tenant, bound.grantId), undefined)
  assert.ok(await acts.grants.find(tenant, offline.grantId))
  const payload = { accountId: bound.user.id, clientId: 'late', openid: { scope: 'openid' } }
  const late = { id: '01890000-0000-7000-8000-000000000001', sessionId: bound.sessionId, payload, ttlSeconds: day }
  assert.equal(await acts.grants.save(tenant, late), false)
})

test('one saved while its session ends does not outlive it', async () => {
  for (let round = 0; round < 10; round++) {
    const { sessionId, user } = await allow(opened)
    const id = await acts.grants.ensure(tenant, { sessionId, clientId: 'race' })
    const payload = { accountId: user.id, clientId: 'race', openid: { scope: 'openid' } }
    await Promise.all([
      replicas[1]?.grants.save(tenant, { id, sessionId, payload, ttlSeconds: day }),
      revokePersonSessions(opened.deps, { tenant, userId: user.id, cause: 'revoked' }),
    ])
    const { rows } = await sql`select 1 from oidc_grants where session_id = ${sessionId} and end_time is null`.execute(opened.deps.db)
    assert.equal(rows.length, 0)
  }
})

test('the call of the user service ends offline grants that were given by then, and spares later ones', async () => {
  const before = await allow(opened, { offline: true })
  const openedUntil = new Date(opened.deps.now())
  opened.pass(2)
  const after = await allow(opened, { offline: true, user: before.user })
  const which = { tenant, userId: before.user.id, openedUntil, cause: 'revoked', withGrants: true } as const
  await revokePersonSessions(opened.deps, which)
  assert.equal(await acts.grants.find(tenant, before.grantId), undefined)
  assert.ok(await acts.grants.find(tenant, after.grantId))
})

test('a client that is deleted takes its grants along, in pieces, and clean-up ends what was left', async () => {
  const { clientId, grantId, user } = await allow(opened, { offline: true })
  const left = await allow(opened, { offline: true, clientId, user })
  await deleteClient(opened.deps, { tenant, clientId })
  assert.deepEqual([await acts.grants.find(tenant, grantId), await acts.grants.find(tenant, left.grantId)], [undefined, undefined])
  await sql`update oidc_grants set end_time = null where id = ${left.grantId}`.execute(opened.deps.db)
  await pruneOidc(opened.deps)
  assert.equal(await acts.grants.find(tenant, left.grantId), undefined)
})

test('grants of another tenant, person or client are left alone', async () => {
  const [one, other] = [await allow(opened, { offline: true }), await allow(opened, { offline: true })]
  await acts.grants.end('acme', { ids: [one.grantId] }, 'revoked')
  await acts.grants.end(tenant, { userId: one.user.id, clientId: other.clientId }, 'revoked')
  assert.ok(await acts.grants.find(tenant, one.grantId))
  await acts.grants.end(tenant, { userId: one.user.id }, 'revoked')
  assert.deepEqual([await acts.grants.find(tenant, one.grantId), Boolean(await acts.grants.find(tenant, other.grantId))], [undefined, true])
  assert.equal(await acts.grants.find('acme', other.grantId), undefined)
})

test('what a person answered is remembered over sessions, and added to', async () => {
  const { user, clientId } = await allow(opened)
  const of = { userId: user.id, clientId }
  assert.equal(await acts.grants.consent.find(tenant, of), undefined)
  await acts.grants.consent.remember(tenant, of, { scopes: ['openid', 'email'], claims: [], resources: { 'https://a.example': 'read' } })
  await acts.grants.consent.remember(tenant, of, { scopes: ['openid'], claims: ['name'], resources: { 'https://a.example': 'write' } })
  const { scopes, claims, resources } = (await acts.grants.consent.find(tenant, of)) ?? assert.fail()
  assert.deepEqual(
    { scopes, claims, resources },
    { scopes: ['openid', 'email'], claims: ['name'], resources: { 'https://a.example': 'read write' } },
  )
})

test('what has had its time is removed, and a session that goes on does not revive the id of a removed grant', async () => {
  const { about, grantId, sessionId, clientId } = await allow(opened)
  await acts.records.save(tenant, 'AccessToken', newId(), about, 60)
  await transact(opened.deps.db, (tx) => endGrants(tx, opened.deps, { tenant, ids: [grantId] }, { cause: 'revoked' }))
  await sql`update oidc_session_clients set grant_id = ${grantId} where session_id = ${sessionId}`.execute(opened.deps.db)
  opened.pass(8 * day)
  await pruneOidc(opened.deps)
  const left = async (table: string) =>
    (
      await sql`select 1 from ${sql.table(table)} where ${sql.ref(table === 'oidc_grants' ? 'id' : 'grant_id')} = ${grantId}`.execute(
        opened.deps.db,
      )
    ).rows.length
  assert.deepEqual([await left('oidc_grants'), await left('oidc_records'), await left('oidc_session_clients')], [0, 0, 0])
  assert.notEqual(await acts.grants.ensure(tenant, { sessionId, clientId }), grantId)
})
