import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createLocalJWKSet, decodeProtectedHeader, generateKeyPair, jwtVerify } from 'jose'
import { type OpenedDeps, openDeps } from '../../../test/open-deps.ts'
import { refresh, refusedWith, signSomebodyIn, somebody } from '../../../test/sign-somebody-in.ts'
import { insertRefreshKey, replaceSealedRefreshKey } from '../../store/refresh-keys.ts'
import { findSession } from '../../store/sessions.ts'
import { insertSigningKey, listSigningKeys, replaceSealedSigningKey, retireKey } from '../../store/signing-keys.ts'
import type { Deps } from '../deps.ts'
import { createTenant } from '../tenants/create-tenant.ts'
import { listIssuers } from '../tenants/list-issuers.ts'
import { mintServiceAccountToken } from '../tokens/mint-token.ts'
import { createKeyRing } from './key-ring.ts'
import { makeRefreshKey, makeSigningKey, placeOfRefreshKey, placeOfSigningKey } from './make-keys.ts'
import { reencryptKeys } from './reencrypt-keys.ts'
import { revokeKey } from './revoke-key.ts'
import { rotateKeys, rotateOldKeys } from './rotate-keys.ts'
import { seal } from './sealed-box.ts'

let opened: OpenedDeps
before(async () => {
  opened = await openDeps()
})
after(async () => opened[Symbol.asyncDispose]())

const elsewhere = Buffer.alloc(32, 71)
const away = refusedWith('DEPENDENCY_UNAVAILABLE')

let counter = 0
async function freshTenant(): Promise<string> {
  const id = `shut-${++counter}`
  await createTenant(opened.deps, { id, origin: `http://${id}.localhost:8080` })
  return id
}

const kidOf = async (tenant: string) => (await opened.deps.keys.signer(tenant)).kid
const minted = async (deps: Deps, tenant: string) =>
  (await mintServiceAccountToken(deps, { tenant, id: crypto.randomUUID(), name: 'x' })).token

/** A newer key that signs from now on, closed by an encryption key that we do not have. */
async function addForeignKey(tenant: string): Promise<string> {
  const { db, now, keys } = opened.deps
  const key = await makeSigningKey(elsewhere, tenant)
  const time = new Date(now())
  await insertSigningKey(db, { ...key, create_time: time, sign_time: time })
  keys.forget(tenant)
  return key.kid
}

async function damage(tenant: string, kid: string): Promise<void> {
  const [row] = (await listSigningKeys(opened.deps.db, tenant, new Date(0))).ES256.filter((each) => each.kid === kid)
  const box = Buffer.from(row?.private_key ?? [])
  box[box.length - 1] = (box.at(-1) ?? 0) ^ 1
  await replaceSealedSigningKey(opened.deps.db, { tenant, kid, alg: 'ES256' }, box)
  opened.deps.keys.forget(tenant)
}

test('a signing key that does not open leaves the signing to the newest that does, and its own tokens verify', async () => {
  const tenant = await freshTenant()
  const { db, now } = opened.deps
  const good = await kidOf(tenant)
  const shut = await addForeignKey(tenant)
  assert.equal(await kidOf(tenant), good)
  assert.deepEqual(
    (await opened.deps.keys.publicKeys(tenant)).map((jwk) => jwk.kid),
    [good, shut],
  )
  // A replica that has both encryption keys signs with the newer one.
  const keys = createKeyRing({ db, now, encryptionKey: elsewhere, previousEncryptionKey: Buffer.alloc(32, 7) })
  const token = await minted({ ...opened.deps, keys }, tenant)
  assert.equal(decodeProtectedHeader(token).kid, shut)
  const issuer = (await listIssuers(opened.deps)).find((each) => each.tenant === tenant)
  const jwks = createLocalJWKSet({ keys: issuer?.jwks.map((jwk) => JSON.parse(jwk)) ?? [] })
  await jwtVerify(token, jwks, { algorithms: ['ES256'], currentDate: new Date(now()) })
  await jwtVerify(await minted(opened.deps, tenant), jwks, { algorithms: ['ES256'], currentDate: new Date(now()) })
})

