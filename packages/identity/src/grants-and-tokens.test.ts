import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTokenInspector, TokenInvalid } from './index.ts'
import { newKey, tokenWorld as world } from './world-for-tests.ts'

const inAnHour = () => Date.now() + 3_600_000

test('a token ends with its grant, by itself, and with its session, and with nothing else', async () => {
  await using w = await world()
  const token = w.sign({ gid: 'g1' })
  assert.deepEqual([(await w.verifier.verify(token)).grantId, (await w.verifier.verify(token)).tokenId], ['g1', 'j1'])
  for (const id of ['g2', 'j2', 's2', 'u1']) w.revocations.add(id, inAnHour())
  assert.equal(w.verifier.known?.(token)?.id, 'u1')
  for (const [id, change] of [
    ['g1', { gid: 'g1', jti: 'a', sid: 'a' }],
    ['j1', { gid: 'b', sid: 'b' }],
    ['s1', { gid: 'c', jti: 'c' }],
  ] as const) {
    const ends = w.sign(change)
    await w.verifier.verify(ends)
    w.revocations.add(id, inAnHour())
    assert.equal(w.verifier.known?.(ends), undefined, id)
    await assert.rejects(w.verifier.verify(ends), TokenInvalid, id)
  }
})

test('a token of a program ends by itself', async () => {
  await using w = await world()
  const token = w.sign({ sid: undefined, sub: 'app', client_id: 'app' })
  assert.equal((await w.verifier.verify(token)).kind, 'service_account')
  w.revocations.add('j1', inAnHour())
  await assert.rejects(w.verifier.verify(token), TokenInvalid)
})

test('whoever watches a person is told of the end of the grant and of the token', async () => {
  await using w = await world()
  const person = await w.verifier.verify(w.sign({ gid: 'g1' }))
  let told = 0
  const stop = w.verifier.onChange?.(person, () => void told++)
  w.revocations.add('g1', inAnHour())
  w.revocations.add('j1', inAnHour())
  assert.equal(told, 2)
  stop?.()
  w.revocations.add('s1', inAnHour())
  assert.equal(told, 2)
})

test('a grant of a wrong form is none', async () => {
  await using w = await world()
  for (const gid of ['', 'a b', 7, null, ['g1']]) await assert.rejects(w.verifier.verify(w.sign({ gid })), TokenInvalid)
})

test('an inspector tells what tokens of others are, and refuses what nobody of ours signed', async () => {
  await using w = await world()
  const inspector = createTokenInspector({ issuers: w.issuers, now: () => w.clock.now })
  const token = w.sign({ aud: 'orders', scope: 'read write', cnf: { jkt: 'thumb' } })
  assert.equal(inspector.known(token), undefined)
  const { audience, scope, keyThumbprint, person } = await inspector.inspect(token)
  assert.deepEqual([audience, scope, keyThumbprint, person.id], ['orders', ['read', 'write'], 'thumb', 'u1'])
  assert.equal(inspector.known(token)?.audience, 'orders')
  assert.deepEqual((await inspector.inspect(w.sign({ aud: 'orders' }))).scope, [])
  for (const refused of [
    w.sign({}, {}, newKey().privateKey),
    w.sign({}, { typ: 'JWT' }),
    w.sign({}, { typ: 'logout+jwt' }),
    w.sign({ aud: ['orders'] }),
    w.sign({ cnf: { 'x5t#S256': 'x' } }),
    w.sign({ tid: 'acme' }),
    'goa_x',
  ])
    await assert.rejects(inspector.inspect(refused), TokenInvalid)
  w.clock.now += 606_000
  assert.equal(inspector.known(token), undefined)
  await assert.rejects(inspector.inspect(token), TokenInvalid)
})
