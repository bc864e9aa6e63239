import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nameKey, prefixRange } from './keys.ts'

test('names fold without differences of case and compatible forms', () => {
  for (const [one, other] of [
    ['Ada LOVELACE', 'ada lovelace'],
    ['Straße', 'STRASSE'],
    ['ΟΔΟΣ', 'οδος'],
    ['Ａｄａ', 'ada'],
    ['Ame\u0301lie', 'amélie'],
    ['ﬁona', 'Fiona'],
  ] as const) {
    assert.equal(nameKey(one), nameKey(other), `${one} and ${other}`)
  }
})

test('the start of a name folds to the start of its key', () => {
  for (const name of ['ΟΔΟΣΣΕΥΣ', 'Straßenbauer', 'İstanbul', 'Ǆenana', 'Łukasz']) {
    const points = Array.from(name)
    for (let length = 1; length <= points.length; length++) {
      const start = points.slice(0, length).join('')
      assert.ok(nameKey(name).startsWith(nameKey(start)), `${name} starts with ${start}`)
    }
  }
})

test('a key fits into an index entry whatever the name unfolds to', () => {
  const key = nameKey('\uFDFA'.repeat(200))
  assert.ok(Buffer.byteLength(key) <= 254 * 4)
  assert.ok(key.startsWith(nameKey('\uFDFA')))
})

test('a prefix is a range by code points', () => {
  assert.deepEqual(prefixRange('ab'), { from: 'ab', below: 'ac' })
  assert.deepEqual(prefixRange('a%'), { from: 'a%', below: 'a&' })
  assert.deepEqual(prefixRange('\uD7FF'), { from: '\uD7FF', below: '\uE000' })
  assert.deepEqual(prefixRange('a\u{10FFFF}'), { from: 'a\u{10FFFF}', below: 'b' })
  assert.deepEqual(prefixRange('\u{10FFFF}\u{10FFFF}'), { from: '\u{10FFFF}\u{10FFFF}', below: null })
})