test('a damaged box, and one with another key than the published one, are shut too', async () => {
  const tenant = await freshTenant()
  const good = await kidOf(tenant)
  const { kid, ...rest } = await makeSigningKey(Buffer.alloc(32, 7), tenant)
  const time = new Date(opened.deps.now())
  await insertSigningKey(opened.deps.db, { ...rest, kid, create_time: time, sign_time: time })
  opened.deps.keys.forget(tenant)
  assert.equal(await kidOf(tenant), kid)
  await damage(tenant, kid)
  assert.equal(await kidOf(tenant), good)
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const other = Buffer.from(JSON.stringify(await crypto.subtle.exportKey('jwk', privateKey)))
  await replaceSealedSigningKey(
    opened.deps.db,
    { tenant, kid, alg: 'ES256' },
    seal(Buffer.alloc(32, 7), other, placeOfSigningKey(tenant, kid)),
  )
  opened.deps.keys.forget(tenant)
  assert.equal(await kidOf(tenant), good)
})

test('where no signing key opens nothing is signed, nobody makes another, and no refresh token is used up', async () => {
  const user = await somebody(opened)
  const { refreshToken } = await signSomebodyIn(opened.deps, user)
  const { db, now } = opened.deps
  const keys = createKeyRing({ db, now, encryptionKey: elsewhere })
  const stranger = { ...opened.deps, keys }
  await assert.rejects(minted(stranger, 'default'), away)
  await assert.rejects(signSomebodyIn(stranger, user), away)
  await assert.rejects(refresh(stranger, refreshToken), away)
  await assert.rejects(rotateKeys({ db, now, keys }, { tenant: 'default', immediately: true }), { name: 'WrongEncryptionKey' })
  opened.pass(31)
  assert.ok((await refresh(opened.deps, refreshToken)).refreshToken)
})

test('where the last key that opened was revoked and no next one may be made, nothing is signed', async () => {
  const tenant = await freshTenant()
  const { db, now } = opened.deps
  const keys = createKeyRing({ db, now, encryptionKey: Buffer.alloc(32, 7) })
  const { kid } = await keys.signer(tenant)
  await retireKey(db, { tenant, kid, alg: 'ES256' }, new Date(now() - 1))
  await replaceSealedRefreshKey(db, { tenant, version: 1 }, makeRefreshKey(elsewhere, tenant, 1).secret)
  keys.forget(tenant)
  await assert.rejects(keys.signer(tenant), away)
})

test('the next key is made when the one that opens is to leave, and other tenants do not wait for it', async () => {
  const [broken, tenant] = [await freshTenant(), await freshTenant()]
  for (const { kid } of (await listSigningKeys(opened.deps.db, broken, new Date(0))).ES256) await damage(broken, kid)
  await replaceSealedRefreshKey(opened.deps.db, { tenant: broken, version: 1 }, makeRefreshKey(elsewhere, broken, 1).secret)
  const next = await rotateKeys(opened.deps, { tenant })
  assert.ok(next)
  await damage(tenant, next)
  await rotateOldKeys(opened.deps, { olderThanSeconds: 30 * 86_400, signal: new AbortController().signal })
  const { ES256: keys } = await listSigningKeys(opened.deps.db, tenant, new Date(opened.deps.now()))
  assert.equal(keys.filter(({ retire_time }) => retire_time === null).length, 1)
  opened.pass(1300)
  opened.deps.keys.forget(tenant)
  assert.equal(await kidOf(tenant), keys.at(-1)?.kid)
  assert.ok((await opened.deps.keys.shut()).includes(placeOfRefreshKey(broken, 1)))
})

