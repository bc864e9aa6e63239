import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toASCII } from 'tr46'
import { canonicalEmail, emailKey } from './email.ts'

test('white space around an address is removed and its local part stays as written', () => {
  assert.equal(canonicalEmail('  Ada.Lovelace+x@Example.COM\n'), 'Ada.Lovelace+x@example.com')
})

test('a domain becomes lower-case A-labels', () => {
  assert.equal(canonicalEmail('ada@BÜCHER.example'), 'ada@xn--bcher-kva.example')
  assert.equal(canonicalEmail('ada@XN--BCHER-KVA.example'), 'ada@xn--bcher-kva.example')
  assert.equal(canonicalEmail('ada@faß.de'), 'ada@xn--fa-hia.de', 'non-transitional: ß is not ss')
  assert.equal(canonicalEmail('ada@example。com'), 'ada@example.com', 'an ideographic full stop is a dot')
  assert.equal(canonicalEmail('ada@ＥＸＡＭＰＬＥ.com'), 'ada@example.com', 'full-width letters are letters')
})

test('what is no address here has no canonical form', () => {
  const bad = [
    '',
    ' ',
    'ada',
    '@example.com',
    'ada@',
    'ada@@example.com',
    'ada lovelace@example.com',
    '"ada"@example.com',
    'ada@[127.0.0.1]',
    'ada@exa mple.com',
    'ada@example..com',
    'ada@example.com.',
    'ada@-example.com',
    'ada@xn--zzzzzzzzzz9999.com',
    'ada@exam_ple.com',
    'ada\r\nbcc: eve@example.com',
    'ada@example.com\u0000',
    `${'x'.repeat(65)}@example.com`,
    `ada@${'x'.repeat(64)}.com`,
    `ada@${'abcdefg.'.repeat(40)}com`,
    `ada@${'ü.'.repeat(100_000)}com`,
  ]
  for (const text of bad) assert.equal(canonicalEmail(text), undefined, JSON.stringify(text.slice(0, 60)))
})

test('a local part that is not ASCII is refused', () => {
  assert.equal(canonicalEmail('ädä@example.com'), undefined)
  assert.equal(canonicalEmail('аda@example.com'), undefined, 'a Cyrillic а is no a')
})

test('a local part has single dots between its atoms, and none at its ends', () => {
  for (const local of ['.ada', 'ada.', 'ada..lovelace', '.', '..', `${'a.'.repeat(31)}..`])
    assert.equal(canonicalEmail(`${local}@example.com`), undefined, local)
  for (const local of ['a', 'ada.lovelace', 'a.d.a', 'x'.repeat(64), `${'a.'.repeat(31)}ab`])
    assert.equal(canonicalEmail(`${local}@example.com`), `${local}@example.com`)
})

test('the canonical form of a canonical form is itself', () => {
  for (const text of ['Ada@Bücher.example', ' x@y.z ']) {
    const once = canonicalEmail(text) ?? ''
    assert.equal(canonicalEmail(once), once)
  }
})

test('two spellings of one address have one key', () => {
  const keys = ['Ada@Bücher.example', 'ADA@xn--bcher-kva.EXAMPLE', ' ada@BÜCHER.example'].map((text) =>
    emailKey(canonicalEmail(text) ?? ''),
  )
  assert.deepEqual(new Set(keys), new Set(['ada@xn--bcher-kva.example']))
})

test('a plain host name has the canonical form that UTS #46 gives it', () => {
  const label = 'x'.repeat(63)
  const domains = [
    'a',
    '1',
    'EXAMPLE.com',
    'mail-1.a--b.example',
    'a.b-c.d',
    '1.2',
    'ab--c.com',
    'a-.com',
    '-a.com',
    'a..b',
    `${label}.com`,
    `${label}x.com`,
    `K.com`,
  ]
  for (const domain of [...domains, `${label}.${label}.${label}.${'y'.repeat(61)}`, `${label}.${label}.${label}.${'y'.repeat(62)}`]) {
    const byStandard = toASCII(domain, {
      checkBidi: true,
      checkHyphens: true,
      checkJoiners: true,
      transitionalProcessing: false,
      useSTD3ASCIIRules: true,
      verifyDNSLength: true,
    })
    const email = byStandard === null || byStandard.length > 252 ? undefined : `a@${byStandard}`
    assert.equal(canonicalEmail(`a@${domain}`), email, domain)
  }
})
