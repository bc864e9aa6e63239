import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '../src/random.ts'

const draws = (seed: number, name: string) => {
  const random = createRandom(seed).fork(name)
  return [random.integer(1, 1_000_000), random.uuid(), random.percent(50), random.pick(['a', 'b', 'c'])]
}

test('the same seed and name give the same draws, another of either gives others', () => {
  assert.deepEqual(draws(1, 'worker-0'), draws(1, 'worker-0'))
  assert.notDeepEqual(draws(1, 'worker-0'), draws(1, 'worker-1'))
  assert.notDeepEqual(draws(1, 'worker-0'), draws(2, 'worker-0'))
})

test('what a fork draws does not depend on what its origin has drawn', () => {
  const random = createRandom(3)
  const before = random.fork('a').uuid()
  random.integer(1, 10)
  assert.equal(random.fork('a').uuid(), before)
})

test('makes UUIDs that the contract takes', () => {
  assert.match(createRandom(4).uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
})
