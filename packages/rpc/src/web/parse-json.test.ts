import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Refusal } from '../refusal.ts'
import { parseJson } from './parse-json.ts'

const read = (text: string | Uint8Array) => parseJson(typeof text === 'string' ? Buffer.from(text) : text)

function refusesWith(text: string | Uint8Array, field: string, reason: string): void {
  assert.throws(
    () => read(text),
    (error) => {
      assert.ok(error instanceof Refusal)
      assert.equal(error.reason, 'MALFORMED_REQUEST')
      assert.deepEqual(
        error.violations.map((violation) => [violation.field, violation.reason]),
        [[field, reason]],
      )
      return true
    },
  )
}

test('reads what JSON.parse reads', () => {
  for (const text of [
    '{}',
    '[]',
    '3',
    '"a"',
    ' {"a" : {"b": [1, {"c": null}], "d": ":{"} } ',
    '{"a\\"b":1,"a\\\\":2}',
    '{"é":"\\u00e9","":{"":1}}',
  ]) {
    assert.deepEqual(read(text), JSON.parse(text), text)
  }
})

test('keeps a member called __proto__ a plain member', () => {
  const value = read('{"__proto__":{"a":1}}') as object
  assert.deepEqual(Object.keys(value), ['__proto__'])
  assert.equal(Object.getPrototypeOf(value), Object.prototype)
})

test('refuses a member that stands twice in one object and names it', () => {
  refusesWith('{"a":1,"b":{"c":2,"c":3}}', 'c', 'REPEATED')
  refusesWith('{"id":1,"\\u0069d":2}', 'id', 'REPEATED')
  refusesWith('{"__proto__":1,"__proto__":2}', '__proto__', 'REPEATED')
  refusesWith('[{"a":":"},{"a":1,"a":2}]', 'a', 'REPEATED')
})

test('lets the same name stand in two objects', () => {
  assert.deepEqual(read('{"a":{"id":1},"b":{"id":2},"c":["id:",":id"]}'), { a: { id: 1 }, b: { id: 2 }, c: ['id:', ':id'] })
})

test('refuses bytes that are no UTF-8', () => {
  refusesWith(Buffer.from([0x22, 0xff, 0x22]), '', 'ENCODING')
  refusesWith(Buffer.from('{"a":1}', 'utf16le'), '', 'JSON')
})

test('refuses what is no JSON', () => {
  for (const text of ['', ' ', '{', '{"a":1,}', "{'a':1}", '{"a":01}', 'undefined', '{"a":"\u0001"}', '{"a":1}{"b":1}', '"', '"\\'])
    refusesWith(text, '', 'JSON')
})

test('refuses an abyss of brackets without falling into it', () => {
  refusesWith('['.repeat(2_000_000), '', 'DEPTH')
  refusesWith(`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`, '', 'DEPTH')
  read(`${'['.repeat(64)}${']'.repeat(64)}`)
})

test('reads a long body of quotes in the time of its length', () => {
  const text = JSON.stringify({ a: '\\"'.repeat(500_000) })
  assert.deepEqual(read(text), JSON.parse(text))
})
