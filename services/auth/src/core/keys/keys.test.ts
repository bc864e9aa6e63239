import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { decodeProtectedHeader } from 'jose'
import { type OpenedDeps, openDeps } from '../../../test/open-deps.ts'
import { createTenant } from '../tenants/create-tenant.ts'
import { listIssuers } from '../tenants/list-issuers.ts'
import { mintServiceAccountToken } from '../tokens/mint-token.ts'
import { createKeyRing } from './key-ring.ts'
import { reencryptKeys } from './reencrypt-keys.ts'
import { revokeKey } from './revoke-key.ts'
import { rotateKeys } from './rotate-keys.ts'

let opened: OpenedDeps
before(async () => {
  opened = await openDeps()
})
after(async () => opened[Symbol.asyncDispose]())

let counter = 0
async function freshTenant(): Promise<string> {
  const id = `keys-${++counter}`
  await createTenant(opened.deps, { id, origin: `http://${id}.localhost:8080` })
  return id
}

const kidsOf = async (tenant: string) => (await opened.deps.keys.publicKeys(tenant)).map((jwk) => jwk.kid)
const signingKid = async (tenant: string) => (await opened.deps.keys.signer(tenant)).kid

test('twenty replicas that meet a new tenant at once make one set of keys', async () => {
  const replicas = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? opened.deps : opened.replica()))
  const input = { id: 'crowd', origin: 'http://crowd.localhost:8080' }
  await Promise.all(replicas.map((deps) => createTenant(deps, input)))
  const kids = await Promise.all(replicas.map(async (deps) => (await deps.keys.signer('crowd')).kid))
  assert.equal(new Set(kids).size, 1)
  const secrets = await Promise.all(replicas.map(async (deps) => (await deps.keys.refreshKey('crowd')).secret))
  assert.equal(new Set(secrets.map((secret) => secret.export().toString('hex'))).size, 1)
})

