import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { seal, unseal } from './sealed-box.ts'

const key = randomBytes(32)
const secret = Buffer.from('a private key')

test('a box opens with its key at its place', () => {
  assert.deepEqual(Buffer.from(unseal([key], seal(key, secret, 'here'), 'here')), secret)
})

test('two boxes of one secret have nothing in common but the name of their key', () => {
  const [one, two] = [seal(key, secret, 'here'), seal(key, secret, 'here')].map((box) => Buffer.from(box))
  assert.deepEqual(one?.subarray(0, 4), two?.subarray(0, 4))
  assert.notDeepEqual(one?.subarray(4), two?.subarray(4))
})

test('a box that was moved, changed or cut does not open', () => {
  const box = Buffer.from(seal(key, secret, 'here'))
  assert.throws(() => unseal([key], box, 'there'))
  for (const at of [5, 20, box.length - 1]) {
    const changed = Buffer.from(box)
    changed[at] = (changed[at] ?? 0) ^ 1
    assert.throws(() => unseal([key], changed, 'here'))
  }
  assert.throws(() => unseal([key], box.subarray(0, 20), 'here'))
})

test('a box opens with any of several keys', () => {
  const box = seal(key, secret, 'here')
  assert.deepEqual(Buffer.from(unseal([randomBytes(32), key], box, 'here')), secret)
})

test('a wrong key is named as what it is', () => {
  assert.throws(() => unseal([randomBytes(32)], seal(key, secret, 'here'), 'here'), /AUTH_KEY_ENCRYPTION_KEY is not the key/)
})
