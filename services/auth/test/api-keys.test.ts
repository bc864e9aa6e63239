import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { SubjectKind } from '@gatehouse/contracts/gatehouse/auth/v1/access_pb'
import { AccessService } from '@gatehouse/contracts/gatehouse/auth/v1/access_service_pb'
import { ServiceAccountService } from '@gatehouse/contracts/gatehouse/auth/v1/service_account_service_pb'
import { SessionService } from '@gatehouse/contracts/gatehouse/auth/v1/session_service_pb'
import { sql } from 'kysely'
import { accountOf, bearer, type Machines, openMachines, outcome, tryGrpc, tryWeb } from './machines-house.ts'
import { until } from './until.ts'

const scopes = ['auth.service_accounts.read']
const invalid = 'ACCESS_TOKEN_INVALID'

let house: Machines
before(async () => {
  house = await openMachines()
})
after(() => house[Symbol.asyncDispose]())

async function makeKey(options: object = {}) {
  const serviceAccountId = await accountOf(house)
  const { key, apiKey } = await house.accounts.createApiKey({ serviceAccountId, name: 'a key', scopes, ...options })
  return { serviceAccountId, key, id: apiKey?.id ?? '' }
}

/** What a key is answered at both doors of both replicas. */
async function everywhere(key: string): Promise<string[]> {
  const { story, replicas } = house
  return await Promise.all(replicas.flatMap((app) => [tryGrpc(story, app, key), tryWeb(app, key)]))
}

/** Waits until every door says this, and answers how long it took. */
async function untilEverywhere(key: string, expected: string): Promise<number> {
  const began = performance.now()
  await until(async () => (await everywhere(key)).every((each) => each === expected))
  return performance.now() - began
}

test('a key is good at both doors of every replica, for its scopes and no more', async () => {
  const { story } = house
  const { key } = await makeKey()
  assert.deepEqual(await everywhere(key), ['ok', 'ok', 'ok', 'ok'])
  const sessions = await story.grpc(SessionService, bearer(key))
  assert.equal(await outcome(sessions.revokeSessionsOfUser({ userId: crypto.randomUUID() })), 'PERMISSION_DENIED')
  assert.equal(await outcome(sessions.listSessions({})), 'PERMISSION_DENIED')
})

test('a scope gives only what the account’s roles give', async () => {
  const { accounts } = house
  const { serviceAccount } = await accounts.createServiceAccount({ name: 'no-role' })
  const { key } = await accounts.createApiKey({ serviceAccountId: serviceAccount?.id ?? '', name: 'x', scopes })
  assert.deepEqual(await everywhere(key), Array(4).fill('PERMISSION_DENIED'))
})

test('a role that an account is given, or loses, acts on its keys within a second, at both doors of both replicas', async () => {
  const { accounts, story, admin } = house
  const { serviceAccount } = await accounts.createServiceAccount({ name: 'role-of-a-while' })
  const id = serviceAccount?.id ?? ''
  const { key } = await accounts.createApiKey({ serviceAccountId: id, name: 'x', scopes })
  assert.deepEqual(await everywhere(key), Array(4).fill('PERMISSION_DENIED'))
  const access = await story.grpc(AccessService, bearer(admin))
  const { binding } = await access.createBinding({ role: 'administrator', subject: { kind: SubjectKind.SERVICE_ACCOUNT, id } })
  assert.ok((await untilEverywhere(key, 'ok')) < 1_000)
  await access.deleteBinding({ id: binding?.id ?? '' })
  assert.ok((await untilEverywhere(key, 'PERMISSION_DENIED')) < 1_000)
})

test('a key that is revoked in one replica is refused in the other within a second', async () => {
  const { accounts } = house
  const { key, id } = await makeKey()
  assert.deepEqual(await everywhere(key), ['ok', 'ok', 'ok', 'ok'])
  await accounts.revokeApiKey({ id })
  assert.ok((await untilEverywhere(key, invalid)) < 1_000)
  assert.equal(await outcome(accounts.revokeApiKey({ id })), 'ok')
  assert.equal(await outcome(accounts.rotateApiKey({ id })), 'API_KEY_NOT_FOUND')
})

