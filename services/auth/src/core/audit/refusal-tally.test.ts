import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RefusalTally } from './refusal-tally.ts'

test('of one kind the first of each minute is written, with how many were not since the last', () => {
  let now = 0
  const tally = new RefusalTally(() => now)
  assert.deepEqual([tally.count('a'), tally.count('a'), tally.count('a')], [0, undefined, undefined])
  assert.equal(tally.count('b'), 0)
  now = 59_999
  assert.equal(tally.count('a'), undefined)
  now = 60_000
  assert.deepEqual([tally.count('a'), tally.count('a')], [3, undefined])
})

test('more callers than are told apart are written each time, and take no room', () => {
  let now = 0
  const tally = new RefusalTally(() => now)
  for (let i = 0; i < 10_000; i++) tally.count(`caller ${i}`)
  assert.deepEqual([tally.count('one more'), tally.count('one more')], [0, 0])
  assert.equal(tally.count('caller 5'), undefined)
  now = 60_000
  assert.deepEqual([tally.count('one more'), tally.count('one more')], [0, undefined])
})
