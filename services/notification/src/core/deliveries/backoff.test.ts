import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backoffSeconds } from './backoff.ts'

const rules = { firstDelaySeconds: 2, maxDelaySeconds: 60 }

test('the bound doubles with each try up to the greatest', () => {
  const bounds = [1, 2, 3, 4, 5, 6, 7, 1000].map((tries) => Math.round(backoffSeconds(rules, tries, () => 0.999_999)))
  assert.deepEqual(bounds, [2, 4, 8, 16, 32, 60, 60, 60])
})

test('the wait is anywhere below the bound, but never nothing', () => {
  assert.ok(backoffSeconds(rules, 1, () => 0) > 0)
  assert.ok(backoffSeconds(rules, 3, () => 0.5) < 5)
})
