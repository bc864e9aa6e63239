import assert from 'node:assert/strict'
import { test } from 'node:test'
import { coarseNetwork, tidyUserAgent } from './seen-from.ts'

test('an address is told by its network only', () => {
  assert.equal(coarseNetwork('203.0.113.77'), '203.0.113.0/24')
  assert.equal(coarseNetwork('::ffff:203.0.113.77'), '203.0.113.0/24')
  assert.equal(coarseNetwork('2001:db8:12:3456:789a::1'), '2001:db8:12::/48')
  assert.equal(coarseNetwork('2001:0DB8::1'), '2001:db8::/48')
  assert.equal(coarseNetwork('::1'), '::/48')
  assert.equal(coarseNetwork('fe80::1%eth0'), 'fe80::/48')
  assert.equal(coarseNetwork(''), '')
  assert.equal(coarseNetwork('not an address'), '')
})

test('a user agent is bounded and has no control characters', () => {
  assert.equal(tidyUserAgent('Mozilla/5.0\r\nx: y\u0000\u202e'), 'Mozilla/5.0x: y')
  assert.equal([...tidyUserAgent('🦀'.repeat(1000))].length, 256)
  assert.equal(tidyUserAgent(''), '')
})
