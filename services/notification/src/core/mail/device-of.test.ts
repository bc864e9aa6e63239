import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deviceOf } from './device-of.ts'

test('a browser is told by its name and its system, in the reader’s language', () => {
  const edge = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0'
  const safari =
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1'
  assert.equal(deviceOf(edge, 'en'), 'Edge on Windows')
  assert.equal(deviceOf(safari, 'de'), 'Safari unter iOS')
})

test('whatever else something calls itself is not repeated', () => {
  assert.equal(deviceOf('curl/8.5.0', 'en'), 'a program that we do not know')
  assert.equal(deviceOf('<b>Click here</b>', 'de'), 'ein Programm, das wir nicht kennen')
  assert.equal(deviceOf('', 'en'), 'a program that we do not know')
})