test('keys lie encrypted in the database and public in the list', async () => {
  const tenant = await freshTenant()
  const rows = await opened.deps.db.selectFrom('signing_keys').selectAll().where('tenant', '=', tenant).execute()
  const secrets = await opened.deps.db.selectFrom('refresh_keys').selectAll().where('tenant', '=', tenant).execute()
  assert.equal(rows.length, 1)
  assert.ok(!Buffer.from(rows[0]?.private_key ?? []).includes('"d"'))
  const { secret } = await opened.deps.keys.refreshKey(tenant)
  assert.ok(!Buffer.from(secrets[0]?.secret ?? []).includes(secret.export()))
  const issuer = (await listIssuers(opened.deps)).find((each) => each.tenant === tenant)
  const jwk = JSON.parse(issuer?.jwks[0] ?? '{}')
  assert.deepEqual(Object.keys(jwk).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
})

test('a key is named in a way that no command reads as an option', async () => {
  for (const kid of await kidsOf(await freshTenant())) assert.match(String(kid), /^[0-9a-f]{24}$/)
})

test('a new key is published before it signs, and the old one for as long as an ID token may live', async () => {
  const tenant = await freshTenant()
  const old = await signingKid(tenant)
  const next = await rotateKeys(opened.deps, { tenant })
  assert.ok(next)
  assert.deepEqual(await kidsOf(tenant), [old, next])
  assert.equal(await signingKid(tenant), old)

  opened.pass(599)
  const { token } = await mintServiceAccountToken(opened.deps, { tenant, id: crypto.randomUUID(), name: 'x' })
  assert.equal(decodeProtectedHeader(token).kid, old)
  opened.pass(2)
  assert.equal(await signingKid(tenant), next)

  opened.pass(86_399)
  opened.deps.keys.forget(tenant)
  assert.deepEqual(await kidsOf(tenant), [old, next])
  opened.pass(120)
  opened.deps.keys.forget(tenant)
  assert.deepEqual(await kidsOf(tenant), [next])
})

test('rotations at once publish one key', async () => {
  const tenant = await freshTenant()
  const replicas = [opened.deps, opened.replica()]
  const kids = await Promise.all(Array.from({ length: 10 }, (_, i) => rotateKeys(replicas[i % 2] ?? opened.deps, { tenant })))
  assert.equal(kids.filter((kid) => kid !== undefined).length, 1)
  assert.equal((await kidsOf(tenant)).length, 2)
})

test('a young key is left alone by the scheduled rotation', async () => {
  const tenant = await freshTenant()
  const olderThanSeconds = 30 * 86_400
  assert.equal(await rotateKeys(opened.deps, { tenant, olderThanSeconds }), undefined)
  opened.pass(olderThanSeconds + 1)
  assert.ok(await rotateKeys(opened.deps, { tenant, olderThanSeconds }))
  assert.equal(await rotateKeys(opened.deps, { tenant, olderThanSeconds }), undefined)
})

test('a stolen key is dropped at once', async () => {
  const tenant = await freshTenant()
  const next = await rotateKeys(opened.deps, { tenant, immediately: true })
  assert.equal(await signingKid(tenant), next)
  assert.deepEqual(await kidsOf(tenant), [next])
})

test('keys that are forgotten while they are read are read again', async () => {
  const tenant = await freshTenant()
  const reads = Array.from({ length: 3 }, () => opened.deps.keys.signer(tenant))
  opened.deps.keys.forget(tenant)
  const kids = (await Promise.all(reads)).map((signer) => signer.kid)
  assert.equal(new Set(kids).size, 1)
})

test('whoever has another encryption key makes no key that auth could not open', async () => {
  const tenant = await freshTenant()
  const { db, now, lifetimes } = opened.deps
  const kid = await signingKid(tenant)
  const wrong = { db, now, lifetimes, keys: createKeyRing({ db, now, encryptionKey: Buffer.alloc(32, 71) }) }
  await assert.rejects(rotateKeys(wrong, { tenant }), { name: 'WrongEncryptionKey' })
  await assert.rejects(rotateKeys(wrong, { tenant, immediately: true }), { name: 'WrongEncryptionKey' })
  await assert.rejects(revokeKey(wrong, { tenant, kid, successor: true }), { name: 'WrongEncryptionKey' })
  opened.deps.keys.forget(tenant)
  assert.deepEqual(await kidsOf(tenant), [kid])
})

test('the only key that is to go on signing is revoked with a successor only', async () => {
  const tenant = await freshTenant()
  const kid = await signingKid(tenant)
  assert.deepEqual(await revokeKey(opened.deps, { tenant, kid, successor: false }), { outcome: 'only key' })
  assert.deepEqual(await kidsOf(tenant), [kid])
  const revoked = await revokeKey(opened.deps, { tenant, kid, successor: true })
  assert.ok(revoked.outcome === 'revoked')
  assert.deepEqual([await kidsOf(tenant), await signingKid(tenant)], [[revoked.signing], revoked.signing])
  assert.deepEqual(await revokeKey(opened.deps, { tenant, kid, successor: true }), { outcome: 'unknown' })
})

test('a key that is revoked while another waits for its time has that one sign at once', async () => {
  const tenant = await freshTenant()
  const old = await signingKid(tenant)
  const next = await rotateKeys(opened.deps, { tenant })
  assert.deepEqual(await revokeKey(opened.deps, { tenant, kid: old, successor: false }), {
    outcome: 'revoked',
    signing: next,
    alg: 'ES256',
  })
  assert.deepEqual([await kidsOf(tenant), await signingKid(tenant)], [[next], next])
})

test('revocations of one key at once make one successor', async () => {
  const tenant = await freshTenant()
  const kid = await signingKid(tenant)
  const replicas = [opened.deps, opened.replica()]
  const input = { tenant, kid, successor: true }
  const outcomes = await Promise.all(Array.from({ length: 8 }, (_, i) => revokeKey(replicas[i % 2] ?? opened.deps, input)))
  assert.equal(outcomes.filter(({ outcome }) => outcome === 'revoked').length, 1)
  assert.equal((await kidsOf(tenant)).length, 1)
})

/** What a call is answered, and what an operator is told. */
const isShut = (error: Error & { reason?: string }) =>
  error.reason === 'DEPENDENCY_UNAVAILABLE' && (error.cause as Error).name === 'WrongEncryptionKey'

// The last one: it leaves all keys closed by another key than that of the other tests.
test('the encryption key is replaced without a change of keys', async () => {
  const tenant = await freshTenant()
  const { db, now } = opened.deps
  const [before, encryptionKey] = [Buffer.alloc(32, 7), Buffer.alloc(32, 70)]
  const kid = await signingKid(tenant)
  const { secret } = await opened.deps.keys.refreshKey(tenant)

  await assert.rejects(createKeyRing({ db, now, encryptionKey }).signer(tenant), isShut)
  const keys = createKeyRing({ db, now, encryptionKey, previousEncryptionKey: before })
  assert.equal((await keys.signer(tenant)).kid, kid)
  const { count, shut } = await reencryptKeys({ db, keys, now })
  assert.ok(count >= 2)
  assert.deepEqual(shut, [])

  const after = createKeyRing({ db, now, encryptionKey })
  assert.equal((await after.signer(tenant)).kid, kid)
  assert.ok((await after.refreshKey(tenant)).secret.equals(secret))
  await assert.rejects(createKeyRing({ db, now, encryptionKey: before }).signer(tenant), isShut)
})
