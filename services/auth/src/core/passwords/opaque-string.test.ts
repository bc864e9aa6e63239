import assert from 'node:assert/strict'
import { test } from 'node:test'
import { enforceOpaqueString } from './opaque-string.ts'

test('keeps letter case, width, symbols and spaces at the ends', () => {
  for (const password of [' correct Horse ', 'ＦＵＬＬｗｉｄｔｈ', 'πß å', 'Jack of ♦s', '🐴🔋 staple', 'ﬁne ½ ①', 'foo\u2028'.slice(0, 3)])
    assert.equal(enforceOpaqueString(password), password)
})

test('maps every space of Unicode to U+0020', () => {
  assert.equal(enforceOpaqueString('foo\u1680bar\u00A0baz\u3000\u2003'), 'foo bar baz  ')
})

test('writes both spellings of an accent as one', () => {
  assert.equal(enforceOpaqueString('cafe\u0301'), 'caf\u00E9')
  assert.equal(enforceOpaqueString('\u1112\u1161\u11AB'), '\uD55C')
})

test('refuses nothing at all, controls, invisible and unassigned code points', () => {
  const refused = {
    empty: '',
    tab: 'my cat is a \u0009by',
    nul: 'a\u0000b',
    delete: 'a\u007Fb',
    'zero width space': 'a\u200Bb',
    'variation selector': '\u2764\uFE0F',
    'soft hyphen': 'a\u00ADb',
    'right-to-left override': 'a\u202Eb',
    'line separator': 'a\u2028b',
    'private use': 'a\uE000b',
    noncharacter: 'a\uFFFEb',
    unassigned: 'a\u0378b',
    'lone surrogate': 'a\uD800b',
    'old Hangul jamo alone': 'a\u1113b',
    tatweel: 'a\u0640b',
    'tag character': 'a\u{E0041}b',
  }
  for (const [name, password] of Object.entries(refused)) assert.equal(enforceOpaqueString(password), undefined, name)
})

test('allows what is forbidden elsewhere where its context allows it', () => {
  const allowed = [
    'l\u00B7l',
    '\u0375\u03B1',
    '\u05D0\u05F3',
    '\u30A2\u30FB',
    '\u0661\u0662',
    '\u06F1',
    '\u0915\u094D\u200D',
    '\u0645\u06CC\u200C\u062E\u0648\u0627\u0647\u0645',
  ]
  for (const password of allowed) assert.equal(enforceOpaqueString(password), password)
  const refused = ['a\u00B7b', '\u0375a', 'a\u05F3', 'a\u30FB', '\u0661\u06F1', 'a\u200Db', 'a\u200Cb', '\u{1F468}\u200D\u{1F469}']
  for (const password of refused) assert.equal(enforceOpaqueString(password), undefined)
})
