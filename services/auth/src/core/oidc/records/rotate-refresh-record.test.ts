import assert from 'node:assert/strict'
import { createHmac, type KeyObject } from 'node:crypto'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { type Allowed, allow, fifty, newId, tenant } from '../../../../test/oidc-scene.ts'
import { type OpenedDeps, openDeps } from '../../../../test/open-deps.ts'
import { insertRefreshKey } from '../../../store/refresh-keys.ts'
import { makeRefreshKey } from '../../keys/make-keys.ts'
import { revokePersonSessions } from '../../sessions/revoke-person-sessions.ts'
import { createOidcActs } from '../oidc-acts.ts'
import type { OidcActs } from '../oidc-parts.ts'

let opened: OpenedDeps
let acts: OidcActs
let replicas: readonly OidcActs[]
before(async () => {
  opened = await openDeps()
  acts = createOidcActs(opened.deps)
  replicas = [acts, createOidcActs(opened.replica())]
})
after(async () => opened[Symbol.asyncDispose]())

const month = 30 * 86_400
const successorOf = (token: string) => (secret: KeyObject) => createHmac('sha256', secret).update(token).digest('base64url')

async function issue({ about }: Allowed): Promise<string> {
  const token = newId()
  await acts.records.save(tenant, 'RefreshToken', token, about, month)
  return token
}

/** What the library's door does with a refresh token; answers the next one. */
async function refresh(from: OidcActs, token: string): Promise<string> {
  const found = await from.records.find(tenant, 'RefreshToken', token)
  if (found === undefined) return 'not found'
  if (found.consumed !== undefined) return 'used up'
  const rotated = await from.records.rotate(tenant, token, successorOf(token))
  if (typeof rotated === 'string') return rotated
  const { jti: _, consumed: __, ...about } = found
  const next = successorOf(token)(rotated.secret)
  await from.records.save(tenant, 'RefreshToken', next, about, month)
  return next
}

test('of fifty who refresh at once on two replicas everybody has the one successor', async () => {
  const allowed = await allow(opened)
  const token = await issue(allowed)
  const answers = new Set(await fifty(replicas, (each) => refresh(each, token)))
  assert.equal(answers.size, 1)
  const { rows } = await sql`select 1 from oidc_records where kind = 'RefreshToken' and grant_id = ${allowed.grantId}`.execute(
    opened.deps.db,
  )
  assert.equal(rows.length, 2)
  const [next = ''] = answers
  assert.match(await refresh(acts, next), /^.{43}$/)
})

test('a lost answer is given again for half a minute, and later it is a theft', async () => {
  const allowed = await allow(opened)
  const token = await issue(allowed)
  const next = await refresh(acts, token)
  opened.pass(29)
  assert.equal(await refresh(acts, token), next)
  opened.pass(2)
  assert.equal(await refresh(acts, token), 'used up')
  assert.equal(await acts.records.rotate(tenant, token, successorOf(token)), 'reused')
  assert.equal(await refresh(acts, next), 'not found')
  assert.equal(await acts.grants.find(tenant, allowed.grantId), undefined)
  assert.equal(await acts.records.rotate(tenant, token, successorOf(token)), 'gone')
})

test('once somebody has used the successor, whoever shows the first one ends the grant', async () => {
  const allowed = await allow(opened)
  const token = await issue(allowed)
  const next = await refresh(acts, token)
  const third = await refresh(acts, next)
  assert.equal(await acts.records.rotate(tenant, token, successorOf(token)), 'reused')
  assert.equal(await refresh(acts, third), 'not found')
  const { rows } = await sql<{ details: object }>`
    select details from audit_entries where kind = 'refresh_token_reuse' and subject_id = ${allowed.user.id}`.execute(opened.deps.db)
  assert.deepEqual(
    rows.map(({ details }) => details),
    [{ client: allowed.clientId, grant: allowed.grantId }],
  )
})

test('a repeat after a rotation of the refresh keys answers the same successor', async () => {
  const token = await issue(await allow(opened))
  const next = await refresh(acts, token)
  const key = makeRefreshKey(opened.deps.keys.encryptionKey, tenant, 2)
  await insertRefreshKey(opened.deps.db, { ...key, create_time: new Date(opened.deps.now()) })
  const fresh = createOidcActs(opened.replica())
  assert.equal(await refresh(fresh, token), next)
})

test('whoever died between the two steps is answered by a repeat', async () => {
  const token = await issue(await allow(opened))
  await acts.records.rotate(tenant, token, successorOf(token))
  assert.match(await refresh(acts, token), /^.{43}$/)
})

test('a token that is bound to the session ends with it, and an offline one goes on', async () => {
  const bound = await allow(opened)
  const offline = await allow(opened, { offline: true, user: bound.user })
  const tokens = [await issue(bound), await issue(offline)]
  await revokePersonSessions(opened.deps, { tenant, userId: bound.user.id, cause: 'revoked' })
  const [first = '', second = ''] = tokens
  assert.equal(await refresh(acts, first), 'not found')
  assert.equal(await acts.records.rotate(tenant, first, successorOf(first)), 'gone')
  assert.match(await refresh(acts, second), /^.{43}$/)
})

test('an expired token is not rotated', async () => {
  const token = await issue(await allow(opened, { offline: true }))
  opened.pass(month + 1)
  assert.equal(await acts.records.rotate(tenant, token, successorOf(token)), 'gone')
})
