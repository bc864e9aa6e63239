import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from '@gatehouse/local'
import { keptRows, rowsOf } from '../src/report/results.ts'
import { tableOf, withTable } from '../src/report/table.ts'
import { runToItsEnd } from '../src/run-scenario.ts'
import { efforts } from '../src/scenario.ts'
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

test('a row of few faults says so', () => {
  const run = { scenario: 'a', seed: 7, seconds: 1.6, operations: 10, unknown: 1, faults: 5, violations: [] } as const
  const named = [{ name: 'a', faults: 'this', promise: 'that' }]
  assert.match(tableOf(rowsOf([{ ...run, effort: 'full' }], '2026-01-01'), named), /\| 2 s, 2026-01-01 \|$/)
  assert.match(tableOf(rowsOf([{ ...run, effort: 'quick' }], '2026-01-01'), named), /\| 2 s, 2026-01-01, quick \|$/)
})

test('a scenario that breaks off is a violation of its own, and no end of the run', async () => {
  const broken = {
    name: 'a',
    faults: 'this',
    promise: 'that',
    house: () => Promise.reject(new Error('no house')),
    run: () => Promise.resolve([]),
  }
  const result = await runToItsEnd(broken, { seed: 7, effort: efforts.full, say: () => undefined })
  assert.deepEqual(
    result.violations.map(({ rule, evidence }) => [rule, evidence[0]?.split('\n')[0]]),
    [['comes-to-its-end', 'Error: no house']],
  )
  assert.match(tableOf(rowsOf([result], '2026-01-01'), [broken]), /\| 0 × 0 \| \*\*1\*\* \(comes-to-its-end\) \|/)
})
