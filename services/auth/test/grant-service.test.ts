import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { GrantService } from '@gatehouse/contracts/gatehouse/auth/v1/grant_service_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { sql } from 'kysely'
import type { Deps } from '../src/core/deps.ts'
import { findConsent } from '../src/core/oidc/grants/consents.ts'
import { ensureGrant, findGrant } from '../src/core/oidc/grants/find-grant.ts'
import { saveGrant } from '../src/core/oidc/grants/save-grant.ts'
import { createHashPool } from '../src/core/passwords/hash-pool.ts'
import { insertCredential } from '../src/store/credentials.ts'
import { openBrowser } from './browser.ts'
import { accountOf, bearer, type Machines, openMachines, outcome } from './machines-house.ts'
import { someClient } from './oidc-scene.ts'

const password = 'correct horse battery'
const tenant = 'default'

let house: Machines
let deps: Deps
let passwordHash: string
before(async () => {
  passwordHash = await createHashPool().hash(password)
  house = await openMachines({ alone: true })
  deps = { ...house.deps, committed() {} } as unknown as Deps
})
after(() => house[Symbol.asyncDispose]())

const grantsAs = async (token?: string) => await house.story.grpc(GrantService, token === undefined ? {} : bearer(token))

/** Somebody who is signed in once, or more often. */
async function somebody(signIns = 1) {
  const user = house.story.people.add(tenant, { email: `${randomUUID()}@example.com` })
  await insertCredential(house.story.db, { tenant, userId: user.id, passwordHash, time: new Date() })
  const sessions = await house.story.grpc(SessionService)
  const opened = []
  for (let each = 0; each < signIns; each++) {
    const { result } = await sessions.signIn({ email: user.email, password })
    opened.push(result.case === 'signedIn' ? result.value : assert.fail())
  }
  const accessToken = opened[0]?.accessToken ?? ''
  return { userId: user.id, accessToken, sessionIds: opened.map(({ session }) => session?.id ?? ''), grants: await grantsAs(accessToken) }
}

interface Given {
  readonly clientId: string
  readonly sessionId: string
  readonly userId: string
  readonly scope: string
  readonly resources?: Readonly<Record<string, string>>
  readonly rejected?: string
}

/** As somebody who was asked, and answered. */
async function allow({ clientId, sessionId, userId, scope, resources = {}, rejected }: Given): Promise<string> {
  const id = await ensureGrant(deps, { tenant, sessionId, clientId })
  const payload = {
    accountId: userId,
    clientId,
    openid: { scope: rejected === undefined ? scope : `${scope} ${rejected}` },
    resources,
    ...(rejected !== undefined && { rejected: { openid: { scope: rejected } } }),
  }
  const consent = { scopes: scope.split(' '), claims: [], resources }
  assert.ok(await saveGrant(deps, { tenant, id, sessionId, payload, consent, ttlSeconds: 3_600 }))
  return id
}

test('a person sees each client once, with what all of their sessions let it do', async () => {
  const { userId, sessionIds, grants } = await somebody(2)
  const { clientId } = await someClient(deps, { name: 'Grafana' })
  const [first = '', second = ''] = sessionIds
  await allow({
    clientId,
    userId,
    sessionId: first,
    scope: 'openid email',
    rejected: 'groups',
    resources: { 'https://api.example': 'read' },
  })
  await allow({ clientId, userId, sessionId: second, scope: 'openid offline_access', resources: { 'https://api.example': 'write' } })
  const { grants: listed } = await grants.listGrants({})
  const [grant] = listed
  assert.equal(listed.length, 1)
  assert.deepEqual([grant?.clientId, grant?.clientName, grant?.firstParty, grant?.offline], [clientId, 'Grafana', false, true])
  assert.deepEqual(grant?.scopes.toSorted(), ['email', 'offline_access', 'openid'])
  assert.deepEqual(
    grant?.resources.map(({ resource, scopes }) => [resource, scopes.toSorted()]),
    [['https://api.example', ['read', 'write']]],
  )
  assert.ok(grant?.createTime && grant.lastUseTime && grant.expireTime)
  assert.deepEqual((await (await somebody()).grants.listGrants({})).grants, [])
})

test('what ended with a session is remembered as an answer, and as nothing that goes on', async () => {
  const { userId, sessionIds, accessToken, grants } = await somebody(2)
  const { clientId } = await someClient(deps)
  const [, sessionId = ''] = sessionIds
  await allow({ clientId, userId, sessionId, scope: 'openid email' })
  assert.notEqual((await grants.listGrants({})).grants[0]?.expireTime, undefined)
  await (await house.story.grpc(SessionService, bearer(accessToken))).revokeSession({ sessionId })
  const { grants: listed } = await grants.listGrants({})
  assert.deepEqual(
    listed.map(({ lastUseTime, expireTime, offline, scopes }) => [lastUseTime, expireTime, offline, scopes]),
    [[undefined, undefined, false, ['openid', 'email']]],
  )
})

test('clients are listed page by page, and a place in somebody else’s list is none', async () => {
  const { userId, sessionIds, grants } = await somebody()
  const [sessionId = ''] = sessionIds
  const ids: string[] = []
  for (let each = 0; each < 3; each++) ids.push((await someClient(deps)).clientId)
  for (const clientId of ids) await allow({ clientId, userId, sessionId, scope: 'openid' })
  const first = await grants.listGrants({ pageSize: 2 })
  const second = await grants.listGrants({ pageSize: 2, pageToken: first.nextPageToken })
  assert.deepEqual([first.grants.length, second.grants.length, second.nextPageToken], [2, 1, ''])
  assert.deepEqual(new Set([...first.grants, ...second.grants].map(({ clientId }) => clientId)), new Set(ids))
  const { grants: others } = await somebody()
  assert.equal(await outcome(others.listGrants({ pageToken: first.nextPageToken })), 'PAGE_TOKEN_INVALID')
})

