import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exportJWK, generateKeyPair, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose'
import { createAccessTokenVerifier, createRevocationList, followIssuers, TokenInvalid, VerificationUnavailable } from './index.ts'

async function world() {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = JSON.stringify({ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' })
  const records = [{ tenant: 'default', origin: 'http://localhost:8080', hosts: ['localhost:8080'], jwks: [jwk] }]
  let looks = 0
  let away = false
  const issuers = followIssuers(
    async () => {
      looks++
      if (away) throw new Error('away')
      return records
    },
    { cooldownMs: 0 },
  )
  const revocations = createRevocationList()
  const clock = { now: Date.now() }
  const verifier = createAccessTokenVerifier({ audience: 'gatehouse', issuers, revocations, now: () => clock.now })
  const seconds = Math.floor(Date.now() / 1000)
  const claims: JWTPayload = {
    iss: 'http://localhost:8080/oidc',
    aud: 'gatehouse',
    sub: 'u1',
    tid: 'default',
    sid: 's1',
    client_id: 'gatehouse',
    iat: seconds,
    exp: seconds + 600,
    jti: 'j1',
    permissions: ['user.users.read'],
  }
  const sign = (change: Record<string, unknown> = {}, header: Record<string, unknown> = {}, key = privateKey) => {
    const payload = Object.fromEntries(Object.entries({ ...claims, ...change }).filter(([, value]) => value !== undefined))
    return new SignJWT(payload).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k1', ...header } as JWTHeaderParameters).sign(key)
  }
  return {
    issuers,
    verifier,
    revocations,
    clock,
    claims,
    records,
    sign,
    looks: () => looks,
    leave: () => {
      away = true
    },
    [Symbol.asyncDispose]: () => issuers[Symbol.asyncDispose](),
  }
}

test('a good token tells the person, and is remembered', async () => {
  await using w = await world()
  const token = await w.sign()
  assert.equal(w.verifier.known?.(token), undefined)
  const person = await w.verifier.verify(token)
  assert.deepEqual(
    [person.kind, person.id, person.tenant, person.sessionId, person.clientId, [...person.permissions]],
    ['person', 'u1', 'default', 's1', 'gatehouse', ['user.users.read']],
  )
  assert.equal(await w.verifier.verify(token), person)
  assert.equal(w.verifier.known?.(token), person)
})

test('a token without a session is a service account', async () => {
  await using w = await world()
  assert.equal((await w.verifier.verify(await w.sign({ sid: undefined }))).kind, 'service_account')
})

test('every wrong claim and header is refused', async () => {
  await using w = await world()
  const past = Math.floor(Date.now() / 1000) - 60
  const changes: [Record<string, unknown>, Record<string, unknown>?][] = [
    ...['iss', 'aud', 'sub', 'tid', 'client_id', 'iat', 'exp', 'jti'].map((name): [Record<string, unknown>] => [{ [name]: undefined }]),
    [{ iss: 'http://localhost:8080' }],
    [{ iss: 'http://localhost:8080/oidc/' }],
    [{ aud: 'billing' }],
    [{ aud: ['gatehouse', 'billing'] }],
    [{ tid: 'acme' }],
    [{ tid: 7 }],
    [{ sub: '' }],
    [{ sub: 'a b' }],
    [{ sid: 1 }],
    [{ permissions: 'user.users.read' }],
    [{ permissions: [1] }],
    [{ exp: past }],
    [{ nbf: past + 3600 }],
    [{}, { typ: 'JWT' }],
    [{}, { typ: undefined }],
    [{}, { kid: 'k2' }],
    [{}, { kid: '../../etc/passwd' }],
    [{}, { kid: undefined }],
  ]
  for (const [claims, header] of changes)
    await assert.rejects(w.verifier.verify(await w.sign(claims, header)), TokenInvalid, JSON.stringify([claims, header]))
})

test('other algorithms and other keys are refused', async () => {
  await using w = await world()
  const other = await generateKeyPair('ES256')
  await assert.rejects(w.verifier.verify(await w.sign({}, {}, other.privateKey)), TokenInvalid)
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  for (const alg of ['none', 'None', 'NONE', 'HS256', 'RS256']) {
    for (const signature of ['', 'AAAA'])
      await assert.rejects(
        w.verifier.verify(`${encode({ alg, typ: 'at+jwt', kid: 'k1' })}.${encode(w.claims)}.${signature}`),
        TokenInvalid,
        alg,
      )
  }
  const hmac = new TextEncoder().encode(w.records[0]?.jwks[0])
  await assert.rejects(
    w.verifier.verify(await new SignJWT(w.claims).setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: 'k1' }).sign(hmac)),
    TokenInvalid,
  )
})

