import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { idOfApiKey, nameOfApiKey } from './api-key.ts'
import { apiKeyPattern, createApiKey, isApiKey } from './index.ts'

const letters = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

test('a key says its id, is found by the pattern and remembered by its SHA-256 alone', () => {
  for (const id of [randomUUID(), '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff']) {
    const { key, hash } = createApiKey(id)
    assert.match(`token: ${key},`, apiKeyPattern)
    assert.equal(idOfApiKey(key), id)
    assert.equal(nameOfApiKey(key), createHash('sha256').update(key).digest('base64url'))
    assert.deepEqual(Buffer.from(hash), createHash('sha256').update(key).digest())
    assert.ok(isApiKey(key))
  }
})

test('keys of one id share no secret: 256 random bits', () => {
  const id = randomUUID()
  const secrets = new Set(Array.from({ length: 2_000 }, () => createApiKey(id).key.slice(31, 74)))
  assert.equal(secrets.size, 2_000)
  for (const secret of secrets) assert.match(secret, /^[0-9A-Za-z]{43}$/)
  // Every place but the first, which the size of 2^256 narrows, takes every digit.
  for (let place = 1; place < 43; place++) assert.equal(new Set([...secrets].map((each) => each[place])).size, 62, `place ${place}`)
})

test('every change of a single letter is seen without asking anybody', () => {
  const { key } = createApiKey(randomUUID())
  for (let place = 0; place < key.length; place++) {
    for (const letter of [...letters, '_', ' ', '-', 'é', '\0']) {
      if (letter === key[place]) continue
      assert.equal(nameOfApiKey(key.slice(0, place) + letter + key.slice(place + 1)), undefined, `${place} ${letter}`)
    }
  }
})

test('what is cut, doubled, swapped or empty is no key', () => {
  const { key } = createApiKey(randomUUID())
  const wrong = [
    '',
    'gh_live_',
    key.slice(1),
    key.slice(0, -1),
    `${key}0`,
    key + key,
    ` ${key}`,
    key.toLowerCase(),
    key.replace('live', 'test'),
  ]
  for (const text of wrong) assert.equal(nameOfApiKey(text), undefined, text)
})
