import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { createTurns } from './turns.ts'

const welcome = () => undefined

test('so many act at once, and the others in the order in which they came', async () => {
  const turns = createTurns(2)
  const began: number[] = []
  const ends = Array.from({ length: 5 }, () => Promise.withResolvers<void>())
  const all = ends.map(({ promise }, n) =>
    turns.take(() => {
      began.push(n)
      return promise
    }, welcome),
  )
  await turn()
  assert.deepEqual(began, [0, 1])
  ends[1]?.resolve()
  await turn()
  assert.deepEqual(began, [0, 1, 2])
  for (const { resolve } of ends) resolve()
  await Promise.all(all)
  assert.deepEqual(began, [0, 1, 2, 3, 4])
})

test('whoever is refused does not act, and whoever fails gives the place back', async () => {
  const turns = createTurns(1)
  await assert.rejects(
    turns.take(() => Promise.reject(new Error('failed')), welcome),
    /failed/,
  )
  await assert.rejects(
    turns.take(
      () => assert.fail('it was refused'),
      () => new Error('too late'),
    ),
    /too late/,
  )
  let acted = false
  await turns.take(async () => {
    acted = true
  }, welcome)
  assert.ok(acted)
})

test('at the end everybody who waits is asked whether it may still act', async () => {
  const turns = createTurns(1)
  const { promise: held, resolve: release } = Promise.withResolvers<void>()
  let ended = false
  const first = turns.take(() => held, welcome)
  const second = turns.take(
    () => assert.fail('it was refused'),
    () => (ended ? new Error('over') : undefined),
  )
  ended = true
  turns.end()
  await assert.rejects(second, /over/)
  release()
  await first
})
