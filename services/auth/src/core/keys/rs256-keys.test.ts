import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { after, before, test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { ClientOptionsSchema, type ClientSettings } from '@gatehouse/contracts/gatehouse/auth/v1/client_pb'
import { settingsOf } from '../../../test/oidc-scene.ts'
import { type OpenedDeps, openDeps } from '../../../test/open-deps.ts'
import { insertSigningKey, listSigningKeys, type SigningKeyRow } from '../../store/signing-keys.ts'
import type { Deps } from '../deps.ts'
import { createClient } from '../oidc/clients/create-client.ts'
import { clientEtag, updateClient } from '../oidc/clients/update-client.ts'
import { cleanUp } from '../sessions/clean-up.ts'
import { createTenant } from '../tenants/create-tenant.ts'
import { listIssuers } from '../tenants/list-issuers.ts'
import { ensureRs256Key } from './ensure-keys.ts'
import { judgeKeys } from './judge-keys.ts'
import { createKeyRing } from './key-ring.ts'
import { makeSigningKey, placeOfSigningKey } from './make-keys.ts'
import { reencryptKeys } from './reencrypt-keys.ts'
import { revokeKey } from './revoke-key.ts'
import { rotateKeys, rotateOldKeys } from './rotate-keys.ts'
import { seal, unseal } from './sealed-box.ts'

const [encryptionKey, elsewhere] = [Buffer.alloc(32, 7), Buffer.alloc(32, 71)]
const day = 86_400

let opened: OpenedDeps
/** To make one takes most of a second: tests have it under names of their own. */
let made: Awaited<ReturnType<typeof makeSigningKey>>
before(async () => {
  ;[opened, made] = await Promise.all([openDeps(), makeSigningKey(encryptionKey, 'maker', 'RS256')])
})
after(async () => opened[Symbol.asyncDispose]())

let counter = 0
async function freshTenant(): Promise<string> {
  const id = `rs256-${++counter}`
  await createTenant(opened.deps, { id, origin: `http://${id}.localhost:8080` })
  return id
}

/** A key that signs from now on, closed by whichever encryption key. */
async function addKey(tenant: string, closedBy: Uint8Array = encryptionKey): Promise<string> {
  const { db, now, keys } = opened.deps
  const kid = (++counter).toString(16).padStart(24, '0')
  const secret = unseal([encryptionKey], made.private_key, placeOfSigningKey('maker', made.kid, 'RS256'))
  const box = seal(closedBy, secret, placeOfSigningKey(tenant, kid, 'RS256'))
  const published = JSON.stringify({ ...JSON.parse(made.public_jwk), kid })
  const time = new Date(now())
  await insertSigningKey(db, { tenant, kid, alg: 'RS256', public_jwk: published, private_key: box, create_time: time, sign_time: time })
  keys.forget(tenant)
  return kid
}

const rows = async (tenant: string): Promise<readonly SigningKeyRow[]> =>
  (await listSigningKeys(opened.deps.db, tenant, new Date(opened.deps.now()))).RS256
const publishedKids = async (tenant: string) =>
  (await opened.deps.keys.publicKeys(tenant)).filter(({ alg }) => alg === 'RS256').map(({ kid }) => kid)
/** The one that signs first. */
const kidsInOrder = async (tenant: string) =>
  (await opened.deps.keys.oidcKeys(tenant)).jwks.filter(({ alg }) => alg === 'RS256').map(({ kid }) => kid)

const asking: ClientSettings = settingsOf({ options: create(ClientOptionsSchema, { rs256: true }) })

test('the first clients that ask for RS256, at once on two replicas, have one key made; no other client has', async () => {
  const tenant = await freshTenant()
  const replicas: Deps[] = [opened.deps, opened.replica()]
  await createClient(opened.deps, { tenant, clientId: 'plain', settings: settingsOf() })
  assert.deepEqual(await rows(tenant), [])
  const before = (await opened.deps.keys.publicKeys(tenant)).length
  await Promise.all(
    Array.from({ length: 6 }, (_, at) =>
      createClient(replicas[at % 2] ?? opened.deps, { tenant, clientId: `app-${at}`, settings: asking }),
    ),
  )
  const [row, ...others] = await rows(tenant)
  assert.deepEqual(others, [])
  assert.match(row?.kid ?? '', /^[0-9a-f]{24}$/)
  assert.ok(!Buffer.from(row?.private_key ?? []).includes('"d"'))

  const published = await opened.deps.keys.publicKeys(tenant)
  assert.deepEqual([published.length, published.at(-1)?.kid], [before + 1, row?.kid])
  const jwk = published.at(-1) ?? {}
  assert.deepEqual(Object.keys(jwk).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use'])
  assert.equal(createPublicKey({ key: jwk, format: 'jwk' }).asymmetricKeyDetails?.modulusLength, 3072)
  const issuer = (await listIssuers(opened.deps)).find((each) => each.tenant === tenant)
  assert.deepEqual(
    issuer?.jwks.map((text) => JSON.parse(text).alg),
    ['ES256'],
    'our verifiers are not told of it',
  )
  const { jwks } = await opened.deps.keys.oidcKeys(tenant)
  assert.deepEqual(
    jwks.map(({ alg }) => alg),
    ['ES256', 'RS256'],
  )
  assert.equal((await opened.deps.keys.signer(tenant)).kid, jwks[0]?.kid)
})

test('a client that asks for it later has it made, and whoever has another encryption key makes none', async () => {
  const tenant = await freshTenant()
  const { client } = await createClient(opened.deps, { tenant, clientId: 'app', settings: settingsOf() })
  const { db, now } = opened.deps
  const wrong = { ...opened.deps, keys: createKeyRing({ db, now, encryptionKey: elsewhere }) }
  const change = { tenant, clientId: 'app', settings: asking, etag: clientEtag(client.row) }
  await assert.rejects(updateClient(wrong, change), { name: 'WrongEncryptionKey' })
  assert.deepEqual(await rows(tenant), [])
  // What another client had made is enough.
  const kid = await addKey(tenant)
  const row = await updateClient(opened.deps, change)
  assert.equal(row.row.metadata.id_token_signed_response_alg, 'RS256')
  assert.deepEqual(await kidsInOrder(tenant), [kid])
  // What an operator does who lost the encryption key.
  await opened.deps.db.deleteFrom('oidc_signing_keys').where('tenant', '=', tenant).execute()
  await updateClient(opened.deps, change)
  const [again, ...others] = await kidsInOrder(tenant)
  assert.ok(again !== undefined && again !== kid && others.length === 0)
})

test('the next one is published before it signs, and the old one until the longest ID token has ended', async () => {
  const tenant = await freshTenant()
  assert.equal(await rotateKeys(opened.deps, { tenant, alg: 'RS256', immediately: true }), undefined, 'nobody asked for any')
  const old = await addKey(tenant)
  const signer = (await opened.deps.keys.signer(tenant)).kid
  const signal = new AbortController().signal
  await rotateOldKeys(opened.deps, { olderThanSeconds: 30 * day, signal })
  assert.deepEqual(await kidsInOrder(tenant), [old], 'it is young')

  const next = await rotateKeys(opened.deps, { tenant, alg: 'RS256' })
  assert.ok(next)
  assert.equal(await rotateKeys(opened.deps, { tenant, alg: 'RS256' }), undefined)
  assert.deepEqual(
    [await publishedKids(tenant), await kidsInOrder(tenant)],
    [
      [old, next],
      [old, next],
    ],
  )
  assert.equal((await opened.deps.keys.signer(tenant)).kid, signer)
  opened.pass(601)
  assert.deepEqual(await kidsInOrder(tenant), [next, old])
  opened.pass(day)
  opened.deps.keys.forget(tenant)
  assert.deepEqual(await kidsInOrder(tenant), [next, old])
  opened.pass(120)
  opened.deps.keys.forget(tenant)
  assert.deepEqual([await publishedKids(tenant), await kidsInOrder(tenant)], [[next], [next]])

  opened.pass(2 * day)
  const kept = () => opened.deps.db.selectFrom('oidc_signing_keys').select('kid').where('tenant', '=', tenant).execute()
  assert.equal((await kept()).length, 2)
  await cleanUp(opened.deps)
  assert.deepEqual(await kept(), [{ kid: next }])
})

test('one that is revoked leaves at once: another signs, and the only one goes with a successor', async () => {
  const tenant = await freshTenant()
  const [first, second] = [await addKey(tenant), await addKey(tenant)]
  const [es256] = await opened.deps.keys.publicKeys(tenant)
  assert.deepEqual(await revokeKey(opened.deps, { tenant, kid: second, successor: false }), {
    outcome: 'revoked',
    signing: first,
    alg: 'RS256',
  })
  assert.deepEqual(await publishedKids(tenant), [first])
  assert.deepEqual(await revokeKey(opened.deps, { tenant, kid: first, successor: false }), { outcome: 'only key' })
  const revoked = await revokeKey(opened.deps, { tenant, kid: first, successor: true })
  assert.ok(revoked.outcome === 'revoked')
  assert.deepEqual([await publishedKids(tenant), await kidsInOrder(tenant)], [[revoked.signing], [revoked.signing]])
  assert.deepEqual((await opened.deps.keys.publicKeys(tenant))[0], es256, 'those of the other kind stay')
})

test('one that does not open is told, leaves the signing to one that does, and keeps nobody else from signing', async () => {
  const tenant = await freshTenant()
  const shut = await addKey(tenant, elsewhere)
  assert.deepEqual(await kidsInOrder(tenant), [])
  assert.deepEqual(await publishedKids(tenant), [shut], 'what it signed verifies')
  assert.ok((await opened.deps.keys.signer(tenant)).kid)
  const judged = async () =>
    (await judgeKeys(opened.deps.db, [encryptionKey], new Date(opened.deps.now()))).find((each) => each.tenant === tenant)
  const place = placeOfSigningKey(tenant, shut, 'RS256')
  const { shutSigning, signs, signsRs256 } = (await judged()) ?? assert.fail()
  assert.deepEqual([shutSigning.map((each) => each.place), signs, signsRs256], [[place], true, false])
  assert.ok((await opened.deps.keys.shut()).includes(place))

  // Nobody makes another beside it: with the right encryption key it opens.
  await opened.deps.db.transaction().execute((tx) => ensureRs256Key(tx, opened.deps.keys, tenant, opened.deps.now()))
  assert.equal((await rows(tenant)).length, 1)
  const good = await addKey(tenant)
  assert.deepEqual(await kidsInOrder(tenant), [good])
  assert.equal((await judged())?.signsRs256, true)
  assert.deepEqual(await revokeKey(opened.deps, { tenant, kid: good, successor: false }), { outcome: 'only key' })
  assert.equal((await revokeKey(opened.deps, { tenant, kid: shut, successor: false })).outcome, 'revoked')
  assert.ok(!(await opened.deps.keys.shut()).includes(place))
})

test('a box that was moved, or has another key than the published one, is shut', async () => {
  const tenant = await freshTenant()
  const { db, keys } = opened.deps
  const [first, second] = [await addKey(tenant), await addKey(tenant)]
  const boxOf = async (kid: string) => (await rows(tenant)).find((each) => each.kid === kid)?.private_key ?? assert.fail()
  await db
    .updateTable('oidc_signing_keys')
    .set({ private_key: await boxOf(first) })
    .where('kid', '=', second)
    .execute()
  keys.forget(tenant)
  assert.deepEqual(await kidsInOrder(tenant), [first])
  const secret = unseal([encryptionKey], await boxOf(first), placeOfSigningKey(tenant, first, 'RS256'))
  const other = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(secret).toString()), n: 'AQAB' }))
  const box = seal(encryptionKey, other, placeOfSigningKey(tenant, first, 'RS256'))
  await db.updateTable('oidc_signing_keys').set({ private_key: box }).where('kid', '=', first).execute()
  keys.forget(tenant)
  assert.deepEqual(await kidsInOrder(tenant), [])
})

// The last one: it changes the boxes of every tenant.
test('it goes along when the encryption key is replaced', async () => {
  const tenant = await freshTenant()
  const kid = await addKey(tenant)
  const { db, now } = opened.deps
  const next = Buffer.alloc(32, 70)
  const ring = (options: object) => createKeyRing({ db, now, encryptionKey: next, ...options })
  const lone = await ring({})
    .oidcKeys(tenant)
    .catch((error: { reason?: string }) => error.reason)
  assert.equal(lone, 'DEPENDENCY_UNAVAILABLE')
  await reencryptKeys({ db, now, keys: ring({ previousEncryptionKey: encryptionKey }) })
  assert.ok((await ring({}).oidcKeys(tenant)).jwks.some((jwk) => jwk.kid === kid))
})
