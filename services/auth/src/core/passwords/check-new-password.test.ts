import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Refusal } from '@gatehouse/rpc'
import { checkNewPassword } from './check-new-password.ts'

const ada = { email: 'ada.lovelace@analytical-engines.example', name: 'Ada King-Noel' }

function ruleAgainst(password: string, context = ada): string | undefined {
  try {
    checkNewPassword(password, context)
    return undefined
  } catch (error) {
    assert.ok(error instanceof Refusal)
    assert.equal(error.reason, 'PASSWORD_TOO_WEAK')
    return error.metadata.rule
  }
}

const unguessable = 'kz7vq9mmlp2xrtwe'

test('counts code points, not bytes or UTF-16 units', () => {
  const horses = '🐴🔋📎🦀🌋🎻🧊🪁🧵🪐🥝🦜🛶🎲🪵'
  assert.equal([...horses].length, 15)
  assert.equal(ruleAgainst(horses), undefined)
  assert.equal(ruleAgainst([...horses].slice(1).join('')), 'length')
  for (const [length, rule] of [
    [0, 'length'],
    [7, 'length'],
    [8, 'length'],
    [14, 'length'],
    [15, undefined],
    [64, undefined],
    [65, undefined],
    [256, undefined],
    [257, 'length'],
  ] as const) {
    const password = Array.from({ length: Math.ceil(length / 16) }, (_, at) => `${unguessable.slice(at)}${at}x`)
      .join('')
      .padEnd(length, 'q7z2')
      .slice(0, length)
    assert.equal(ruleAgainst(password), rule, String(length))
  }
})

test('counts symbols that do not just separate', () => {
  assert.equal(ruleAgainst('#%&*()_+=-[]{};:,.<>'), undefined)
  assert.equal(ruleAgainst('----====----===='), 'common')
})

test('asks for no composition and allows spaces', () => {
  assert.equal(ruleAgainst('correct horse battery staple'), undefined)
  assert.equal(ruleAgainst('ich esse gerne kuchen'), undefined)
  assert.equal(ruleAgainst('ワタシノパスワードハナガイデス'), undefined)
})

test('answers the form that is hashed, untrimmed', () => {
  assert.equal(checkNewPassword(' cafe\u0301 kz7vq9mmlp2 ', ada), ' caf\u00E9 kz7vq9mmlp2 ')
})

test('refuses what many people choose', () => {
  for (const password of [
    'passwordpassword',
    'PasswordPassword',
    'p@ssw0rd p@ssw0rd',
    'password1234567',
    'qwertyuiopasdfgh',
    '1qaz2wsx3edc4rfv',
    '123456789987654321',
    'aaaaaaaaaaaaaaaaa',
    'abcabcabcabcabcabc',
    'iloveyou-iloveyou!',
    'iloveyou 2024 2024',
    '111111222222333333',
    'mailcreated5240',
    '               ',
  ])
    assert.equal(ruleAgainst(password), 'common', password)
})

test('refuses what everybody knows about the person and the product', () => {
  for (const password of [
    'gatehousegatehouse',
    'Gatehouse-2026-!!!',
    'g4t3h0us3_1234567',
    'ada.lovelace@analytical-engines.example',
    'adalovelace12345',
    'lovelace.ada.1815',
    'Ada King-Noel 123',
    'analyticalengines1',
    'L0vel@ceL0vel@ceL0vel@ce',
    'MyGatehousePassword1',
  ])
    assert.ok(['context', 'common'].includes(ruleAgainst(password) ?? ''), password)
  assert.equal(ruleAgainst('Gatehouse-2026-!!!'), 'context')
  assert.equal(ruleAgainst('lovelace.ada.1815'), 'context')
})

test('lets the name stand beside enough of something else', () => {
  assert.equal(ruleAgainst('ada eats seven green kiwis'), undefined)
  assert.equal(ruleAgainst('adalovelace12345', { email: 'b@c.example', name: 'Bo' }), undefined)
})

test('names what the profile refuses', () => {
  assert.equal(ruleAgainst('kz7vq9mm\u0000lp2xrtwe'), 'characters')
})
