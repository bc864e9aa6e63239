import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plantedFaults } from '../planted/index.ts'
import { scenarios } from '../src/scenarios/index.ts'
import { misfitOf } from '../src/scratch-tree.ts'

test('every planted fault still fits the source that it changes', async () => {
  const misfits = await Promise.all(
    plantedFaults.flatMap(({ name, edits }) => edits.map(async (edit) => ({ name, misfit: await misfitOf(edit) }))),
  )
  assert.deepEqual(
    misfits.filter(({ misfit }) => misfit !== undefined),
    [],
  )
})

test('every planted fault names the scenario that has to find it, and its name is its own', () => {
  const known = scenarios.map(({ name }) => name)
  assert.deepEqual(
    plantedFaults.filter(({ scenario }) => !known.includes(scenario)),
    [],
  )
  assert.equal(new Set(plantedFaults.map(({ name }) => name)).size, plantedFaults.length)
  assert.ok(plantedFaults.length >= 8)
})
