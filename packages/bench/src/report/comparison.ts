import type { Row } from '../results.ts'
import { mark, shown } from './numbers.ts'

/**
 * What changed against earlier rows of the same name, subject and peer, one line a row: the ratio where both have one, because machines drift, else the
 * figure. Rows that are new are named, and those that the same benchmarks no longer have.
 */
export function comparisonLines(rows: readonly Row[], earlier: readonly Row[]): readonly string[] {
  const before = new Map(earlier.map((row) => [keyOf(row), row]))
  const now = new Set(rows.map(keyOf))
  const ran = new Set(rows.map(({ name }) => name))
  const gone = earlier.filter((row) => ran.has(row.name) && !now.has(keyOf(row)))
  return [...rows.map((row) => lineOf(row, before.get(keyOf(row)))), ...gone.map((row) => `${titleOf(row)}: gone`)]
}

/** What the machine and the rounds had to do with it: where they were not alike, or others were at work, a change may be theirs. */
export function unlikeConditions(rows: readonly Row[], earlier: readonly Row[]): string | undefined {
  const before = new Map(earlier.map((row) => [keyOf(row), row.conditions]))
  const differences = new Map<string, string>()
  for (const row of rows) {
    const was = before.get(keyOf(row))
    if (was === undefined) continue
    const is = row.conditions
    for (const name of ['effort', 'cores', 'cpu', 'node'])
      if (was[name] !== is[name]) differences.set(name, `${name} ${was[name] ?? 'unknown'} → ${is[name] ?? 'unknown'}`)
    if (was.calm === false || is.calm === false) differences.set('load', `load before ${was.load_before} → ${is.load_before}`)
  }
  return differences.size === 0
    ? undefined
    : `hints at best, for the conditions differ or others were at work: ${[...differences.values()].join(', ')}`
}

function lineOf(row: Row, old: Row | undefined): string {
  if (old === undefined)
    return `${titleOf(row)}: new, ${shown(row.ratio ?? row.figure)}${row.ratio === null ? ` ${row.unit}` : ' as a ratio'}`
  const byRatio = row.ratio !== null && old.ratio !== null
  const [was, is] = byRatio ? [old.ratio ?? Number.NaN, row.ratio ?? Number.NaN] : [old.figure, row.figure]
  const change = `${is >= was ? '+' : ''}${(((is - was) / was) * 100).toFixed(1)} %`
  const goal = row.holds === old.holds ? '' : `  goal: ${mark(old.holds) || 'none'} → ${mark(row.holds) || 'none'}`
  return `${titleOf(row)} (${byRatio ? 'ratio' : row.unit}): ${shown(was)} → ${shown(is)}  ${change}${goal}`
}

function titleOf({ name, what, against }: Row): string {
  return `${name}: ${what}${against === null ? '' : ` against ${against}`}`
}

function keyOf({ name, what, against }: Row): string {
  return `${name}\n${what}\n${against}`
}
