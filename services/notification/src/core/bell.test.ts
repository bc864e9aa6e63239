import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBell } from './bell.ts'

test('a ring wakes the sleeper, and one that nobody slept through wakes the next', async () => {
  const bell = createBell()
  const sleep = bell.sleep(60_000)
  bell.ring()
  await sleep
  bell.ring()
  bell.ring()
  await bell.sleep(60_000)
  const start = performance.now()
  await bell.sleep(30)
  assert.ok(performance.now() - start >= 25, 'old rings are used up')
})
