import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Finding, Goal } from './benchmark.ts'
import { rowFor } from './report/row-for-tests.ts'
import { keptAfter, rowOf } from './results.ts'

const finding: Finding = {
  name: 'relay',
  what: 'events',
  figure: { low: 1, median: 2.000049, high: 3 },
  unit: 'events/s',
  against: { name: 'bare publish', figure: { low: 3, median: 4, high: 5 } },
  ratio: { low: 0.4, median: 0.5, high: 0.6 },
  conditions: { events: 1000 },
}

const judged = (goal: Goal, of: Finding = finding) => {
  const row = rowOf({ ...of, goal }, { cores: 2 })
  return [row.goal, row.holds]
}

test('a goal is held against the median of the figure or of the ratio', () => {
  assert.deepEqual(judged({ of: 'ratio', least: 0.5 }), ['ratio ≥ 0.5', true])
  assert.deepEqual(judged({ of: 'ratio', least: 0.51 }), ['ratio ≥ 0.51', false])
  assert.deepEqual(judged({ of: 'figure', most: 2 }), ['figure ≤ 2', false])
  assert.deepEqual(judged({ of: 'figure', most: 2.1 }), ['figure ≤ 2.1', true])
})

test('an exact goal is held by the exact figure only', () => {
  const exactly = (median: number) => judged({ of: 'figure', least: 2, most: 2 }, { ...finding, figure: { low: 2, median, high: 2 } })
  assert.deepEqual(exactly(2), ['figure = 2', true])
  assert.deepEqual(exactly(1.99), ['figure = 2', false])
  assert.deepEqual(exactly(2.01), ['figure = 2', false])
})

test('a goal for a ratio that does not exist is missed', () => {
  const { ratio: _, ...alone } = finding
  assert.deepEqual(judged({ of: 'ratio', least: 0 }, alone), ['ratio ≥ 0', false])
})

test('a row keeps four digits, the peer, and the conditions of machine and finding', () => {
  assert.deepEqual(rowOf(finding, { cores: 2 }), {
    name: 'relay',
    what: 'events',
    against: 'bare publish',
    figure: 2,
    figure_low: 1,
    figure_high: 3,
    unit: 'events/s',
    against_figure: 4,
    ratio: 0.5,
    ratio_low: 0.4,
    ratio_high: 0.6,
    goal: null,
    holds: null,
    conditions: { cores: 2, events: 1000 },
  })
})

test('a benchmark that failed loses its older rows and is remembered, until it has figures again', () => {
  const names = ['start', 'limits', 'relay']
  const [start, limits, relay] = names.map((name) => rowFor({ name }))
  assert.ok(start && limits && relay)
  const failure = { name: 'limits', failed: true } as const
  const after = keptAfter([start, limits, relay], [failure], names)
  assert.deepEqual(after, [start, failure, relay])
  assert.deepEqual(keptAfter(after, [relay], names), [start, failure, relay])
  assert.deepEqual(keptAfter(after, [limits, limits], names), [start, limits, limits, relay])
})

test('a quick run takes no full run’s place, and a full one takes a quick one’s', () => {
  const names = ['limits', 'relay']
  const quick = (name: string) => rowFor({ name, conditions: { effort: 'quick' } })
  const full = (name: string) => rowFor({ name, conditions: { effort: 'full' } })
  assert.deepEqual(keptAfter([full('limits')], [quick('limits'), quick('relay')], names), [full('limits'), quick('relay')])
  assert.deepEqual(keptAfter([quick('limits')], [full('limits')], names), [full('limits')])
  const failure = { name: 'limits', failed: true } as const
  assert.deepEqual(keptAfter([full('limits')], [failure], names), [failure])
})
