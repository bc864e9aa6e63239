import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { importJWK, SignJWT } from 'jose'
import { createWorkloadKey, createWorkloadSigner, createWorkloadVerifier, TokenInvalid } from './index.ts'

async function keyring(...names: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'workload-'))
  const keys = await Promise.all(names.map(createWorkloadKey))
  const jwksFile = join(folder, 'jwks.json')
  writeFileSync(jwksFile, JSON.stringify({ keys: keys.map((key) => key.publicJwk) }))
  for (const [i, name] of names.entries()) writeFileSync(join(folder, `${name}.json`), JSON.stringify(keys[i]?.privateJwk))
  return {
    jwksFile,
    keys,
    keyFile: (name: string) => join(folder, `${name}.json`),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
}

test('a workload proves its name to the peer it calls, and to nobody else', async () => {
  using ring = await keyring('user', 'auth')
  const signer = await createWorkloadSigner(ring.keyFile('user'))
  const token = await signer.tokenFor('auth')
  assert.equal(await createWorkloadVerifier({ self: 'auth', jwksFile: ring.jwksFile }).verify(token), 'user')
  await assert.rejects(createWorkloadVerifier({ self: 'notification', jwksFile: ring.jwksFile }).verify(token), TokenInvalid)
  assert.equal(await signer.tokenFor('auth'), token)
})

test('a key proves the name that the key set gives it, whatever the token says', async () => {
  using ring = await keyring('user', 'auth')
  writeFileSync(ring.keyFile('user'), JSON.stringify({ ...ring.keys[0]?.privateJwk, workload: 'auth' }))
  const token = await (await createWorkloadSigner(ring.keyFile('user'))).tokenFor('auth')
  await assert.rejects(createWorkloadVerifier({ self: 'auth', jwksFile: ring.jwksFile }).verify(token), TokenInvalid)
})

test('a token ends after a minute, remembered or not', async () => {
  using ring = await keyring('user')
  const clock = { now: Date.now() }
  const verifier = createWorkloadVerifier({ self: 'auth', jwksFile: ring.jwksFile, now: () => clock.now })
  const token = await (await createWorkloadSigner(ring.keyFile('user'))).tokenFor('auth')
  assert.equal(verifier.known?.(token), undefined)
  assert.equal(await verifier.verify(token), 'user')
  assert.equal(verifier.known?.(token), 'user')
  clock.now += 70_000
  assert.equal(verifier.known?.(token), undefined)
  await assert.rejects(verifier.verify(token), TokenInvalid)
})

test('a signer dates its tokens by its clock, and anew when that is put right by an hour, either way', async () => {
  using ring = await keyring('user')
  const verifier = createWorkloadVerifier({ self: 'auth', jwksFile: ring.jwksFile })
  const clock = { offset: 3_600_000 }
  const signer = await createWorkloadSigner(ring.keyFile('user'), () => Date.now() + clock.offset)
  for (const wrong of [3_600_000, -3_600_000]) {
    clock.offset = wrong
    await assert.rejects(verifier.verify(await signer.tokenFor('auth')), TokenInvalid)
    clock.offset = 0
    assert.equal(await verifier.verify(await signer.tokenFor('auth')), 'user')
  }
})

test('a token that says it lives for longer than a minute is refused', async () => {
  using ring = await keyring('user')
  const verifier = createWorkloadVerifier({ self: 'auth', jwksFile: ring.jwksFile })
  const jwk = ring.keys[0]?.privateJwk
  assert.ok(jwk)
  const key = await importJWK(jwk, 'ES256')
  const tokenFor = (time: string) =>
    new SignJWT()
      .setProtectedHeader({ alg: 'ES256', typ: 'gatehouse-workload+jwt', kid: jwk.kid ?? '' })
      .setIssuer('gatehouse-workload')
      .setSubject('user')
      .setAudience('auth')
      .setJti('j1')
      .setIssuedAt()
      .setExpirationTime(time)
      .sign(key)
  assert.equal(await verifier.verify(await tokenFor('60s')), 'user')
  await assert.rejects(verifier.verify(await tokenFor('10y')), TokenInvalid)
  await assert.rejects(verifier.verify(await tokenFor('90s')), TokenInvalid)
})

test('a key that is taken away proves nothing more, and one that is added does at once', async () => {
  using ring = await keyring('user', 'auth')
  const verifier = createWorkloadVerifier({ self: 'auth', jwksFile: ring.jwksFile, intervalMs: 0 })
  const token = await (await createWorkloadSigner(ring.keyFile('user'))).tokenFor('auth')
  assert.equal(await verifier.verify(token), 'user')
  const added = await createWorkloadKey('notification')
  writeFileSync(ring.jwksFile, JSON.stringify({ keys: [added.publicJwk] }))
  await assert.rejects(verifier.verify(token), TokenInvalid)
  writeFileSync(ring.keyFile('user'), JSON.stringify(added.privateJwk))
  assert.equal(await verifier.verify(await (await createWorkloadSigner(ring.keyFile('user'))).tokenFor('auth')), 'notification')
})

test('a set of keys that is being written changes nothing', async () => {
  using ring = await keyring('user')
  const verifier = createWorkloadVerifier({ self: 'auth', jwksFile: ring.jwksFile, intervalMs: 0 })
  const token = await (await createWorkloadSigner(ring.keyFile('user'))).tokenFor('auth')
  writeFileSync(ring.jwksFile, '{"keys":[')
  assert.equal(await verifier.verify(token), 'user')
})

test('forged and foreign tokens are refused', async () => {
  using ring = await keyring('user')
  using foreign = await keyring('user')
  const verifier = createWorkloadVerifier({ self: 'auth', jwksFile: ring.jwksFile })
  await assert.rejects(verifier.verify(await (await createWorkloadSigner(foreign.keyFile('user'))).tokenFor('auth')), TokenInvalid)
  for (const text of ['', 'x', 'a.b.c', 'x'.repeat(5000)]) await assert.rejects(verifier.verify(text), TokenInvalid)
})
