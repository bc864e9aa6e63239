import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNewEnough } from './server-version.ts'

test('counts a version as new enough from the release that has the security fixes', () => {
  const answers = ['2.9.10', '2.12.11', '2.12.12', '2.13.9', '2.14.2', '2.14.3', '2.15.0', '3.0.0'].map(isNewEnough)
  assert.deepEqual(answers, [false, false, true, false, false, true, true, true])
})