test('keys of a disabled account are refused, those of an enabled one good again, those of a deleted one gone', async () => {
  const { accounts } = house
  const { key, serviceAccountId: id } = await makeKey()
  assert.deepEqual(await everywhere(key), ['ok', 'ok', 'ok', 'ok'])
  await accounts.disableServiceAccount({ id })
  assert.ok((await untilEverywhere(key, invalid)) < 1_000)
  await accounts.enableServiceAccount({ id })
  assert.ok((await untilEverywhere(key, 'ok')) < 1_000)
  await accounts.deleteServiceAccount({ id })
  assert.ok((await untilEverywhere(key, invalid)) < 1_000)
  assert.equal(await outcome(accounts.listApiKeys({ serviceAccountId: id })), 'SERVICE_ACCOUNT_NOT_FOUND')
  assert.equal(await outcome(accounts.deleteServiceAccount({ id })), 'ok')
})

test('a key ends by its time', async () => {
  const { key } = await makeKey({ lifetime: { seconds: 1n } })
  assert.deepEqual(await everywhere(key), ['ok', 'ok', 'ok', 'ok'])
  await until(async () => (await everywhere(key)).every((each) => each === invalid), 3_000)
})

test('a rotated key has a successor at once, and ends after the overlap', async () => {
  const { accounts } = house
  const { key, id, serviceAccountId } = await makeKey({ limitCount: 100, limitWindowSeconds: 3600 })
  assert.deepEqual(await everywhere(key), ['ok', 'ok', 'ok', 'ok'])
  const { key: next, apiKey, oldExpireTime } = await accounts.rotateApiKey({ id, overlap: { seconds: 1n } })
  assert.deepEqual(await everywhere(next), ['ok', 'ok', 'ok', 'ok'])
  assert.deepEqual([apiKey?.name, apiKey?.scopes, apiKey?.limit?.count], ['a key', scopes, 100])
  const { apiKeys } = await accounts.listApiKeys({ serviceAccountId })
  assert.deepEqual(
    apiKeys.map((each) => each.id),
    [id, apiKey?.id],
  )
  assert.deepEqual(apiKeys[0]?.expireTime, oldExpireTime)
  await until(async () => (await everywhere(key)).every((each) => each === invalid), 3_000)
  assert.deepEqual(await everywhere(next), ['ok', 'ok', 'ok', 'ok'])
})

test('nobody gives what they do not hold, not even to themselves or by a rotation', async () => {
  const { story, accounts } = house
  const { key, serviceAccountId } = await makeKey({ scopes: ['auth.api_keys.write', ...scopes] })
  const weak = await story.grpc(ServiceAccountService, bearer(key))
  const give = (wanted: string[]) => outcome(weak.createApiKey({ serviceAccountId, name: 'more', scopes: wanted }))
  assert.equal(await give(scopes), 'ok')
  assert.equal(await give(['auth.sessions.revoke']), 'SCOPE_NOT_HELD')
  assert.equal(await give(['nobody.knows.this']), 'SCOPE_UNKNOWN')
  const { apiKey: strong } = await accounts.createApiKey({ serviceAccountId, name: 'strong', scopes: ['auth.sessions.revoke'] })
  assert.equal(await outcome(weak.rotateApiKey({ id: strong?.id ?? '' })), 'SCOPE_NOT_HELD')
  assert.equal(await outcome(weak.createServiceAccount({ name: 'x' })), 'PERMISSION_DENIED')
})

test('a key belongs to its tenant, at both doors', async () => {
  const { story, adminOf } = house
  const { key, id, serviceAccountId } = await makeKey()
  assert.equal(await tryWeb(story.app, key, 'http://acme.localhost:8080'), 'WRONG_TENANT')
  const asBilling = await story.grpc(ServiceAccountService, { ...bearer(key), 'gatehouse-tenant': 'acme' }, 'billing')
  assert.equal(await outcome(asBilling.listServiceAccounts({})), 'WRONG_TENANT')
  const acme = await story.grpc(ServiceAccountService, bearer(await adminOf('acme')))
  assert.deepEqual(
    (await acme.listServiceAccounts({})).serviceAccounts.map(({ name }) => name),
    ['root'],
  )
  assert.equal(await outcome(acme.revokeApiKey({ id })), 'API_KEY_NOT_FOUND')
  assert.equal(await outcome(acme.listApiKeys({ serviceAccountId })), 'SERVICE_ACCOUNT_NOT_FOUND')
  assert.equal(await outcome(acme.createApiKey({ serviceAccountId, name: 'x', scopes })), 'SERVICE_ACCOUNT_NOT_FOUND')
  assert.equal(await outcome(acme.disableServiceAccount({ id: serviceAccountId })), 'SERVICE_ACCOUNT_NOT_FOUND')
  assert.equal(await tryWeb(story.app, key), 'ok')
})

