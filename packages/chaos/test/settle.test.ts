import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Patience } from '../src/settle.ts'

/** When it ends, in seconds, where so much waits at each second; undefined where it never does. */
function endOf(waitsAt: (second: number) => number): number | undefined {
  let second = 0
  const patience = new Patience(60_000, () => second * 1_000)
  for (; second < 3_600; second++) if (patience.isOver(waitsAt(second))) return second
  return undefined
}

test('what waits and never becomes less is given up after a minute', () => {
  assert.equal(
    endOf(() => 300),
    61,
  )
})

test('what becomes less is waited for, and given up a minute after it came to a stand', () => {
  assert.equal(
    endOf((second) => Math.max(5, 205 - second)),
    261,
  )
})

test('what goes up and down has not become less', () => {
  assert.equal(
    endOf((second) => 300 + (second % 7)),
    61,
  )
})

test('what would be through in an hour is given up after ten minutes', () => {
  assert.equal(
    endOf((second) => 3_600 - second),
    601,
  )
})
