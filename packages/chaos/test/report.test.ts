import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from '@gatehouse/local'
import { keptRows, rowsOf } from '../src/report/results.ts'
import { tableOf, withTable } from '../src/report/table.ts'
import { scenarios } from '../src/scenarios/index.ts'

test('the page on reliability shows the figures that are kept, of every scenario', () => {
  const page = readFileSync(join(root, 'docs/reliability.md'), 'utf8')
  assert.equal(withTable(page, tableOf(keptRows(), scenarios)), page)
})

test('runs of several seeds are one row', () => {
  const run = { scenario: 'a', effort: 'full', seconds: 1.6, operations: 10, unknown: 1, faults: 5 } as const
  const violation = { rule: 'order', sentence: 'in order', evidence: ['not so'] }
  assert.deepEqual(
    rowsOf(
      [
        { ...run, seed: 7, violations: [] },
        { ...run, seed: 8, violations: [violation, violation] },
      ],
      '2026-01-01',
    ),
    [
      {
        scenario: 'a',
        effort: 'full',
        seed: 7,
        seeds: 2,
        operations: 20,
        unknown: 2,
        faults: 10,
        violations: 2,
        rules: ['order'],
        seconds: 3,
        date: '2026-01-01',
      },
    ],
  )
})