test('a changed letter is refused at both doors', async () => {
  const { story, replicas } = house
  const { key } = await makeKey()
  const letterAfter = (letter: string) => (letter === 'a' ? 'b' : 'a')
  for (const place of [0, 8, 12, 30, 31, 50, 73, 74, 79]) {
    const changed = key.slice(0, place) + letterAfter(key[place] ?? '') + key.slice(place + 1)
    assert.equal(await tryWeb(replicas[0], changed), invalid, `${place}`)
    assert.equal(await tryGrpc(story, replicas[1], changed), invalid, `${place}`)
  }
  assert.equal(await tryWeb(replicas[0], key), 'ok')
})

test('a key calls as often as it may, counted over two replicas at once', async () => {
  const { story, replicas } = house
  const { key } = await makeKey({ limitCount: 30, limitWindowSeconds: 86_400 })
  const clients = await Promise.all(replicas.map((app) => story.grpc(ServiceAccountService, bearer(key), undefined, app)))
  const ends = await Promise.all(
    Array.from({ length: 100 }, (_, number) => outcome((clients[number % 2] ?? assert.fail()).listServiceAccounts({}))),
  )
  assert.equal(ends.filter((end) => end === 'ok').length, 30)
  assert.equal(ends.filter((end) => end === 'LIMIT_EXCEEDED').length, 70)
  assert.equal(await tryWeb(replicas[1], key), 'LIMIT_EXCEEDED')
})

test('the last use is noted to the minute', async () => {
  const { accounts } = house
  const { key, serviceAccountId } = await makeKey()
  const lastUse = async () => (await accounts.listApiKeys({ serviceAccountId })).apiKeys[0]?.lastUseTime
  assert.equal(await lastUse(), undefined)
  const before = Math.floor(Date.now() / 60_000) * 60
  await everywhere(key)
  const noted = Number((await lastUse())?.seconds)
  assert.ok(noted >= before && noted % 60 === 0 && noted * 1000 <= Date.now())
})

test('an account has a bounded number of keys, and a request id makes one account', async () => {
  const { accounts } = house
  const serviceAccountId = await accountOf(house)
  const make = () => outcome(accounts.createApiKey({ serviceAccountId, name: 'x', scopes }))
  const ends = await Promise.all(Array.from({ length: 25 }, make))
  assert.equal(ends.filter((end) => end === 'ok').length, 20)
  assert.equal(ends.filter((end) => end === 'API_KEYS_EXHAUSTED').length, 5)
  const requestId = crypto.randomUUID()
  const twice = [
    await accounts.createServiceAccount({ name: 'twice', requestId }),
    await accounts.createServiceAccount({ name: 'twice', requestId }),
  ]
  assert.equal(twice[0]?.serviceAccount?.id, twice[1]?.serviceAccount?.id)
  assert.equal(await outcome(accounts.createServiceAccount({ name: 'twice' })), 'SERVICE_ACCOUNT_EXISTS')
})

test('lists go by pages', async () => {
  const { accounts } = house
  const ids: string[] = []
  for (let pageToken = ''; ; ) {
    const page = await accounts.listServiceAccounts({ pageSize: 3, pageToken })
    ids.push(...page.serviceAccounts.map(({ id }) => id))
    pageToken = page.nextPageToken
    if (pageToken === '') break
  }
  const { serviceAccounts } = await accounts.listServiceAccounts({ pageSize: 200 })
  assert.deepEqual(
    ids,
    serviceAccounts.map(({ id }) => id),
  )
  assert.ok(ids.length > 6)
  assert.equal(await outcome(accounts.listServiceAccounts({ pageToken: 'AAAA' })), 'PAGE_TOKEN_INVALID')
})

test('a dump of the database yields no key', async () => {
  const { story } = house
  const { key } = await makeKey()
  await everywhere(key)
  const secret = key.slice(31, 74)
  const { rows } = await sql<{
    table_name: string
  }>`select table_name from information_schema.tables where table_schema = current_schema()`.execute(story.db)
  assert.ok(rows.some(({ table_name: name }) => name === 'api_keys'))
  for (const { table_name: name } of rows) {
    const { rows: found } =
      await sql`select 1 from ${sql.table(name)} t where t::text like ${`%${secret}%`} or t::text like ${'%gh_live_%'}`.execute(story.db)
    assert.equal(found.length, 0, name)
  }
})
