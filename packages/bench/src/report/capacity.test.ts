import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Entry, root } from '../results.ts'
import { capacityTable, withCapacity } from './capacity.ts'

const kept = JSON.parse(readFileSync(join(root, 'packages/bench/results/latest.json'), 'utf8')) as Entry[]

test('the page on scale shows what follows from the figures that are kept', () => {
  const page = readFileSync(join(root, 'docs/scale.md'), 'utf8')
  assert.equal(withCapacity(page, capacityTable(kept)), page, 'node packages/bench/src/report/write-capacity.ts writes it')
})

test('other figures make another table, and a figure that is missing none', () => {
  const faster = kept.map((entry) => ('figure' in entry && entry.name === 'sign-in' ? { ...entry, figure: entry.figure * 2 } : entry))
  assert.notEqual(capacityTable(faster), capacityTable(kept))
  assert.throws(() => capacityTable(kept.filter(({ name }) => name !== 'refresh')), /no figure of refresh/)
})