test('a key that does not open can be revoked, and is nobody’s successor', async () => {
  const tenant = await freshTenant()
  const good = await kidOf(tenant)
  const shut = await addForeignKey(tenant)
  assert.deepEqual(await revokeKey(opened.deps, { tenant, kid: good, successor: false }), { outcome: 'only key' })
  assert.deepEqual(await revokeKey(opened.deps, { tenant, kid: shut, successor: false }), {
    outcome: 'revoked',
    signing: good,
    alg: 'ES256',
  })
  assert.ok(!(await opened.deps.keys.shut()).some((place) => place.includes(shut)))
})

test('a refresh key that does not open leaves new tokens to the newest that does; a repeat of its own ends no session', async () => {
  const tenant = 'default'
  const { db, now, keys } = opened.deps
  const { refreshToken, session } = await signSomebodyIn(opened.deps, await somebody(opened))
  const [encryptionKey, secret] = [Buffer.alloc(32, 7), Buffer.alloc(32, 5)]
  await insertRefreshKey(db, {
    tenant,
    version: 2,
    create_time: new Date(now()),
    secret: seal(encryptionKey, secret, placeOfRefreshKey(tenant, 2)),
  })
  keys.forget(tenant)
  const second = await refresh(opened.deps, refreshToken)

  await replaceSealedRefreshKey(db, { tenant, version: 2 }, seal(elsewhere, secret, placeOfRefreshKey(tenant, 2)))
  keys.forget(tenant)
  assert.equal((await keys.refreshKey(tenant)).version, 1)
  await assert.rejects(refresh(opened.deps, refreshToken), away)
  opened.pass(31)
  await assert.rejects(refresh(opened.deps, refreshToken), away)
  const ended = async () => (await findSession(db, { tenant, id: session?.id ?? '' }))?.end_cause
  assert.equal(await ended(), null)
  const third = await refresh(opened.deps, second.refreshToken)
  assert.equal((await refresh(opened.deps, second.refreshToken)).refreshToken, third.refreshToken)

  // It opens again, and so does the eye for thieves.
  await replaceSealedRefreshKey(db, { tenant, version: 2 }, seal(encryptionKey, secret, placeOfRefreshKey(tenant, 2)))
  keys.forget(tenant)
  await assert.rejects(refresh(opened.deps, refreshToken), refusedWith('REFRESH_TOKEN_INVALID'))
  assert.equal(await ended(), 'token_reused')
})

test('what does not open is told once, and again when it opens', async () => {
  const tenant = await freshTenant()
  const { db, now } = opened.deps
  const lines: string[] = []
  const say = (fields: object, line?: string) => void lines.push(`${line} ${JSON.stringify(fields)}`)
  const keys = createKeyRing({ db, now, encryptionKey: Buffer.alloc(32, 7), log: { info: say, error: say } })
  const shut = await addForeignKey(tenant)
  for (let i = 0; i < 3; i++) {
    keys.forget(tenant)
    await keys.signer(tenant)
  }
  assert.deepEqual(await keys.shut(), [placeOfSigningKey(tenant, shut)])
  await revokeKey(opened.deps, { tenant, kid: shut, successor: false })
  keys.forget(tenant)
  assert.deepEqual(await keys.shut(), [])
  assert.equal(lines.length, 2)
  assert.match(lines[0] ?? '', new RegExp(`^keys do not open .*${shut}`))
  assert.match(lines[1] ?? '', /^all keys open again/)
})

// The last one: it changes the boxes of every tenant.
test('re-encryption goes past what does not open, and names it', async () => {
  const tenant = await freshTenant()
  const shut = await addForeignKey(tenant)
  const { db, now } = opened.deps
  const [encryptionKey, previousEncryptionKey] = [Buffer.alloc(32, 70), Buffer.alloc(32, 7)]
  const result = await reencryptKeys({ db, now, keys: createKeyRing({ db, now, encryptionKey, previousEncryptionKey }) })
  assert.ok(result.shut.includes(placeOfSigningKey(tenant, shut)))
  assert.ok((await createKeyRing({ db, now, encryptionKey }).refreshKey(tenant)).secret)
})
