import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Readers } from './readers.ts'

test('a bounded number read the chain at once, and whoever leaves makes room', () => {
  const readers = new Readers(2)
  const [first] = [readers.enter(), readers.enter()]
  assert.throws(() => readers.enter(), { name: 'Refusal', reason: 'OVERLOADED' })
  first?.[Symbol.dispose]()
  readers.enter()
  assert.throws(() => readers.enter(), { reason: 'OVERLOADED' })
})