test('a person takes back what a client may, in every session, and is asked again; the same again does nothing more', async () => {
  const { userId, sessionIds, grants } = await somebody(2)
  const [first = '', second = ''] = sessionIds
  const [mine, kept] = [await someClient(deps), await someClient(deps)]
  const bound = await allow({ clientId: mine.clientId, userId, sessionId: first, scope: 'openid' })
  const offline = await allow({ clientId: mine.clientId, userId, sessionId: second, scope: 'openid offline_access' })
  const other = await allow({ clientId: kept.clientId, userId, sessionId: first, scope: 'openid' })
  const stranger = await somebody()
  assert.equal(await outcome(stranger.grants.revokeGrant({ clientId: mine.clientId })), 'ok')
  assert.notEqual(await findGrant(deps, { tenant, id: bound }), undefined)

  for (let each = 0; each < 2; each++) await grants.revokeGrant({ clientId: mine.clientId })
  for (const id of [bound, offline]) assert.equal(await findGrant(deps, { tenant, id }), undefined)
  assert.notEqual(await findGrant(deps, { tenant, id: other }), undefined)
  assert.equal(await findConsent(deps, { tenant, userId, clientId: mine.clientId }), undefined)
  assert.notEqual(await findConsent(deps, { tenant, userId, clientId: kept.clientId }), undefined)
  assert.deepEqual(
    (await grants.listGrants({})).grants.map(({ clientId }) => clientId),
    [kept.clientId],
  )
  assert.equal(await outcome(grants.revokeGrant({ clientId: 'never-heard-of' })), 'ok')

  const { db } = house.story
  const { rows: told } = await sql<{ key: string }>`
    select key from outbox where type = 'gatehouse.auth.v1.GrantChanged' and key in (${bound}, ${offline}) and version = 2`.execute(db)
  assert.deepEqual(told.map(({ key }) => key).sort(), [bound, offline].sort())
  const { rows: revoked } = await sql`select 1 from revocations where session_id = any(${[bound, offline]}::uuid[])`.execute(db)
  assert.equal(revoked.length, 2)
  const { rows: audited } = await sql<{ kind: string; actor_id: string; subject_id: string }>`
    select kind, actor_id, subject_id from audit_entries where subject_id = ${userId} and kind in ('grant_end', 'consent_forget') order by kind`.execute(
    db,
  )
  const by = { actor_id: userId, subject_id: userId }
  assert.deepEqual(audited, [
    { kind: 'consent_forget', ...by },
    { kind: 'grant_end', ...by },
    { kind: 'grant_end', ...by },
  ])
})

test('who may end other people’s sessions takes back what they allowed; nobody else does', async () => {
  const { userId, sessionIds, grants } = await somebody()
  const [sessionId = ''] = sessionIds
  const [one, two] = [await someClient(deps), await someClient(deps)]
  for (const { clientId } of [one, two]) await allow({ clientId, userId, sessionId, scope: 'openid offline_access' })
  const serviceAccountId = await accountOf(house)
  const keyOf = async (permission: string) =>
    (await house.accounts.createApiKey({ serviceAccountId, name: permission, scopes: [permission] })).key
  const unrelated = await grantsAs(await keyOf('auth.clients.read'))
  assert.equal(await outcome(unrelated.revokeGrantsOfUser({ userId })), 'PERMISSION_DENIED')
  assert.equal(await outcome(grants.revokeGrantsOfUser({ userId })), 'PERMISSION_DENIED')
  assert.equal(await outcome((await grantsAs()).revokeGrantsOfUser({ userId })), 'CREDENTIALS_MISSING')
  assert.equal(await outcome((await grantsAs()).listGrants({})), 'CREDENTIALS_MISSING')
  assert.equal(await outcome(unrelated.listGrants({})), 'PERMISSION_DENIED')

  const administrator = await grantsAs(await keyOf('auth.sessions.revoke'))
  assert.equal((await administrator.revokeGrantsOfUser({ userId, clientId: one.clientId })).revokedCount, 1)
  assert.equal((await administrator.revokeGrantsOfUser({ userId })).revokedCount, 1)
  assert.equal((await administrator.revokeGrantsOfUser({ userId })).revokedCount, 0)
  assert.deepEqual((await grants.listGrants({})).grants, [])
})

test('both doors and REST answer alike', async () => {
  const { userId, sessionIds, accessToken } = await somebody()
  const { clientId } = await someClient(deps)
  await allow({ clientId, userId, sessionId: sessionIds[0] ?? '', scope: 'openid' })
  const page = openBrowser(house.story.app.ports.web)
  const web = await page.call('GrantService/ListGrants', {}, bearer(accessToken))
  const rest = await page.rest('GET', '/api/grants', undefined, bearer(accessToken))
  assert.deepEqual([web.status, rest.status], [200, 200])
  const named = (body: Record<string, unknown>) => JSON.stringify(body).includes(clientId)
  assert.deepEqual([named(web.body), named(rest.body)], [true, true])
  assert.equal((await page.rest('DELETE', `/api/grants/${clientId}`, undefined, bearer(accessToken))).status, 200)
  assert.equal(named((await page.call('GrantService/ListGrants', {}, bearer(accessToken))).body), false)
})
