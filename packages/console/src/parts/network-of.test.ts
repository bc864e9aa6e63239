import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networkOf } from './network-of.ts'

test('a network is told as it is, and the loopback, which is no place, is not', () => {
  assert.equal(networkOf({ network: '203.0.113.0/24' }), '203.0.113.0/24')
  assert.equal(networkOf({ network: '2001:db8:12::/48' }), '2001:db8:12::/48')
  for (const network of ['::/48', '127.0.0.0/24', '']) assert.equal(networkOf({ network }), '')
})
