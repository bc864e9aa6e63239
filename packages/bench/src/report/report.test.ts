import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chartOf } from './chart.ts'
import { closingLine } from './closing-line.ts'
import { comparisonLines, unlikeConditions } from './comparison.ts'
import { mark, shown, shownRatio } from './numbers.ts'
import { pageOf } from './page.ts'
import { tableLines } from './print-table.ts'
import { rivalRow, rowFor } from './row-for-tests.ts'

test('numbers keep three digits that matter and part the thousands', () => {
  assert.deepEqual([0.12345, 1.5, 98.76, 999, 12_345.6, Number.NaN].map(shown), ['0.123', '1.5', '98.8', '999', '12,346', '–'])
})

test('a ratio is never shown without the rounds around it', () => {
  assert.equal(shownRatio(rivalRow(1.2)), '1.2 (0.6–2.4)')
  assert.equal(shownRatio(rowFor({})), '')
  assert.deepEqual([null, true, false].map(mark), ['', '✓', '✗ missed'])
})

test('a table stands in columns and marks what is missed', () => {
  const lines = tableLines([rivalRow(0.5), rowFor({ what: 'sign-ins, a longer name' })])
  assert.equal(new Set(lines.map((line) => line.indexOf(line.includes('figure') ? 'figure' : '10 sign-ins/s'))).size, 1)
  assert.match(lines[1] ?? '', /a rival 20 +0\.5 \(0\.25–1\) +ratio ≥ 1 +✗ missed$/)
})

test('a comparison shows ratios where both have one, and figures elsewhere', () => {
  const was = [rivalRow(1), rowFor({ what: 'alone', unit: 'ms' })]
  const is = [rivalRow(1.5, { figure: 3 }), rowFor({ what: 'alone', unit: 'ms', figure: 5 })]
  assert.deepEqual(comparisonLines(is, was), [
    'sign-in: sign-ins against a rival (ratio): 1 → 1.5  +50.0 %',
    'sign-in: alone (ms): 10 → 5  -50.0 %',
  ])
})

test('a comparison names rows that are new, gone, and goals that came to be missed', () => {
  const was = [rivalRow(1), rowFor({ what: 'old' }), rowFor({ name: 'not run', what: 'elsewhere' })]
  const is = [rivalRow(0.8), rivalRow(2, { what: 'new' })]
  assert.deepEqual(comparisonLines(is, was), [
    'sign-in: sign-ins against a rival (ratio): 1 → 0.8  -20.0 %  goal: ✓ → ✗ missed',
    'sign-in: new against a rival: new, 2 as a ratio',
    'sign-in: old: gone',
  ])
})

test('a comparison says when the runs were not alike, or others were at work', () => {
  const calm = { effort: 'full', cores: 2, load_before: 0.5, calm: true }
  const was = [rivalRow(1, { conditions: calm })]
  assert.equal(unlikeConditions([rivalRow(2, { conditions: calm })], was), undefined)
  assert.equal(
    unlikeConditions([rivalRow(2, { conditions: { ...calm, effort: 'quick', load_before: 11.9, calm: false } })], was),
    'hints at best, for the conditions differ or others were at work: effort full → quick, load before 0.5 → 11.9',
  )
  assert.equal(unlikeConditions([rivalRow(2, { what: 'new', conditions: { ...calm, cores: 8 } })], was), undefined)
})

test('the last line of a run says what is kept of it', () => {
  const [quick, full] = [rivalRow(2), rivalRow(0.5)]
  const pages = 'docs/performance.md and packages/bench/results/latest.json'
  assert.equal(closingLine([full], [], [full], 3.2), `1 goals missed; ${pages} are written, after 3 s`)
  assert.equal(
    closingLine([quick], [], [full], 3),
    `every goal that was measured holds; ${pages} keep the full runs that they have, after 3 s`,
  )
  const start = rowFor({ name: 'start' })
  assert.match(closingLine([quick, start], [], [full, start], 3), /are written \(of sign-in they keep the full run\), after/)
  assert.match(
    closingLine([], ['mail'], [{ name: 'mail', failed: true }], 3),
    /^failed, with no figure: mail; nothing was measured; .* are written, /,
  )
})

test('a chart has a bar for ours and one for each peer, the span of ours and the goal', () => {
  const rows = [rivalRow(2), rivalRow(4, { against: 'another & <slower>' }), rowFor({ what: 'alone', goal: 'figure ≤ 20', holds: true })]
  const svg = chartOf('sign-in, sign-ins/s', rows)
  assert.equal(svg.match(/<rect /g)?.length, 4)
  assert.equal(svg.match(/>Gatehouse</g)?.length, 2)
  assert.equal(svg.match(/class="span"/g)?.length, 2)
  assert.equal(svg.match(/class="goal"/g)?.length, 1)
  assert.ok(svg.includes('another &#38; &#60;slower&#62;'))
})

test('nothing of a chart lies outside of it', () => {
  const svg = chartOf('wide', [rowFor({ figure: 5, figure_low: 1, figure_high: 900, against: 'a'.repeat(80), against_figure: 2 })])
  const width = Number(/width="(\d+)"/.exec(svg)?.[1])
  for (const [, x] of svg.matchAll(/<text x="([\d.]+)"[^>]*>[\d,.]+ sign-ins/g)) assert.ok(Number(x) + 110 <= width, x)
  assert.ok(!svg.includes('a'.repeat(60)), 'a long name is shortened')
})

test('the page begins with all goals and says shared conditions once', () => {
  const rows = [
    rivalRow(0.5, { conditions: { cores: 2, node: 'v24', in_flight: 8 } }),
    rowFor({ name: 'relay', what: 'events', unit: 'events/s', goal: 'figure ≥ 5', holds: true, conditions: { cores: 2, node: 'v24' } }),
  ]
  const { markdown, charts } = pageOf(rows, [
    { name: 'relay', about: 'rows to messages' },
    { name: 'sign-in', about: 'coming in' },
    { name: 'nothing ran', about: 'nothing' },
  ])
  assert.match(markdown, /## Goals: 1 of 2 hold/)
  assert.match(markdown, /\| ✓ \| \[relay\]\(#relay\) \| events \| \*\*10\*\* events\/s \| ≥ 5 \|\n\| ✗ \| \[sign-in\]/)
  assert.match(markdown, /Machine and run: cores 2 · node v24\./)
  assert.match(markdown, /Conditions: in flight 8$/m)
  assert.match(markdown, /## relay\n\nRows to messages\./)
  assert.ok(!markdown.includes('nothing ran'))
  assert.deepEqual([...charts.keys()], ['relay-events-s.svg', 'sign-in-sign-ins-s.svg'])
  for (const file of charts.keys()) assert.ok(markdown.includes(`(performance/${file})`))
})

test('the page says where h2load was missing', () => {
  const about = [{ name: 'sign-in', about: 'coming in' }]
  assert.match(pageOf([rowFor({ conditions: { h2load: false } })], about).markdown, /`h2load` was not installed/)
  assert.doesNotMatch(pageOf([rowFor({ conditions: { h2load: true } })], about).markdown, /was not installed/)
})

test('the page names the benchmarks that failed, and shows no figure of them', () => {
  const about = ['sign-in', 'relay'].map((name) => ({ name, about: 'what it is' }))
  const { markdown } = pageOf([rowFor({}), { name: 'relay', failed: true }], about)
  assert.match(markdown, /^\*\*Failed in the last run, no figure: relay\.\*\*$/m)
  assert.ok(!markdown.includes('## relay'))
  assert.doesNotMatch(pageOf([rowFor({})], about).markdown, /Failed/)
})