test('every changed letter of a token is refused', async () => {
  await using w = await world()
  const token = await w.sign()
  await w.verifier.verify(token)
  for (let i = 0; i < token.length; i++) {
    const changed = `${token.slice(0, i)}${token[i] === 'A' ? 'B' : 'A'}${token.slice(i + 1)}`
    // The last letter of a base64url text carries bits that mean nothing; such a token is the same token, and is verified as its own text.
    if (i === token.length - 1) continue
    await assert.rejects(w.verifier.verify(changed), TokenInvalid, `letter ${i}`)
  }
  for (const text of ['', '.', '..', 'a.b.c', token.slice(1), `${token}.x`, 'x'.repeat(9000)])
    await assert.rejects(w.verifier.verify(text), TokenInvalid)
})

test('a remembered token ends with its time and with its session', async () => {
  await using w = await world()
  const token = await w.sign()
  await w.verifier.verify(token)
  w.clock.now += 604_000
  await w.verifier.verify(token)
  w.clock.now += 2_000
  assert.equal(w.verifier.known?.(token), undefined)
  await assert.rejects(w.verifier.verify(token), TokenInvalid)
  w.clock.now -= 606_000
  await w.verifier.verify(token)
  w.revocations.add('s1', Date.now() + 600_000)
  assert.equal(w.verifier.known?.(token), undefined)
  await assert.rejects(w.verifier.verify(token), TokenInvalid)
})

test('a remembered token ends with its key, however long it says that it lives', async () => {
  await using w = await world()
  const token = await w.sign({ exp: Math.floor(Date.now() / 1000) + 10 * 31_536_000 })
  await w.verifier.verify(token)
  w.records[0]?.jwks.pop()
  await w.issuers.lookAgain()
  assert.equal(w.verifier.known?.(token), undefined)
  await assert.rejects(w.verifier.verify(token), TokenInvalid)
})

test('a remembered token ends with its tenant', async () => {
  await using w = await world()
  const token = await w.sign()
  await w.verifier.verify(token)
  w.records.pop()
  await w.issuers.lookAgain()
  assert.equal(w.verifier.known?.(token), undefined)
  await assert.rejects(w.verifier.verify(token), TokenInvalid)
})

test('a key that was made a moment ago is looked for', async () => {
  await using w = await world()
  const fresh = await generateKeyPair('ES256', { extractable: true })
  const token = await w.sign({}, { kid: 'k2' }, fresh.privateKey)
  w.records[0]?.jwks.push(JSON.stringify({ ...(await exportJWK(fresh.publicKey)), kid: 'k2' }))
  assert.equal((await w.verifier.verify(token)).id, 'u1')
  assert.ok(w.looks() >= 2)
})

test('without any key ever seen the answer is to try again', async () => {
  await using issuers = followIssuers(() => Promise.reject(new Error('away')))
  await using w = await world()
  await assert.rejects(createAccessTokenVerifier({ audience: 'gatehouse', issuers }).verify(await w.sign()), VerificationUnavailable)
})

test('a key that is not known while nobody can be asked for it is no reason to turn somebody away', async () => {
  await using w = await world()
  const token = await w.sign()
  await w.verifier.verify(token)
  const fresh = await generateKeyPair('ES256', { extractable: true })
  const stranger = await w.sign({}, { kid: 'k2' }, fresh.privateKey)
  w.leave()
  await assert.rejects(w.verifier.verify(stranger), VerificationUnavailable)
  assert.equal((await w.verifier.verify(token)).id, 'u1')
})
