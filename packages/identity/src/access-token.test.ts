import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAccessTokenVerifier, followIssuers, TokenInvalid, VerificationUnavailable } from './index.ts'
import { newKey, tokenWorld as world } from './world-for-tests.ts'

test('a good token tells the person, and is remembered', async () => {
  await using w = await world()
  const token = w.sign()
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
  assert.equal((await w.verifier.verify(w.sign({ sid: undefined }))).kind, 'service_account')
})

test('a remembered token ends with its time and with its session', async () => {
  await using w = await world()
  const token = w.sign()
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

test('a remembered token ends with its key', async () => {
  await using w = await world()
  const token = w.sign()
  await w.verifier.verify(token)
  w.records[0]?.jwks.pop()
  await w.issuers.lookAgain()
  assert.equal(w.verifier.known?.(token), undefined)
  await assert.rejects(w.verifier.verify(token), TokenInvalid)
})

test('a remembered token ends with its tenant', async () => {
  await using w = await world()
  const token = w.sign()
  await w.verifier.verify(token)
  w.records.shift()
  await w.issuers.lookAgain()
  assert.equal(w.verifier.known?.(token), undefined)
  await assert.rejects(w.verifier.verify(token), TokenInvalid)
})

test('a key that was made a moment ago is looked for', async () => {
  await using w = await world()
  const fresh = newKey()
  const token = w.sign({}, { kid: 'k2' }, fresh.privateKey)
  w.records[0]?.jwks.push(fresh.jwk('k2'))
  assert.equal((await w.verifier.verify(token)).id, 'u1')
  assert.ok(w.looks() >= 2)
})

test('without any key ever seen the answer is to try again', async () => {
  await using issuers = followIssuers(() => Promise.reject(new Error('away')))
  await using w = await world()
  await assert.rejects(createAccessTokenVerifier({ audience: 'gatehouse', issuers }).verify(w.sign()), VerificationUnavailable)
})

test('a key that is not known while nobody can be asked for it is no reason to turn somebody away', async () => {
  await using w = await world()
  const token = w.sign()
  await w.verifier.verify(token)
  const fresh = newKey()
  const stranger = w.sign({}, { kid: 'k2' }, fresh.privateKey)
  w.leave()
  await assert.rejects(w.verifier.verify(stranger), VerificationUnavailable)
  assert.equal((await w.verifier.verify(token)).id, 'u1')
})

test('a token of a session that was raised is dead, in every spelling, and the next generation is alive', async () => {
  await using w = await world()
  const token = w.sign()
  await w.verifier.verify(token)
  w.revocations.raise('s1', 2, Date.now() + 600_000)
  assert.equal(w.verifier.known?.(token), undefined)
  for (const dead of [token, w.sign({ gen: 0 }), w.sign({ gen: undefined })]) await assert.rejects(w.verifier.verify(dead), TokenInvalid)
  assert.equal((await w.verifier.verify(w.sign({ gen: 2 }))).generation, 2)
})

test('whoever watches a person is told when the session ends or is raised, until they stop', async () => {
  await using w = await world()
  const person = await w.verifier.verify(w.sign())
  let told = 0
  const stop = w.verifier.onChange?.(person, () => void told++)
  w.revocations.add('s2', Date.now() + 600_000)
  assert.equal(told, 0)
  w.revocations.raise('s1', 2, Date.now() + 600_000)
  w.revocations.add('s1', Date.now() + 600_000)
  assert.equal(told, 2)
  stop?.()
  w.revocations.raise('s1', 3, Date.now() + 600_000)
  assert.equal(told, 2)
})
