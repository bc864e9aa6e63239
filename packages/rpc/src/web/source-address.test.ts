import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sourceReader } from './source-address.ts'

test('believes nobody without trusted proxies', () => {
  const read = sourceReader([])
  assert.equal(read('192.0.2.1', '198.51.100.7'), '192.0.2.1')
  assert.equal(read('::ffff:192.0.2.1', undefined), '192.0.2.1')
})

test('takes the right-most address that is none of our proxies', () => {
  const read = sourceReader(['10.0.0.0/8', '192.0.2.1', 'fd00::/8'])
  assert.equal(read('10.1.2.3', '198.51.100.7'), '198.51.100.7')
  assert.equal(read('10.1.2.3', '1.1.1.1, 198.51.100.7'), '198.51.100.7', 'what the client wrote itself stands to the left')
  assert.equal(read('10.1.2.3', '198.51.100.7, 10.9.9.9, ::ffff:192.0.2.1'), '198.51.100.7')
  assert.equal(read('fd12::1', '2001:db8::7'), '2001:db8::7')
  assert.equal(read('203.0.113.9', '198.51.100.7'), '203.0.113.9', 'a stranger is believed nothing')
})

test('stops at what is no address', () => {
  const read = sourceReader(['10.0.0.0/8'])
  assert.equal(read('10.1.2.3', 'unknown'), '10.1.2.3')
  assert.equal(read('10.1.2.3', '198.51.100.7, unknown, 10.0.0.2'), '10.0.0.2')
  assert.equal(read('10.1.2.3', ''), '10.1.2.3')
  assert.equal(read('10.1.2.3', '10.0.0.1'), '10.0.0.1')
})

test('refuses a proxy that is neither an address nor a range', () => {
  for (const entry of ['proxy.internal', '10.0.0.0/x', '10.0.0.0/', '']) assert.throws(() => sourceReader([entry]), TypeError, entry)
})
