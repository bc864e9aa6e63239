import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findTests } from './find-tests.ts'

const restore = 'packages/testkit/test/restore.slow.test.ts'
const quick = 'packages/testkit/test/main-job.test.ts'

test('a slow test is left out by its name, and runs when it, or all that is slow, is asked for', () => {
  const usual = findTests([])
  assert.ok(usual.tests.includes(quick) && !usual.tests.includes(restore))
  assert.deepEqual(new Map(usual.leftOut).get(restore), 'npm test -- --slow')
  const slow = findTests([], true)
  assert.deepEqual([slow.tests.includes(quick), slow.tests.includes(restore)], [false, true])
  assert.deepEqual(findTests([restore]), { tests: [restore], leftOut: [] })
  const there = 'packages/testkit/test'
  assert.deepEqual(
    findTests([there]).leftOut,
    usual.leftOut.filter(([file]) => file.startsWith(there)),
  )
})

test('that each benchmark runs at all is asked by its folder', () => {
  const smoke = 'packages/bench/src/smoke.bench.test.ts'
  for (const slow of [false, true]) {
    const { tests, leftOut } = findTests([], slow)
    assert.ok(!tests.includes(smoke))
    assert.equal(new Map(leftOut).get(smoke), 'npm test -- --slow packages/bench')
  }
  assert.ok(findTests(['packages/bench'], true).tests.includes(smoke))
})
