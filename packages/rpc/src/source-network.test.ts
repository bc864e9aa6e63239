import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sourceNetwork } from './source-network.ts'

test('an IPv4 address is a source, however it is written', () => {
  assert.equal(sourceNetwork('192.0.2.1'), '192.0.2.1')
  assert.equal(sourceNetwork('::ffff:192.0.2.1'), '192.0.2.1')
  assert.equal(sourceNetwork('::ffff:c000:201'), '192.0.2.1')
})

test('IPv6 addresses of one /64 are one source', () => {
  const one = sourceNetwork('2001:db8:1:2::1')
  assert.equal(one, '2001:db8:1:2::/64')
  for (const same of [
    '2001:db8:1:2:ffff:ffff:ffff:ffff',
    '2001:0DB8:0001:0002:0:0:0:9',
    '2001:db8:1:2::192.0.2.1',
    '2001:db8:1:2::1%eth0',
  ]) {
    assert.equal(sourceNetwork(same), one)
  }
  assert.notEqual(sourceNetwork('2001:db8:1:3::1'), one)
  assert.equal(sourceNetwork('::1'), '0:0:0:0::/64')
})

test('what is no address counts as it stands', () => {
  assert.equal(sourceNetwork('unknown'), 'unknown')
  assert.equal(sourceNetwork(''), '')
})
