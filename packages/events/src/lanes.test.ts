import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Lanes } from './lanes.ts'

test('whoever asks for room holds no more than a batch beside those under way', async () => {
  const gate = Promise.withResolvers<void>()
  let handled = 0
  const lanes = new Lanes<number>({
    concurrency: 2,
    batchSize: 4,
    keyOf: String,
    async handle(items) {
      await gate.promise
      handled += items.length
      return []
    },
  })
  let added = 0
  const producing = (async () => {
    for (; added < 1000; added++) {
      await lanes.room()
      lanes.add(added)
    }
  })()
  // Nothing is done, so that the producer stands still as soon as there is no room.
  for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setImmediate(resolve))
  assert.ok(lanes.held().length <= 3 * 4, `${lanes.held().length} are held`)
  gate.resolve()
  await producing
  while (handled < 1000) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(lanes.held(), [])
})

test('whoever waits for room is let go when it closes, however long what is under way takes', async () => {
  const gate = Promise.withResolvers<void>()
  const lanes = new Lanes<number>({
    concurrency: 1,
    batchSize: 1,
    keyOf: String,
    async handle() {
      await gate.promise
      return []
    },
  })
  lanes.add(1)
  await new Promise((resolve) => setImmediate(resolve))
  lanes.add(2)
  const room = lanes.room()
  assert.deepEqual(lanes.close(), [2])
  await room
  gate.resolve()
  assert.deepEqual(await lanes.ended(), [])
})
