import type { Row } from '../results.ts'
import { mark, shown } from './numbers.ts'

/** Prints rows as a table for a terminal. */
export function printTable(rows: readonly Row[]): void {
  const cells = rows.map((row) => [
    row.name,
    row.what,
    `${shown(row.figure)} ${row.unit}`,
    row.against === null ? '' : `${row.against} ${shown(row.against_figure ?? Number.NaN)}`,
    row.ratio === null ? '' : `${shown(row.ratio)} (${shown(row.ratio_low ?? Number.NaN)}–${shown(row.ratio_high ?? Number.NaN)})`,
    row.goal ?? '',
    mark(row.holds),
  ])
  const all = [['benchmark', 'what', 'figure', 'against', 'ratio', 'goal', ''], ...cells]
  const widths = (all[0] ?? []).map((_, column) => Math.max(...all.map((line) => line[column]?.length ?? 0)))
  for (const line of all)
    console.log(
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
}

/** Prints what changed against earlier rows of the same name, subject and peer. */
export function printComparison(rows: readonly Row[], earlier: readonly Row[]): void {
  const key = ({ name, what, against }: Row) => `${name}\n${what}\n${against}`
  const before = new Map(earlier.map((row) => [key(row), row]))
  console.log('\nagainst the last committed results:')
  for (const row of rows) {
    const old = before.get(key(row))
    const measure = row.ratio !== null && old?.ratio != null ? ([old.ratio, row.ratio] as const) : ([old?.figure, row.figure] as const)
    const [was, is] = measure
    const change =
      was === undefined ? 'new' : `${shown(was)} → ${shown(is)}  ${is >= was ? '+' : ''}${(((is - was) / was) * 100).toFixed(1)} %`
    const of = row.ratio !== null && old?.ratio != null ? 'ratio' : row.unit
    console.log(`  ${row.name}: ${row.what}${row.against === null ? '' : ` against ${row.against}`} (${of}): ${change}`)
  }
}
