import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'

// Files that share a process see neither the hooks nor the tests of each other.
const world = globalThis as { openHouses?: number }
before(async () => {
  await delay(5)
  world.openHouses = (world.openHouses ?? 0) + 1
})
after(() => {
  world.openHouses = (world.openHouses ?? 0) - 1
})

test('one house is open', () => assert.equal(world.openHouses, 1))
test('one house is open still', () => assert.equal(world.openHouses, 1))
test('left out', (t) => t.skip('for a reason'))
