import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodePageToken, encodePageToken, PageTokenInvalid } from './page-token.ts'

const scope = 'ListUsers default name'

test('gives back the key, whatever stands in it', () => {
  for (const key of [['2026-01-01T00:00:00.000Z', 'id'], [''], ['"\\', 'ß 🗝️'], []]) {
    assert.deepEqual(decodePageToken(scope, encodePageToken(scope, key)), key)
  }
})

test('an empty token is the first page', () => {
  assert.equal(decodePageToken(scope, ''), undefined)
})

test('is good for its own list only', () => {
  const token = encodePageToken(scope, ['x'])
  for (const other of ['ListUsers acme name', 'ListUsers default create_time', ''])
    assert.throws(() => decodePageToken(other, token), PageTokenInvalid)
})

test('refuses what we did not make', () => {
  const mark = Buffer.from(encodePageToken(scope, []), 'base64url').subarray(0, 8)
  const made = (body: string): string => Buffer.concat([mark, Buffer.from(body)]).toString('base64url')
  const wrong = ['x', '====', 'a b', 'é', 'A'.repeat(5000), made(''), made('{}'), made('[1]'), made('["a"'), made('null'), made('[["a"]]')]
  for (const token of wrong) assert.throws(() => decodePageToken(scope, token), PageTokenInvalid, token)
})
